/**
 * Score order: the indices of the boxes that may be kept, best score first, ties by lower index.
 *
 * A comparator sort costs thirty times a radix sort at 100 000 scores, so scores become unsigned integers whose
 * ascending order is the wanted one. Up to 65 536 float32 scores are sorted by the 16 leading bits in which they differ,
 * which fill a word together with their places; an insertion sort mends the rest and finds next to nothing to do. Where
 * scores crowd together so much that it does, for more scores and for float64, all bits are sorted, by digits of 11.
 */
type Scores = Float32Array | Float64Array;
type Words = Uint32Array<ArrayBuffer>;

const DIGITS = 2048;

const counters = /* @__PURE__ */ new Uint32Array(DIGITS);

/** Below this many, clearing the counters costs more than the sort. */
const SMALL = 96;

/** As many places as 16 bits can hold. */
const PACKED = 65_536;

/** A work array that only grows. */
let scratch: Words = /* @__PURE__ */ new Uint32Array(0);

/** Stable, by descending score; false, with the work half done, after more than `budget` moves. */
function insertionSort(scores: Scores, order: Uint32Array, budget: number): boolean {
  let before = scores[order[0]!]!;
  for (let i = 1; i < order.length; i++) {
    const index = order[i]!;
    const score = scores[index]!;
    if (score <= before) {
      before = score;
      continue;
    }
    let to = i;
    do {
      order[to] = order[to - 1]!;
      to--;
    } while (to > 0 && scores[order[to - 1]!]! < score);
    order[to] = index;
    budget -= i - to;
    if (budget < 0) return false;
  }
  return true;
}

/** Turns `digits` counters from `from` on into the places where their digits begin. */
function startPlaces(from: number, digits: number): void {
  let start = 0;
  for (let digit = from; digit < from + digits; digit++) {
    const size = counters[digit]!;
    counters[digit] = start;
    start += size;
  }
}

/** The stable ascending order of float32 scores' keys by 16 bits. */
function packedOrder(words: Uint32Array, candidates: Words): Words {
  const count = candidates.length;
  if (scratch.length < count) scratch = new Uint32Array(count);
  const packed = scratch;
  let differing = 0;
  for (let i = 0; i < count; i++) {
    const raw = words[candidates[i]!]!;
    // ascending with falling score; -0 and 0 are a tie
    const key = raw > 0x80000000 ? raw : ~raw & 0x7fffffff;
    packed[i] = key;
    differing |= key ^ packed[0]!;
  }
  const shift = Math.max(0, 16 - Math.clz32(differing));
  counters.fill(0, 0, 512);
  for (let i = 0; i < count; i++) {
    const bits = (packed[i]! >>> shift) & 0xffff;
    counters[bits & 255]!++;
    counters[256 + (bits >>> 8)]!++;
    packed[i] = (bits << 16) | i;
  }
  startPlaces(0, 256);
  startPlaces(256, 256);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const value = packed[i]!;
    order[counters[(value >>> 16) & 255]!++] = value;
  }
  for (let i = 0; i < count; i++) {
    const value = order[i]!;
    packed[counters[256 + (value >>> 24)]!++] = value;
  }
  for (let i = 0; i < count; i++) order[i] = candidates[packed[i]! & 0xffff]!;
  return order;
}

/**
 * Sorts `candidates` (ascending indices into `scores`, every score finite) by descending score, ties by lower index.
 * Returns an array of the same length; the input array is used as work space.
 */
export function orderByScore(scores: Scores, candidates: Words): Words {
  const count = candidates.length;
  if (count < SMALL) {
    insertionSort(scores, candidates, Number.POSITIVE_INFINITY);
    return candidates;
  }
  // every engine that runs wasm is little-endian
  const words = new Uint32Array(scores.buffer, scores.byteOffset, scores.byteLength / 4);
  const perScore = words.length / scores.length;
  if (perScore === 1 && count <= PACKED) {
    const order = packedOrder(words, candidates);
    if (insertionSort(scores, order, 4 * count)) return order;
  }
  const keys = new Uint32Array(scores.length);
  let from = candidates;
  let to = new Uint32Array(count);
  for (let word = 1; word <= perScore; word++) {
    for (let i = 0; i < count; i++) {
      const index = from[i]!;
      const raw = words[perScore * index + word - 1]!;
      keys[index] = scores[index]! < 0 ? raw : word < perScore ? ~raw : ~raw & 0x7fffffff;
    }
    for (let shift = 0; shift < 32; shift += 11) {
      counters.fill(0);
      for (let i = 0; i < count; i++) counters[(keys[from[i]!]! >>> shift) & (DIGITS - 1)]!++;
      startPlaces(0, DIGITS);
      for (let i = 0; i < count; i++) {
        const index = from[i]!;
        to[counters[(keys[index]! >>> shift) & (DIGITS - 1)]!++] = index;
      }
      [from, to] = [to, from];
    }
  }
  return from;
}
