/**
 * Score order: the indices of the boxes that may be kept, best score first, ties by lower index.
 *
 * A comparator sort costs thirty times a radix sort at 100 000 scores, so scores become unsigned integers whose
 * ascending order is the wanted one, sorted stably by digits of 11 bits, or 8 where they are few. float32 scores are
 * sorted by the two leading digits in which they differ; an insertion sort mends the rest and finds next to nothing to do.
 * Where scores crowd together so much that it does, and for float64, all digits are sorted.
 */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

const histogram = /* @__PURE__ */ new Uint32Array(DIGITS);

/** Few are sorted faster by smaller digits: fewer counters. */
const digitBits = (count: number): number => (count < 2048 ? 8 : DIGIT_BITS);

/** Below this many, clearing the counters costs more than the sort. */
const SMALL = 96;

/** Stable, by ascending key; false, with the work half done, after more than `budget` moves. */
function insertionSort(keys: Uint32Array, order: Uint32Array, budget: number): boolean {
  for (let i = 1; i < order.length; i++) {
    const index = order[i]!;
    const key = keys[index]!;
    let to = i;
    while (to > 0 && keys[order[to - 1]!]! > key) {
      order[to] = order[to - 1]!;
      to--;
    }
    order[to] = index;
    budget -= i - to;
    if (budget < 0) return false;
  }
  return true;
}

function digitPass(from: Uint32Array, to: Uint32Array, keys: Uint32Array, shift: number, bits: number): void {
  const digits = 1 << bits;
  const mask = digits - 1;
  histogram.fill(0, 0, digits);
  for (let i = 0; i < from.length; i++) histogram[(keys[from[i]!]! >>> shift) & mask]!++;
  let start = 0;
  for (let digit = 0; digit < digits; digit++) {
    const size = histogram[digit]!;
    histogram[digit] = start;
    start += size;
  }
  for (let i = 0; i < from.length; i++) {
    const index = from[i]!;
    to[histogram[(keys[index]! >>> shift) & mask]!++] = index;
  }
}

/** Stable ascending sort of `order` by `keys[order[i]]`; `spare` is a work array, and one of the two is returned. */
function radixSort(
  order: Uint32Array<ArrayBuffer>,
  spare: Uint32Array<ArrayBuffer>,
  keys: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const bits = digitBits(order.length);
  let from = order;
  let to = spare;
  for (let shift = 0; shift < 32; shift += bits) {
    digitPass(from, to, keys, shift, bits);
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
  const keys = new Uint32Array(scores.length);
  // every engine that runs wasm is little-endian
  const words = new Uint32Array(scores.buffer, scores.byteOffset, scores.byteLength / 4);
  if (scores instanceof Float32Array) {
    let differing = 0;
    let first = 0;
    for (let i = 0; i < count; i++) {
      const index = candidates[i]!;
      const raw = words[index]!;
      // -0 and 0 are a tie
      const key = raw > 0x80000000 ? raw : ~raw & 0x7fffffff;
      keys[index] = key;
      if (i === 0) first = key;
      differing |= key ^ first;
    }
    if (count < SMALL) {
      insertionSort(keys, candidates, Number.POSITIVE_INFINITY);
      return candidates;
    }
    const spare = new Uint32Array(count);
    const bits = digitBits(count);
    const shift = Math.max(0, 32 - Math.clz32(differing) - 2 * bits);
    digitPass(candidates, spare, keys, shift, bits);
    digitPass(spare, candidates, keys, shift + bits, bits);
    if (insertionSort(keys, candidates, 4 * count)) return candidates;
    return radixSort(candidates.sort(), spare, keys);
  }
  const highKeys = new Uint32Array(scores.length);
  for (let i = 0; i < count; i++) {
    const index = candidates[i]!;
    const negative = scores[index]! < 0;
    const low = words[2 * index]!;
    const high = words[2 * index + 1]!;
    keys[index] = negative ? low : ~low;
    highKeys[index] = negative ? high : ~high & 0x7fffffff;
  }
  const spare = new Uint32Array(count);
  const byLow = radixSort(candidates, spare, keys);
  return radixSort(byLow, byLow === candidates ? spare : candidates, highKeys);
}
