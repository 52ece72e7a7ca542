// The best class of every anchor of a class-major score tensor, some class rows a call.
import { allocate, allocateFrom } from './memory';

let rowsIn: usize = 0;
let bestScores: usize = 0;
let bestClasses: usize = 0;
let stride: usize = 0;

// Lays out `rows` class rows of `anchors` scores at a time, sets every best score to the threshold and every class to 0.
// Returns where the rows go, one after the other without gaps.
export function begin(anchors: i32, rows: i32, threshold: f32): usize {
  allocateFrom((__heap_base + 15) & ~(<usize>15));
  stride = <usize>anchors << 2;
  bestScores = allocate(stride + 16);
  bestClasses = allocate(stride + 16);
  rowsIn = allocate(stride * <usize>rows + 16);
  const first = f32x4.splat(threshold);
  for (let at: usize = 0; at < stride; at += 16) v128.store(bestScores + at, first);
  memory.fill(bestClasses, 0, stride);
  return rowsIn;
}

export function scores(): usize {
  return bestScores;
}

export function classes(): usize {
  return bestClasses;
}

// Lets class rows first .. first + rows compete. Ties and NaN leave the earlier class.
export function compete(first: i32, rows: i32): void {
  const height = stride * <usize>rows;
  for (let at: usize = 0; at < stride; at += 16) {
    let best = v128.load(bestScores + at);
    let classOf = v128.load(bestClasses + at);
    let index = i32x4.splat(first);
    for (let row: usize = 0; row < height; row += stride) {
      const score = v128.load(rowsIn + at + row);
      const better = f32x4.gt(score, best);
      best = v128.bitselect(score, best, better);
      classOf = v128.bitselect(index, classOf, better);
      index = i32x4.add(index, i32x4.splat(1));
    }
    v128.store(bestScores + at, best);
    v128.store(bestClasses + at, classOf);
  }
}
