// The best class of every anchor of a class-major score tensor, some class rows a call.
import { allocate, allocateFrom } from './memory';

let rowsIn: usize = 0;
let bestScores: usize = 0;
let bestClasses: usize = 0;
let stride: usize = 0;
let floor: v128 = f32x4.splat(0);

// Lays out `rows` class rows of `anchors` scores (at least 32) at a time, sets every best score to the threshold.
// Returns where the rows go, one after the other without gaps.
export function begin(anchors: i32, rows: i32, threshold: f32): usize {
  allocateFrom((__heap_base + 15) & ~(<usize>15));
  stride = <usize>anchors << 2;
  bestScores = allocate(stride + 16);
  bestClasses = allocate(stride + 16);
  rowsIn = allocate(stride * <usize>rows + 16);
  floor = f32x4.splat(threshold);
  for (let at: usize = 0; at < stride; at += 16) v128.store(bestScores + at, floor);
  return rowsIn;
}

// Lets class rows first .. first + rows compete. Ties and NaN leave the earlier class.
//
// Scores above the threshold are rare: 32 at a time are compared with the threshold alone, and only where one passes are
// the best scores looked at.
export function compete(first: i32, rows: i32): void {
  const last = stride - 128;
  let row = rowsIn;
  for (let index = first; index < first + rows; index++) {
    let at = row;
    const end = row + last;
    while (true) {
      const a = v128.or(f32x4.gt(v128.load(at), floor), f32x4.gt(v128.load(at, 16), floor));
      const b = v128.or(f32x4.gt(v128.load(at, 32), floor), f32x4.gt(v128.load(at, 48), floor));
      const c = v128.or(f32x4.gt(v128.load(at, 64), floor), f32x4.gt(v128.load(at, 80), floor));
      const d = v128.or(f32x4.gt(v128.load(at, 96), floor), f32x4.gt(v128.load(at, 112), floor));
      if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) update(at, at - row, index);
      // The end of a row overlaps the step before it: to compete again changes nothing.
      if (at == end) break;
      at = min(at + 128, end);
    }
    row += stride;
  }
}

function update(scores: usize, offset: usize, index: i32): void {
  const classOf = i32x4.splat(index);
  for (let part: usize = 0; part < 128; part += 16) {
    const place = offset + part;
    const score = v128.load(scores + part);
    const best = v128.load(bestScores + place);
    const better = f32x4.gt(score, best);
    v128.store(bestScores + place, v128.bitselect(score, best, better));
    v128.store(bestClasses + place, v128.bitselect(classOf, v128.load(bestClasses + place), better));
  }
}

// How many of the scores of the first row in memory are NaN.
export function countNan(): i32 {
  let counts = i32x4.splat(0);
  let at = rowsIn;
  const end = at + stride;
  for (; at + 16 <= end; at += 16) {
    const score = v128.load(at);
    counts = i32x4.sub(counts, f32x4.ne(score, score));
  }
  let count = i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1);
  count += i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
  for (; at < end; at += 4) if (load<f32>(at) != load<f32>(at)) count++;
  return count;
}

// Packs (anchor, class, score) of every anchor above the threshold over the rows; returns how many.
export function collect(): i32 {
  let to = rowsIn;
  for (let at: usize = 0; at < stride; at += 16) {
    let lanes = i32x4.bitmask(f32x4.gt(v128.load(bestScores + at), floor));
    while (lanes != 0) {
      const place = at + (<usize>ctz(lanes) << 2);
      lanes &= lanes - 1;
      if (place >= stride) break;
      store<i32>(to, <i32>(place >>> 2));
      store<i32>(to, load<i32>(bestClasses + place), 4);
      store<i32>(to, load<i32>(bestScores + place), 8);
      to += 12;
    }
  }
  return <i32>(to - rowsIn) / 12;
}
