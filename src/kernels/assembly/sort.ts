// Sorts keys ascending into pairs: the key in the upper 32 bits, its place in the lower ones; equal keys come by place.
import { allocate } from './memory';

// Sorts by the 16 (few keys) or 22 leading bits of the keys' range in two passes, then mends the rest by insertion, which
// finds next to nothing to do. Where keys crowd together so much that it does, the exact radix sort runs.
// `low` and `high` bound the keys; they are moved so that their range begins at 0 and fills the leading bits. There is
// room for a vector behind the last. Returns where the sorted pairs are.
export function sortKeys(count: i32, keys: usize, low: u32, high: u32): usize {
  const pairs = allocate(<usize>count << 3);
  const spare = allocate(<usize>count << 3);
  const left: i32 = high == low ? 0 : <i32>clz(high - low);
  for (let at = keys; at < keys + (<usize>count << 2); at += 16) {
    v128.store(at, i32x4.shl(i32x4.sub(v128.load(at), i32x4.splat(low)), left));
  }
  const bits: i32 = count < 2048 ? 8 : 11;
  twoDigits(count, keys, bits, 32 - 2 * bits, pairs, spare);
  if (insertion(count, spare)) return spare;
  twoDigits(count, keys, 11, 0, pairs, spare);
  const histogram = allocate(4096);
  memory.fill(histogram, 0, 4096);
  for (let at = keys; at < keys + (<usize>count << 2); at += 4) {
    const slot = histogram + (<usize>(load<u32>(at) >>> 22) << 2);
    store<u32>(slot, load<u32>(slot) + 8);
  }
  startAt(histogram, 4096, pairs);
  move(count, histogram, 1023, 54, spare);
  return pairs;
}

// Two stable passes over digits of the keys, from `shift` on; the sorted pairs are in `spare`.
function twoDigits(count: i32, keys: usize, bits: i32, shift: i32, pairs: usize, spare: usize): void {
  const mask: u32 = (1 << bits) - 1;
  const size: usize = <usize>4 << bits;
  const histograms = allocate(2 * size);
  memory.fill(histograms, 0, 2 * size);
  for (let at = keys; at < keys + (<usize>count << 2); at += 4) {
    const key = load<u32>(at) >>> shift;
    const first = histograms + (<usize>(key & mask) << 2);
    store<u32>(first, load<u32>(first) + 8);
    const second = histograms + size + (<usize>((key >>> bits) & mask) << 2);
    store<u32>(second, load<u32>(second) + 8);
  }
  startAt(histograms, size, pairs);
  for (let i = 0; i < count; i++) {
    const key = load<u32>(keys + (<usize>i << 2));
    const slot = histograms + (<usize>((key >>> shift) & mask) << 2);
    const target = load<u32>(slot);
    store<u32>(slot, target + 8);
    store<u64>(<usize>target, (<u64>key << 32) | <u64>i);
  }
  startAt(histograms + size, size, spare);
  move(count, histograms + size, mask, 32 + shift + bits, pairs);
}

// Turns the sizes of a histogram into the addresses where its digits begin.
function startAt(histogram: usize, size: usize, start: usize): void {
  for (let slot = histogram; slot < histogram + size; slot += 4) {
    const bytes = load<u32>(slot);
    store<u32>(slot, <u32>start);
    start += <usize>bytes;
  }
}

function move(count: i32, histogram: usize, mask: u32, right: u64, pairs: usize): void {
  const last = pairs + (<usize>count << 3);
  for (let from = pairs; from < last; from += 8) {
    const pair = load<u64>(from);
    const slot = histogram + (<usize>(<u32>(pair >>> right) & mask) << 2);
    const target = load<u32>(slot);
    store<u32>(slot, target + 8);
    store<u64>(<usize>target, pair);
  }
}

// The largest of four unsigned numbers.
export function largestOf(four: v128): u32 {
  const two = i32x4.max_u(four, v128.shuffle<i32>(four, four, 2, 3, 0, 1));
  return max(<u32>i32x4.extract_lane(two, 0), <u32>i32x4.extract_lane(two, 1));
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
