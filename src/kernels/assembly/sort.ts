// The stable ascending order of keys: their places, equal keys by place.
import { allocate } from './memory';

// Writes the places to `order`: sorted by the two leading bytes of the keys' range, then mended by insertion, which finds
// next to nothing to do. Where it does, as the keys crowd together or are many, all bytes are sorted.
//
// `low` and `high` bound the keys; they are moved so that their range begins at 0 and fills the leading bits. There is
// room for a vector behind the last.
export function sortKeys(count: i32, keys: usize, low: u32, high: u32, order: usize): void {
  const bytes = <usize>count << 2;
  const left: i32 = high == low ? 0 : <i32>clz(high - low);
  for (let at = keys; at < keys + bytes; at += 16) {
    v128.store(at, i32x4.shl(i32x4.sub(v128.load(at), i32x4.splat(low)), left));
  }
  const spare = allocate(bytes);
  for (let half: usize = count < 32768 ? 2 : (left >>> 3) & 2, from: usize = 0; ; half = 0, from = 0) {
    for (; half < 4; half += 2) {
      sortByHalf(bytes, keys + half, from, spare, order);
      from = order;
    }
    if (insertion(bytes, keys, order)) return;
  }
}

// Two stable passes by the bytes of a half of the keys, the lower first, of the places in `from`, or of all as they lie.
function sortByHalf(bytes: usize, keys: usize, from: usize, spare: usize, order: usize): void {
  const low = allocate(2048);
  const high = low + 1024;
  for (let at = low; at < low + 2048; at += 16) v128.store(at, i32x4.splat(0));
  for (let at = keys; at < keys + bytes; at += 4) {
    const slot = low + (<usize>load<u8>(at) << 2);
    const other = high + (<usize>load<u8>(at, 1) << 2);
    store<u32>(slot, load<u32>(slot) + 4);
    store<u32>(other, load<u32>(other) + 4);
  }
  let to = spare;
  let then = order;
  for (let slot = low; slot < high; slot += 4) {
    const size = load<u32>(slot);
    const other = load<u32>(slot, 1024);
    store<u32>(slot, <u32>to);
    store<u32>(slot, <u32>then, 1024);
    to += <usize>size;
    then += <usize>other;
  }
  if (from == 0) {
    for (let place: usize = 0; place < bytes; place += 4) put(low, load<u8>(keys + place), <u32>place >> 2);
  } else {
    for (let at: usize = 0; at < bytes; at += 4) {
      const place = load<u32>(from + at);
      put(low, load<u8>(keys + (<usize>place << 2)), place);
    }
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    const place = load<u32>(spare + at);
    put(high, load<u8>(keys + (<usize>place << 2), 1), place);
  }
}

// @ts-ignore: decorator
@inline
function put(slots: usize, byte: u32, place: u32): void {
  const slot = slots + (<usize>byte << 2);
  const target = load<u32>(slot);
  store<u32>(slot, target + 4);
  store<u32>(<usize>target, place);
}

// The largest of four unsigned numbers.
export function largestOf(four: v128): u32 {
  const two = i32x4.max_u(four, v128.shuffle<i32>(four, four, 2, 3, 0, 1));
  return max(<u32>i32x4.extract_lane(two, 0), <u32>i32x4.extract_lane(two, 1));
}

// @ts-ignore: decorator
@inline
function keyAt(keys: usize, order: usize): u32 {
  return load<u32>(keys + (<usize>load<u32>(order) << 2));
}

// Insertion sort; false (in any order) after four moves a key.
function insertion(bytes: usize, keys: usize, order: usize): bool {
  let budget: usize = 4 * bytes;
  let before = keyAt(keys, order);
  for (let at = order + 4; at < order + bytes; at += 4) {
    const key = keyAt(keys, at);
    if (key >= before) {
      before = key;
      continue;
    }
    const place = load<u32>(at);
    let to = at;
    do {
      store<u32>(to, load<u32>(to - 4));
      to -= 4;
    } while (to > order && keyAt(keys, to - 4) > key);
    store<u32>(to, place);
    if (at - to > budget) return false;
    budget -= at - to;
  }
  return true;
}
