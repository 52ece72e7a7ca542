// Stable radix sort of (key, payload) pairs of 32 bits, ascending by key.
import { allocate } from './memory';

// Result of the last sort: the arrays that hold it (either the given ones or the spare ones).
export let sortedKeys: usize = 0;
export let sortedValues: usize = 0;

// Sorts by the 16 (few pairs) or 22 leading bits of the keys' range in two passes, then mends the rest by insertion,
// which finds next to nothing to do. Where scores crowd together so much that it does, the exact radix sort runs.
export function sortPairs(count: i32, keys: usize, values: usize, spareKeys: usize, spareValues: usize): void {
  let low: u32 = 0xffffffff;
  let high: u32 = 0;
  for (let i = 0; i < count; i++) {
    const key = load<u32>(keys + (<usize>i << 2));
    low = min(low, key);
    high = max(high, key);
  }
  const bits: i32 = count < 2048 ? 8 : 11;
  const shift: i32 = max(0, 32 - <i32>clz(high - low) - 2 * bits);
  scatter(count, bits, 2, low, shift, keys, values, spareKeys, spareValues);
  if (shift > 0 && !insertion(count, sortedKeys, sortedValues)) {
    const keysNow = sortedKeys;
    const valuesNow = sortedValues;
    const moved = keysNow != keys;
    scatter(count, 11, 3, 0, 0, keysNow, valuesNow, moved ? keys : spareKeys, moved ? values : spareValues);
  }
}

// Least-significant-digit radix sort of (key - low) >>> shift.
function scatter(
  count: i32,
  bits: i32,
  passes: i32,
  low: u32,
  shift: i32,
  keys: usize,
  values: usize,
  spareKeys: usize,
  spareValues: usize,
): void {
  const digits: i32 = 1 << bits;
  const mask: u32 = digits - 1;
  const second: usize = <usize>digits << 2;
  const histograms = allocate(second * <usize>passes);
  memory.fill(histograms, 0, second * <usize>passes);
  for (let i = 0; i < count; i++) {
    let key = (load<u32>(keys + (<usize>i << 2)) - low) >>> shift;
    let at = histograms;
    for (let pass = 0; pass < passes; pass++) {
      const slot = at + (<usize>(key & mask) << 2);
      store<u32>(slot, load<u32>(slot) + 1);
      key >>>= bits;
      at += second;
    }
  }
  for (let pass = 0; pass < passes; pass++) {
    const histogram = histograms + second * <usize>pass;
    // All keys share this digit: the pass would move nothing.
    const first = (((load<u32>(keys) - low) >>> shift) >>> (pass * bits)) & mask;
    if (load<i32>(histogram + (<usize>first << 2)) == count) continue;
    let start: u32 = 0;
    for (let digit = 0; digit < digits; digit++) {
      const slot = histogram + (<usize>digit << 2);
      const size = load<u32>(slot);
      store<u32>(slot, start);
      start += size;
    }
    for (let i = 0; i < count; i++) {
      const key = load<u32>(keys + (<usize>i << 2));
      const slot = histogram + (<usize>((((key - low) >>> shift) >>> (pass * bits)) & mask) << 2);
      const target = load<u32>(slot);
      store<u32>(slot, target + 1);
      store<u32>(spareKeys + (<usize>target << 2), key);
      store<u32>(spareValues + (<usize>target << 2), load<u32>(values + (<usize>i << 2)));
    }
    let swap = keys;
    keys = spareKeys;
    spareKeys = swap;
    swap = values;
    values = spareValues;
    spareValues = swap;
  }
  sortedKeys = keys;
  sortedValues = values;
}

// Stable insertion sort; false (pairs in any order, equal keys still in theirs) after four moves a pair.
function insertion(count: i32, keys: usize, values: usize): bool {
  let budget = count * 4;
  let before = load<u32>(keys);
  for (let i = 1; i < count; i++) {
    const at = <usize>i << 2;
    const key = load<u32>(keys + at);
    if (key >= before) {
      before = key;
      continue;
    }
    const value = load<u32>(values + at);
    let to = at;
    do {
      store<u32>(keys + to, load<u32>(keys + to - 4));
      store<u32>(values + to, load<u32>(values + to - 4));
      to -= 4;
      budget--;
    } while (to > 0 && load<u32>(keys + to - 4) > key);
    store<u32>(keys + to, key);
    store<u32>(values + to, value);
    before = load<u32>(keys + at);
    if (budget < 0) return false;
  }
  return true;
}
