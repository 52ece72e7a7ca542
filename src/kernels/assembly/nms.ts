// Greedy NMS of float32 boxes, whole: filter, sort, bucket by class, suppress over tiles, gather.
//
// The caller writes its input where `prepare` says, calls `run`, and reads the kept indices at `keep`.
import { allocate, allocateFrom } from './memory';
import { sortPairs } from './sort';
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
  keep = allocate(padded << 2);
  return boxes;
}

// Candidates in score order at `keep` on entry when `ordered` is positive (that many), else scores are filtered and
// sorted here. With `ask` the threshold is the bound and `confirm` decides. Returns how many indices are kept.
export function run(
  n: i32,
  ordered: i32,
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
  let count = ordered;
  if (ordered < 0) {
    const pairs = allocate(<usize>n << 3);
    count = filter(n, scoreFloor, pairs);
    const sorted = sortPairs(count, pairs, allocate(<usize>count << 3), lowest, highest);
    count = min(count, maxCandidates);
    for (let i = 0; i < count; i++) store<u32>(order + (<usize>i << 2), load<u32>(sorted + (<usize>i << 3)));
  }
  if (count == 0) return 0;
  const flags = allocate(<usize>count);
  if (!classAware) {
    suppress(boxes, order, count, maxDetections, flags);
    return gather(order, flags, count, maxDetections);
  }
  return perClass(order, count, maxDetections, flags);
}

// Bounds of the keys that were made last.
let lowest: u32 = 0;
let highest: u32 = 0;

// Finite boxes with a finite score above the floor: a key that ascends with falling score, and the index.
function filter(n: i32, scoreFloor: f32, pairs: usize): i32 {
  let at = pairs;
  lowest = 0xffffffff;
  highest = 0;
  for (let i = 0; i < n; i++) {
    const score = load<f32>(scores + (<usize>i << 2));
    if (!(score > scoreFloor) || score == Infinity) continue;
    const box = v128.load(boxes + (<usize>i << 4));
    const difference = f32x4.sub(box, box);
    if (!i32x4.all_true(f32x4.eq(difference, difference))) continue;
    const bits = reinterpret<u32>(score + 0); // -0 and 0 are a tie
    const key = bits >> 31 ? bits : ~bits & 0x7fffffff;
    lowest = min(lowest, key);
    highest = max(highest, key);
    store<u32>(at, i);
    store<u32>(at, key, 4);
    at += 8;
  }
  return <i32>((at - pairs) >> 3);
}

// One exact run a class: a stable sort of the ranks by class id, then the runs of equal ids.
function perClass(order: usize, count: i32, limit: i32, flags: usize): i32 {
  const pairs = allocate(<usize>count << 3);
  let low: u32 = 0xffffffff;
  let high: u32 = 0;
  for (let rank = 0; rank < count; rank++) {
    const id = load<u32>(classIds + (<usize>load<u32>(order + (<usize>rank << 2)) << 2));
    low = min(low, id);
    high = max(high, id);
    store<u64>(pairs + (<usize>rank << 3), (<u64>id << 32) | <u64>rank);
  }
  const sorted = sortPairs(count, pairs, allocate(<usize>count << 3), low, high);
  const members = allocate(<usize>count << 2);
  for (let i = 0; i < count; i++) {
    const rank = load<u32>(sorted + (<usize>i << 3));
    store<u32>(members + (<usize>i << 2), load<u32>(order + (<usize>rank << 2)));
  }
  const memberFlags = allocate(<usize>count);
  const scratch = allocate(0);
  let from = 0;
  while (from < count) {
    const id = load<u32>(sorted + (<usize>from << 3), 4);
    let to = from + 1;
    while (to < count && load<u32>(sorted + (<usize>to << 3), 4) == id) to++;
    allocateFrom(scratch); // the kept list of the last class is no longer needed
    suppress(boxes, members + (<usize>from << 2), to - from, limit, memberFlags + from);
    from = to;
  }
  for (let i = 0; i < count; i++) {
    store<u8>(flags + load<u32>(sorted + (<usize>i << 3)), load<u8>(memberFlags + i));
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
