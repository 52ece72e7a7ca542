/**
 * Score order: the indices of the boxes that may be kept, best score first, ties by lower index.
 *
 * A comparator sort costs thirty times a radix sort at 100 000 scores, so scores become unsigned integers whose
 * ascending order is the wanted one, sorted stably 11 bits at a time (three passes for float32, six for float64), or 8
 * where they are few.
 */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

const histogram = /* @__PURE__ */ new Uint32Array(DIGITS);

/** Below this many, four digits of 8 bits are sorted faster than three of 11: fewer counters. */
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
  const bits = order.length < FEW ? 8 : DIGIT_BITS;
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
  if (count < SMALL) return insertionSort(scores, candidates);
  const spare = new Uint32Array(count);
  const keys = new Uint32Array(scores.length);
  if (scores instanceof Float32Array) {
    const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
    for (let i = 0; i < count; i++) {
      const index = candidates[i]!;
      const raw = bits[index]!;
      // -0 and 0 are a tie
      keys[index] = raw > 0x80000000 ? raw : ~raw & 0x7fffffff;
    }
    return radixSort(candidates, spare, keys);
  }
  // every engine that runs wasm is little-endian
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, 2 * scores.length);
  const highKeys = new Uint32Array(scores.length);
  for (let i = 0; i < count; i++) {
    const index = candidates[i]!;
    const negative = scores[index]! < 0;
    const low = bits[2 * index]!;
    const high = bits[2 * index + 1]!;
    keys[index] = negative ? low : ~low;
    highKeys[index] = negative ? high : ~high & 0x7fffffff;
  }
  const byLow = radixSort(candidates, spare, keys);
  return radixSort(byLow, byLow === candidates ? spare : candidates, highKeys);
}
