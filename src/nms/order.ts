/**
 * Score order: the indices of the boxes that may be kept, best score first, ties by lower index.
 *
 * A comparator sort costs thirty times a radix sort at 100 000 scores, so scores become unsigned integers whose
 * ascending order is the wanted one, sorted stably 11 bits at a time (three passes for float32, six for float64).
 */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGITS - 1;

const histogram = /* @__PURE__ */ new Uint32Array(DIGITS);

/** Below this many, two digits of 8 bits tell most scores apart, and the counters are cleared sooner. */
const FEW = 2048;

/** Below this many, clearing the counters costs more than the sort. */
const SMALL = 96;

/** Stable, by descending score. */
function insertionSort(
  scores: Float32Array | Float64Array,
  order: Uint32Array<ArrayBuffer>,
): Uint32Array<ArrayBuffer> {
  for (let i = 1; i < order.length; i++) {
    const index = order[i]!;
    const score = scores[index]!;
    let to = i;
    while (to > 0 && scores[order[to - 1]!]! < score) {
      order[to] = order[to - 1]!;
      to--;
    }
    order[to] = index;
  }
  return order;
}

/**
 * Stable ascending sort of `order` by `keys[order[i]]`, all from `low` to `high`: by the leading bits of that range in two
 * passes, the rest by insertion, which finds next to nothing to do. Where keys crowd together so much that it does, all
 * digits are sorted.
 */
function rangeSort(
  order: Uint32Array<ArrayBuffer>,
  spare: Uint32Array<ArrayBuffer>,
  keys: Uint32Array,
  low: number,
  high: number,
): Uint32Array<ArrayBuffer> {
  const bits = order.length < FEW ? 8 : DIGIT_BITS;
  const shift = Math.max(0, 32 - Math.clz32(high - low) - 2 * bits);
  digitPass(order, spare, keys, low, shift, bits);
  digitPass(spare, order, keys, low, shift + bits, bits);
  return mend(order, keys) ? order : radixSort(order, spare, keys, 3);
}

function digitPass(
  from: Uint32Array,
  to: Uint32Array,
  keys: Uint32Array,
  low: number,
  shift: number,
  bits: number,
): void {
  const digits = 1 << bits;
  const mask = digits - 1;
  histogram.fill(0, 0, digits);
  for (let i = 0; i < from.length; i++) histogram[((keys[from[i]!]! - low) >>> shift) & mask]!++;
  let start = 0;
  for (let digit = 0; digit < digits; digit++) {
    const size = histogram[digit]!;
    histogram[digit] = start;
    start += size;
  }
  for (let i = 0; i < from.length; i++) {
    const index = from[i]!;
    to[histogram[((keys[index]! - low) >>> shift) & mask]!++] = index;
  }
}

/** Stable insertion sort; false, in no order of keys, after four moves an index. */
function mend(order: Uint32Array, keys: Uint32Array): boolean {
  let budget = 4 * order.length;
  let before = keys[order[0]!]!;
  for (let i = 1; i < order.length; i++) {
    const index = order[i]!;
    const key = keys[index]!;
    if (key >= before) {
      before = key;
      continue;
    }
    let to = i;
    do {
      order[to] = order[to - 1]!;
      to--;
      budget--;
    } while (to > 0 && keys[order[to - 1]!]! > key);
    order[to] = index;
    if (budget < 0) return false;
  }
  return true;
}

/** Stable ascending sort of `order` by `keys[order[i]]` on `passes` digits of 11 bits; `spare` is a work array. */
function radixSort(
  order: Uint32Array<ArrayBuffer>,
  spare: Uint32Array<ArrayBuffer>,
  keys: Uint32Array,
  passes: number,
): Uint32Array<ArrayBuffer> {
  const count = order.length;
  let from = order;
  let to = spare;
  for (let pass = 0; pass < passes; pass++) {
    const shift = pass * DIGIT_BITS;
    histogram.fill(0);
    for (let i = 0; i < count; i++) histogram[(keys[from[i]!]! >>> shift) & DIGIT_MASK]!++;
    // All keys share this digit: the pass would move nothing.
    if (histogram[(keys[from[0]!]! >>> shift) & DIGIT_MASK] === count) continue;
    let start = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      const size = histogram[digit]!;
      histogram[digit] = start;
      start += size;
    }
    for (let i = 0; i < count; i++) {
      const index = from[i]!;
      const digit = (keys[index]! >>> shift) & DIGIT_MASK;
      to[histogram[digit]!++] = index;
    }
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

/**
 * Sorts `candidates` (ascending indices into `scores`, every score finite) by descending score, ties by lower index.
 * Returns an array of the same length; the input array is used as work space.
 */
export function orderByScore(
  scores: Float32Array | Float64Array,
  candidates: Uint32Array<ArrayBuffer>,
): Uint32Array<ArrayBuffer> {
  const count = candidates.length;
  if (count < SMALL) return insertionSort(scores, candidates);
  const spare = new Uint32Array(count);
  const keys = new Uint32Array(scores.length);
  if (scores instanceof Float32Array) {
    const value = new Float32Array(1);
    const bits = new Uint32Array(value.buffer);
    let low = 0xffffffff;
    let high = 0;
    for (let i = 0; i < count; i++) {
      const index = candidates[i]!;
      value[0] = scores[index]! + 0; // -0 and 0 are a tie
      const raw = bits[0]!;
      const key = raw >>> 31 === 1 ? raw : ~raw & 0x7fffffff;
      keys[index] = key;
      if (key < low) low = key;
      if (key > high) high = key;
    }
    return rangeSort(candidates, spare, keys, low, high);
  }
  const value = new Float64Array(1);
  const bits = new Uint32Array(value.buffer);
  const highKeys = new Uint32Array(scores.length);
  for (let i = 0; i < count; i++) {
    const index = candidates[i]!;
    value[0] = scores[index]! + 0;
    const high = bits[1]!; // every engine that runs wasm is little-endian
    const negative = high >>> 31 === 1;
    keys[index] = negative ? bits[0]! : ~bits[0]!;
    highKeys[index] = negative ? high : ~high & 0x7fffffff;
  }
  const byLow = radixSort(candidates, spare, keys, 3);
  return radixSort(byLow, byLow === candidates ? spare : candidates, highKeys, 3);
}
