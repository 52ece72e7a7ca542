// Greedy NMS of float32 boxes, whole: filter, sort, bucket by class, suppress over tiles, gather.
//
// The caller writes its input where `prepare` says, calls `run`, and reads the kept indices at `keep`.
import { allocate, allocateFrom } from './memory';
import { largestOf, sortKeys } from './sort';
import { configure, suppress } from './suppress';

let boxes: usize = 0;
let scores: usize = 0;
let classIds: usize = 0;
let keep: usize = 0;

// Lays out the input of n boxes. Returns the address of the boxes (16 n bytes); the scores (4 n), the class ids (4 n)
// and the kept indices (4 n) follow, n rounded up to a multiple of 4.
export function prepare(n: i32): usize {
  allocateFrom((__heap_base + 15) & ~(<usize>15));
  const padded: usize = (<usize>n + 3) & ~(<usize>3);
  boxes = allocate(padded << 4);
  scores = allocate(padded << 2);
  classIds = allocate(padded << 2);
  keep = allocate((padded << 2) + 16);
  return boxes;
}

// With `ask` the threshold is the bound and `confirm` decides. Returns how many indices are kept.
export function run(
  n: i32,
  scoreFloor: f32,
  maxCandidates: i32,
  maxDetections: i32,
  classAware: i32,
  threshold: f32,
  bound: f64,
  ask: i32,
): i32 {
  configure(threshold, bound, ask != 0);
  const order = keep;
  const keys = allocate((<usize>n << 2) + 16);
  const indices = keysOf(n, scoreFloor, keys) ? 0 : allocate(<usize>n << 2);
  let count = indices == 0 ? n : filter(n, scoreFloor, keys, indices);
  if (min(count, maxCandidates) == 0) return 0;
  sortKeys(count, keys, lowest, highest, order);
  count = min(count, maxCandidates);
  if (indices != 0) lookUp(order, indices, order, count);
  endMembers(order, count);
  const flags = allocate(<usize>count);
  if (classAware) return perClass(order, count, maxDetections, flags);
  return suppress(boxes, order, count, maxDetections, flags, widest);
}

// Bounds of the keys that were made last, and the largest absolute coordinate of their boxes.
let lowest: u32 = 0;
let highest: u32 = 0;
let widest: f32 = 0;

// The keys of all scores, ascending with falling score, four a step; false where a score or a box is to be left out.
function keysOf(n: i32, scoreFloor: f32, keys: usize): bool {
  // Bits of absolute values are in their order, infinity and NaN last.
  const unsigned = i32x4.splat(0x7fffffff);
  const last = boxes + (<usize>n << 4) - 16;
  let far = v128.and(v128.load(last), unsigned);
  for (let at = boxes; at < last; at += 32) {
    far = i32x4.max_u(v128.and(v128.load(at), unsigned), far);
    far = i32x4.max_u(v128.and(v128.load(at, 16), unsigned), far);
  }
  const largest = largestOf(far);
  widest = reinterpret<f32>(largest);
  let broken = i32x4.splat(largest < 0x7f800000 ? 0 : -1);
  // The last step reads up to three places behind the scores: let them be a score.
  for (let i = n; i < ((n + 3) & ~3); i++) store<f32>(scores + (<usize>i << 2), load<f32>(scores));
  const floor = f32x4.splat(scoreFloor);
  const infinity = f32x4.splat(Infinity);
  let least = i32x4.splat(-1);
  let most = i32x4.splat(0);
  const end = <usize>n << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const score = f32x4.add(v128.load(scores + at), f32x4.splat(0)); // -0 and 0 are a tie
    broken = v128.or(broken, v128.not(v128.and(f32x4.gt(score, floor), f32x4.lt(score, infinity))));
    const positive = v128.andnot(i32x4.splat(0x7fffffff), score);
    const key = v128.bitselect(score, positive, i32x4.shr_s(score, 31));
    least = i32x4.min_u(key, least);
    most = i32x4.max_u(key, most);
    v128.store(keys + at, key);
  }
  lowest = ~largestOf(v128.not(least));
  highest = largestOf(most);
  return !v128.any_true(broken);
}

// Finite boxes with a finite score above the floor: their keys, moved together, and their indices.
function filter(n: i32, scoreFloor: f32, keys: usize, indices: usize): i32 {
  let at: usize = 0;
  lowest = 0xffffffff;
  highest = 0;
  let far = i32x4.splat(0);
  for (let i = 0; i < n; i++) {
    const score = load<f32>(scores + (<usize>i << 2));
    if (!(score > scoreFloor) || score == Infinity) continue;
    const box = v128.load(boxes + (<usize>i << 4));
    const difference = f32x4.sub(box, box);
    if (!i32x4.all_true(f32x4.eq(difference, difference))) continue;
    far = i32x4.max_u(v128.and(box, i32x4.splat(0x7fffffff)), far);
    const key = load<u32>(keys + (<usize>i << 2));
    lowest = min(lowest, key);
    highest = max(highest, key);
    store<u32>(indices + at, i);
    store<u32>(keys + at, key);
    at += 4;
  }
  widest = reinterpret<f32>(largestOf(far));
  return <i32>(at >> 2);
}

// Four boxes are read at a time: behind the last member box 0 stands in.
// @ts-ignore: decorator
@inline
function endMembers(members: usize, count: i32): void {
  v128.store(members + (<usize>count << 2), i32x4.splat(0));
}

// table[places[i]], to `to`.
function lookUp(places: usize, table: usize, to: usize, count: i32): void {
  const end = <usize>count << 2;
  for (let at: usize = 0; at < end; at += 4) {
    store<u32>(to + at, load<u32>(table + (<usize>load<u32>(places + at) << 2)));
  }
}

// @ts-ignore: decorator
@inline
function idOf(members: usize, i: i32): u32 {
  return load<u32>(classIds + (<usize>load<u32>(members + (<usize>i << 2)) << 2));
}

// One exact run a class: a stable sort of the ranks by class id, then the runs of equal ids.
function perClass(order: usize, count: i32, limit: i32, flags: usize): i32 {
  const keys = allocate((<usize>count << 2) + 16);
  let low: u32 = 0xffffffff;
  let high: u32 = 0;
  for (let rank = 0; rank < count; rank++) {
    const id = idOf(order, rank);
    low = min(low, id);
    high = max(high, id);
    store<u32>(keys + (<usize>rank << 2), id);
  }
  const ranks = allocate((<usize>count << 2) + 16);
  sortKeys(count, keys, low, high, ranks);
  const members = allocate((<usize>count << 2) + 16);
  lookUp(ranks, order, members, count);
  endMembers(members, count);
  const memberFlags = allocate(<usize>count);
  memory.fill(memberFlags, 0, count);
  const scratch = allocate(0);
  let from = 0;
  while (from < count) {
    const id = idOf(members, from);
    let to = from + 1;
    while (to < count && idOf(members, to) == id) to++;
    allocateFrom(scratch); // the kept list of the last class is no longer needed
    suppress(boxes, members + (<usize>from << 2), to - from, limit, memberFlags + from, widest);
    from = to;
  }
  for (let i = 0; i < count; i++) {
    store<u8>(flags + load<u32>(ranks + (<usize>i << 2)), load<u8>(memberFlags + i));
  }
  return gather(order, flags, count, limit);
}

function gather(order: usize, flags: usize, count: i32, limit: i32): i32 {
  let size = 0;
  for (let rank = 0; rank < count && size < limit; rank++) {
    if (load<u8>(flags + rank) == 0) continue;
    store<u32>(keep + (<usize>size << 2), load<u32>(order + (<usize>rank << 2)));
    size++;
  }
  return size;
}
