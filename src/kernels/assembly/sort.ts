// Stable radix sort of (key, payload) pairs of 32 bits, ascending by key.
import { allocate } from './memory';

// Result of the last sort: the arrays that hold it (either the given ones or the spare ones).
export let sortedKeys: usize = 0;
export let sortedValues: usize = 0;

// Digits of 11 bits for many pairs, of 8 bits for few: clearing and summing 2048 counters costs as much as moving
// a thousand pairs.
const WIDE: i32 = 4096;

export function radixSort(count: i32, keys: usize, values: usize, spareKeys: usize, spareValues: usize): void {
  const bits: i32 = count < WIDE ? 8 : 11;
  const passes: i32 = count < WIDE ? 4 : 3;
  const digits: i32 = 1 << bits;
  const mask: u32 = digits - 1;
  const histograms = allocate((<usize>(digits * passes)) << 2);
  memory.fill(histograms, 0, (<usize>(digits * passes)) << 2);
  const second: usize = <usize>digits << 2;
  for (let i = 0; i < count; i++) {
    let key = load<u32>(keys + (<usize>i << 2));
    let at = histograms;
    for (let pass = 0; pass < passes; pass++) {
      const slot = at + (<usize>(key & mask) << 2);
      store<u32>(slot, load<u32>(slot) + 1);
      key >>>= bits;
      at += second;
    }
  }
  for (let pass = 0; pass < passes; pass++) {
    const shift: u32 = pass * bits;
    const histogram = histograms + second * <usize>pass;
    // All keys share this digit: the pass would move nothing.
    const first = (load<u32>(keys) >>> shift) & mask;
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
      const slot = histogram + (<usize>((key >>> shift) & mask) << 2);
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
