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
    for (let i = 0; i < count; i++) {
      const index = candidates[i]!;
      value[0] = scores[index]! + 0; // -0 and 0 are a tie
      const raw = bits[0]!;
      keys[index] = raw >>> 31 === 1 ? raw : ~raw & 0x7fffffff;
    }
    return radixSort(candidates, spare, keys, 3);
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
