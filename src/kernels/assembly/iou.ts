// Similarity matrices and best matches of float32 boxes, four columns a step, bit for bit as the generated float32 loops
// of src/iou compute them (a select in place of their branch: without an intersection both give the same).
//
// b is packed four boxes a block: x1, y1, x2, y2, area, aspect angle, four of each. a is read row by row.
import { allocate, allocateFrom } from './memory';

export const IOU: i32 = 0;
export const IOF: i32 = 1;
export const IOS: i32 = 2;
export const GIOU: i32 = 3;
export const DIOU: i32 = 4;
export const CIOU: i32 = 5;

const BLOCK: usize = 96;
// 4 / pi^2 as float32
const ASPECT_SCALE: f32 = 0.40528473258018494;

let bIn: usize = 0;
let bAnglesIn: usize = 0;
let packed: usize = 0;
let aIn: usize = 0;
let aAnglesIn: usize = 0;
let results: usize = 0;
let resultIndices: usize = 0;

// Lays out `columns` boxes of b, `rows` boxes of a at a time and `cells` results; returns where the boxes of b go.
export function begin(columns: i32, rows: i32, cells: i32): usize {
  allocateFrom((__heap_base + 15) & ~(<usize>15));
  bIn = allocate(<usize>columns << 4);
  bAnglesIn = allocate(<usize>columns << 2);
  packed = allocate(((<usize>columns + 3) >> 2) * BLOCK);
  aIn = allocate(<usize>rows << 4);
  aAnglesIn = allocate(<usize>rows << 2);
  results = allocate((<usize>cells + 4) << 2);
  resultIndices = allocate((<usize>rows + 4) << 2);
  return bIn;
}

export function bAngles(): usize {
  return bAnglesIn;
}

export function aBoxes(): usize {
  return aIn;
}

export function aAngles(): usize {
  return aAnglesIn;
}

export function out(): usize {
  return results;
}

export function outIndices(): usize {
  return resultIndices;
}

export function pack(columns: i32): void {
  for (let j = 0; j < columns; j++) {
    const box = bIn + (<usize>j << 4);
    const at = packed + <usize>(j >> 2) * BLOCK + (<usize>(j & 3) << 2);
    const x1 = load<f32>(box);
    const y1 = load<f32>(box, 4);
    const x2 = load<f32>(box, 8);
    const y2 = load<f32>(box, 12);
    store<f32>(at, x1);
    store<f32>(at, y1, 16);
    store<f32>(at, x2, 32);
    store<f32>(at, y2, 48);
    store<f32>(at, (x2 - x1) * (y2 - y1), 64);
    store<f32>(at, load<f32>(bAnglesIn + (<usize>j << 2)), 80);
  }
}

// n / d, 0 where d is 0.
// @ts-ignore: decorator
@inline
function ratio(n: v128, d: v128): v128 {
  return v128.and(f32x4.div(n, d), f32x4.ne(d, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function similarity(
  metric: i32,
  at: usize,
  x1: v128,
  y1: v128,
  x2: v128,
  y2: v128,
  area: v128,
  angle: v128,
  diagonalEps: v128,
  alphaEps: v128,
): v128 {
  const zero = f32x4.splat(0);
  const bx1 = v128.load(at);
  const by1 = v128.load(at, 16);
  const bx2 = v128.load(at, 32);
  const by2 = v128.load(at, 48);
  const bArea = v128.load(at, 64);
  const width = f32x4.pmax(zero, f32x4.sub(f32x4.pmin(x2, bx2), f32x4.pmax(x1, bx1)));
  const height = f32x4.pmax(zero, f32x4.sub(f32x4.pmin(y2, by2), f32x4.pmax(y1, by1)));
  const intersection = f32x4.mul(width, height);
  // An intersection above 0 implies a divisor well above this; without one it makes 0 of 0/0.
  const tiny = f32x4.splat(1e-37);
  if (metric == IOF) return f32x4.div(intersection, f32x4.pmax(area, tiny));
  if (metric == IOS) return f32x4.div(intersection, f32x4.pmax(f32x4.pmin(area, bArea), tiny));
  const union = f32x4.sub(f32x4.add(area, bArea), intersection);
  const iou = f32x4.div(intersection, f32x4.pmax(union, tiny));
  if (metric == IOU) return iou;
  const enclosingWidth = f32x4.sub(f32x4.pmax(x2, bx2), f32x4.pmin(x1, bx1));
  const enclosingHeight = f32x4.sub(f32x4.pmax(y2, by2), f32x4.pmin(y1, by1));
  if (metric == GIOU) {
    const enclosing = f32x4.mul(enclosingWidth, enclosingHeight);
    return f32x4.sub(iou, ratio(f32x4.sub(enclosing, union), enclosing));
  }
  const half = f32x4.splat(0.5);
  const dx = f32x4.mul(f32x4.add(f32x4.sub(x1, bx1), f32x4.sub(x2, bx2)), half);
  const dy = f32x4.mul(f32x4.add(f32x4.sub(y1, by1), f32x4.sub(y2, by2)), half);
  const diagonal = f32x4.add(
    f32x4.add(f32x4.mul(enclosingWidth, enclosingWidth), f32x4.mul(enclosingHeight, enclosingHeight)),
    diagonalEps,
  );
  const share = ratio(f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy)), diagonal);
  if (metric == DIOU) return f32x4.sub(iou, share);
  const turn = f32x4.sub(v128.load(at, 80), angle);
  const aspect = f32x4.mul(f32x4.mul(turn, turn), f32x4.splat(ASPECT_SCALE));
  const weight = ratio(aspect, f32x4.add(f32x4.add(aspect, f32x4.sub(f32x4.splat(1), iou)), alphaEps));
  return f32x4.sub(iou, f32x4.add(share, f32x4.mul(aspect, weight)));
}

// @ts-ignore: decorator
@inline
function matrixOf(metric: i32, rows: i32, columns: i32, diagonal: f32, alpha: f32): void {
  const diagonalEps = f32x4.splat(diagonal);
  const alphaEps = f32x4.splat(alpha);
  const end = packed + <usize>((columns + 3) >> 2) * BLOCK;
  for (let i = 0; i < rows; i++) {
    const box = aIn + (<usize>i << 4);
    const x1 = v128.load32_splat(box);
    const y1 = v128.load32_splat(box, 4);
    const x2 = v128.load32_splat(box, 8);
    const y2 = v128.load32_splat(box, 12);
    const area = f32x4.mul(f32x4.sub(x2, x1), f32x4.sub(y2, y1));
    const angle = metric == CIOU ? v128.load32_splat(aAnglesIn + (<usize>i << 2)) : f32x4.splat(0);
    // The last step of a row may write past its end; the next row writes over that.
    let to = results + ((<usize>i * <usize>columns) << 2);
    for (let at = packed; at < end; at += BLOCK) {
      v128.store(to, similarity(metric, at, x1, y1, x2, y2, area, angle, diagonalEps, alphaEps));
      to += 16;
    }
  }
}

// @ts-ignore: decorator
@inline
function bestOf(metric: i32, rows: i32, columns: i32, diagonal: f32, alpha: f32): void {
  const diagonalEps = f32x4.splat(diagonal);
  const alphaEps = f32x4.splat(alpha);
  const full = packed + <usize>(columns >> 2) * BLOCK;
  const left = columns & 3;
  const present = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(left));
  for (let i = 0; i < rows; i++) {
    const box = aIn + (<usize>i << 4);
    const x1 = v128.load32_splat(box);
    const y1 = v128.load32_splat(box, 4);
    const x2 = v128.load32_splat(box, 8);
    const y2 = v128.load32_splat(box, 12);
    const area = f32x4.mul(f32x4.sub(x2, x1), f32x4.sub(y2, y1));
    const angle = metric == CIOU ? v128.load32_splat(aAnglesIn + (<usize>i << 2)) : f32x4.splat(0);
    let best = f32x4.splat(-Infinity);
    let bestAt = i32x4.splat(-1);
    let index = i32x4(0, 1, 2, 3);
    let at = packed;
    for (; at < full; at += BLOCK) {
      const value = similarity(metric, at, x1, y1, x2, y2, area, angle, diagonalEps, alphaEps);
      bestAt = v128.bitselect(index, bestAt, f32x4.gt(value, best));
      best = f32x4.pmax(best, value);
      index = i32x4.add(index, i32x4.splat(4));
    }
    if (left != 0) {
      const value = similarity(metric, at, x1, y1, x2, y2, area, angle, diagonalEps, alphaEps);
      const better = v128.and(f32x4.gt(value, best), present);
      bestAt = v128.bitselect(index, bestAt, better);
      best = v128.bitselect(value, best, better);
    }
    let value = f32x4.extract_lane(best, 0);
    let column = i32x4.extract_lane(bestAt, 0);
    for (let lane = 1; lane < 4; lane++) {
      const other = lane == 1 ? f32x4.extract_lane(best, 1) : lane == 2 ? f32x4.extract_lane(best, 2) : f32x4.extract_lane(best, 3);
      const where = lane == 1 ? i32x4.extract_lane(bestAt, 1) : lane == 2 ? i32x4.extract_lane(bestAt, 2) : i32x4.extract_lane(bestAt, 3);
      if (where >= 0 && (other > value || (other == value && where < column))) {
        value = other;
        column = where;
      }
    }
    store<f32>(results + (<usize>i << 2), value);
    store<i32>(resultIndices + (<usize>i << 2), column);
  }
}

export function matrix(metric: i32, rows: i32, columns: i32, diagonal: f32, alpha: f32): void {
  if (metric == IOU) matrixOf(IOU, rows, columns, diagonal, alpha);
  else if (metric == IOF) matrixOf(IOF, rows, columns, diagonal, alpha);
  else if (metric == IOS) matrixOf(IOS, rows, columns, diagonal, alpha);
  else if (metric == GIOU) matrixOf(GIOU, rows, columns, diagonal, alpha);
  else if (metric == DIOU) matrixOf(DIOU, rows, columns, diagonal, alpha);
  else matrixOf(CIOU, rows, columns, diagonal, alpha);
}

export function best(metric: i32, rows: i32, columns: i32, diagonal: f32, alpha: f32): void {
  if (metric == IOU) bestOf(IOU, rows, columns, diagonal, alpha);
  else if (metric == IOF) bestOf(IOF, rows, columns, diagonal, alpha);
  else if (metric == IOS) bestOf(IOS, rows, columns, diagonal, alpha);
  else if (metric == GIOU) bestOf(GIOU, rows, columns, diagonal, alpha);
  else if (metric == DIOU) bestOf(DIOU, rows, columns, diagonal, alpha);
  else bestOf(CIOU, rows, columns, diagonal, alpha);
}
