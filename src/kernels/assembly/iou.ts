// Similarity matrices and best matches of float32 boxes, four pairs a step, bit for bit as the generated float32 loops of
// src/iou compute them: the similarities are generated from the same formulas (a select in place of the loops' branch:
// without an intersection both give the same).
//
// A matrix takes a row against four columns a step: b is packed four boxes a block, x1, y1, x2, y2, area, aspect angle,
// four of each. A best match takes four rows against one column, so that a row's maximum stays in its lane.
import { allocate, allocateFrom } from './memory';
import { CIOU, DIOU, GIOU, IOF, IOS, IOU, similarity } from './similarities';

const BLOCK: usize = 96;

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
  // A best match reads rows by fours.
  aIn = allocate((<usize>rows + 4) << 4);
  aAnglesIn = allocate((<usize>rows + 4) << 2);
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

// bits of 2^57, and of 2^-50 less 1
const LARGE: i32 = 0x5c000000;
const SMALL: i32 = 0x267fffff;

// Whether every box is finite, not inside out, and neither so large nor so narrow that float32 products could leave their
// range.
export function plain(boxes: usize, count: i32): bool {
  let largest = i32x4.splat(0);
  let narrowest = i32x4.splat(-1);
  let signs = i32x4.splat(0);
  for (let at = boxes, end = boxes + (<usize>count << 4); at < end; at += 16) {
    const box = v128.load(at);
    const sides = f32x4.sub(v128.shuffle<f32>(box, box, 2, 3, 2, 3), v128.shuffle<f32>(box, box, 0, 1, 0, 1));
    largest = i32x4.max_s(largest, v128.and(box, i32x4.splat(0x7fffffff)));
    signs = v128.or(signs, sides);
    // Less 1: a side of 0 is none.
    narrowest = i32x4.min_u(narrowest, i32x4.sub(sides, i32x4.splat(1)));
  }
  const refused = v128.or(
    v128.or(i32x4.ge_s(largest, i32x4.splat(LARGE)), i32x4.lt_s(signs, i32x4.splat(0))),
    i32x4.lt_u(narrowest, i32x4.splat(SMALL)),
  );
  return !v128.any_true(refused);
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
      const value = similarity(
        metric,
        x1,
        y1,
        x2,
        y2,
        area,
        angle,
        v128.load(at),
        v128.load(at, 16),
        v128.load(at, 32),
        v128.load(at, 48),
        v128.load(at, 64),
        metric == CIOU ? v128.load(at, 80) : f32x4.splat(0),
        diagonalEps,
        alphaEps,
      );
      v128.store(to, value);
      to += 16;
    }
  }
}

// @ts-ignore: decorator
@inline
function bestOf(metric: i32, rows: i32, columns: i32, diagonal: f32, alpha: f32): void {
  const diagonalEps = f32x4.splat(diagonal);
  const alphaEps = f32x4.splat(alpha);
  // Rows beyond the last are whatever memory holds; their results are never read.
  for (let i = 0; i < rows; i += 4) {
    const box = aIn + (<usize>i << 4);
    const r0 = v128.load(box);
    const r1 = v128.load(box, 16);
    const r2 = v128.load(box, 32);
    const r3 = v128.load(box, 48);
    const starts = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const ends = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const moreStarts = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const moreEnds = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    const x1 = v128.shuffle<f32>(starts, moreStarts, 0, 1, 4, 5);
    const y1 = v128.shuffle<f32>(starts, moreStarts, 2, 3, 6, 7);
    const x2 = v128.shuffle<f32>(ends, moreEnds, 0, 1, 4, 5);
    const y2 = v128.shuffle<f32>(ends, moreEnds, 2, 3, 6, 7);
    const area = f32x4.mul(f32x4.sub(x2, x1), f32x4.sub(y2, y1));
    const angle = metric == CIOU ? v128.load(aAnglesIn + (<usize>i << 2)) : f32x4.splat(0);
    let best = f32x4.splat(-Infinity);
    let bestAt = i32x4.splat(-1);
    let areaAt = packed;
    let angleAt = bAnglesIn;
    for (let j = 0, at = bIn; j < columns; j++) {
      const value = similarity(
        metric,
        x1,
        y1,
        x2,
        y2,
        area,
        angle,
        v128.load32_splat(at),
        v128.load32_splat(at, 4),
        v128.load32_splat(at, 8),
        v128.load32_splat(at, 12),
        v128.load32_splat(areaAt),
        metric == CIOU ? v128.load32_splat(angleAt) : f32x4.splat(0),
        diagonalEps,
        alphaEps,
      );
      bestAt = v128.bitselect(i32x4.splat(j), bestAt, f32x4.gt(value, best));
      best = f32x4.pmax(best, value);
      at += 16;
      areaAt += 4;
      if (metric == CIOU) angleAt += 4;
    }
    v128.store(results + (<usize>i << 2), best);
    v128.store(resultIndices + (<usize>i << 2), bestAt);
  }
}

// Areas of the columns, one after the other: all that a best match packs.
export function packAreas(columns: i32): void {
  for (let j = 0; j < columns; j++) {
    const box = bIn + (<usize>j << 4);
    const area = (load<f32>(box, 8) - load<f32>(box)) * (load<f32>(box, 12) - load<f32>(box, 4));
    store<f32>(packed + (<usize>j << 2), area);
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
