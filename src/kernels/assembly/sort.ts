// Sorts pairs, ascending: the key in the upper 32 bits, an index in the lower ones, so that equal keys come by index.
import { allocate } from './memory';

// Sorts by the 16 (few pairs) or 22 leading bits of the keys' range in two passes, then mends the rest by insertion,
// which finds next to nothing to do. Where keys crowd together so much that it does, the exact radix sort runs.
// `low` and `high` bound the keys. Returns where the sorted pairs are: `pairs` or `spare`.
export function sortPairs(count: i32, pairs: usize, spare: usize, low: u32, high: u32): usize {
  if (count < 2) return pairs;
  const bits: i32 = count < 2048 ? 8 : 11;
  const sorted = scatter(count, bits, 2, low, shiftOf(bits, low, high), pairs, spare);
  return mend(count, low, sorted, sorted == pairs ? spare : pairs);
}

// The same for keys whose index is their place: the first pass makes the pairs.
export function sortKeys(count: i32, keys: usize, pairs: usize, spare: usize, low: u32, high: u32): usize {
  const bits: i32 = count < 2048 ? 8 : 11;
  const shift = shiftOf(bits, low, high);
  const mask: u32 = (1 << bits) - 1;
  const size: usize = <usize>4 << bits;
  const histograms = allocate(2 * size);
  memory.fill(histograms, 0, 2 * size);
  for (let at = keys; at < keys + (<usize>count << 2); at += 4) {
    const key = (load<u32>(at) - low) >>> shift;
    const first = histograms + (<usize>(key & mask) << 2);
    store<u32>(first, load<u32>(first) + 8);
    const second = histograms + size + (<usize>((key >>> bits) & mask) << 2);
    store<u32>(second, load<u32>(second) + 8);
  }
  startAt(histograms, size, pairs);
  for (let i = 0; i < count; i++) {
    const key = load<u32>(keys + (<usize>i << 2));
    const slot = histograms + (<usize>(((key - low) >>> shift) & mask) << 2);
    const target = load<u32>(slot);
    store<u32>(slot, target + 8);
    store<u64>(<usize>target, (<u64>key << 32) | <u64>i);
  }
  startAt(histograms + size, size, spare);
  move(count, histograms + size, mask, low, shift + bits, pairs);
  return mend(count, low, spare, pairs);
}

// So many bits of a key are left out that two digits hold the rest.
function shiftOf(bits: i32, low: u32, high: u32): i32 {
  return max(0, 32 - <i32>clz(high - low) - 2 * bits);
}

function mend(count: i32, low: u32, pairs: usize, spare: usize): usize {
  if (insertion(count, pairs)) return pairs;
  const sorted = scatter(count, 11, 3, low, 0, pairs, spare);
  // The radix sort is stable, but the insertion above may have left equal keys out of order.
  insertion(count, sorted);
  return sorted;
}

// Turns the sizes of a histogram into the addresses where its digits begin.
function startAt(histogram: usize, size: usize, start: usize): void {
  for (let slot = histogram; slot < histogram + size; slot += 4) {
    const bytes = load<u32>(slot);
    store<u32>(slot, <u32>start);
    start += <usize>bytes;
  }
}

function move(count: i32, histogram: usize, mask: u32, low: u32, right: i32, pairs: usize): void {
  const last = pairs + (<usize>count << 3);
  for (let from = pairs; from < last; from += 8) {
    const pair = load<u64>(from);
    const slot = histogram + (<usize>((((<u32>(pair >>> 32)) - low) >>> right) & mask) << 2);
    const target = load<u32>(slot);
    store<u32>(slot, target + 8);
    store<u64>(<usize>target, pair);
  }
}

// Least-significant-digit radix sort of (key - low) >>> shift.
function scatter(count: i32, bits: i32, passes: i32, low: u32, shift: i32, pairs: usize, spare: usize): usize {
  const digits: i32 = 1 << bits;
  const mask: u32 = digits - 1;
  const second: usize = <usize>digits << 2;
  const histograms = allocate(second * <usize>passes);
  memory.fill(histograms, 0, second * <usize>passes);
  const end = pairs + (<usize>count << 3);
  for (let from = pairs; from < end; from += 8) {
    let key = (load<u32>(from, 4) - low) >>> shift;
    let at = histograms;
    for (let pass = 0; pass < passes; pass++) {
      const slot = at + (<usize>(key & mask) << 2);
      store<u32>(slot, load<u32>(slot) + 8);
      key >>>= bits;
      at += second;
    }
  }
  for (let pass = 0; pass < passes; pass++) {
    const histogram = histograms + second * <usize>pass;
    const right = shift + pass * bits;
    // All keys share this digit: the pass would move nothing.
    const first = right > 31 ? 0 : ((load<u32>(pairs, 4) - low) >>> right) & mask;
    if (load<i32>(histogram + (<usize>first << 2)) == count << 3) continue;
    startAt(histogram, second, spare);
    move(count, histogram, mask, low, right, pairs);
    const swap = pairs;
    pairs = spare;
    spare = swap;
  }
  return pairs;
}

// Insertion sort; false (pairs in any order) after four moves a pair.
function insertion(count: i32, pairs: usize): bool {
  let budget = count * 4;
  const end = pairs + (<usize>count << 3);
  let before = load<u64>(pairs);
  for (let at = pairs + 8; at < end; at += 8) {
    const pair = load<u64>(at);
    if (pair >= before) {
      before = pair;
      continue;
    }
    let to = at;
    do {
      store<u64>(to, load<u64>(to - 8));
      to -= 8;
      budget--;
    } while (to > pairs && load<u64>(to - 8) > pair);
    store<u64>(to, pair);
    if (budget < 0) return false;
  }
  return true;
}
