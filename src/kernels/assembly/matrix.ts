// Float32 matrix products C += A·B by blocks: operands are staged row by row, packed into panels (4 rows of A, 8 columns
// of B, k running), and multiplied 4×8 at a time in eight vector accumulators.
//
// Whoever stages a block zeroes what it leaves of the padding: every extent here is a multiple of 8, so that nothing has an edge.
import { allocate, allocateFrom } from './memory';

/** Largest block: rows of A and C, columns of B and C, common extent. */
const ROWS: usize = 256;
const COLUMNS: usize = 512;
const DEPTH: usize = 256;

let staged: usize = 0;
let packedA: usize = 0;
let packedB: usize = 0;
let product: usize = 0;

// Lays the blocks out; returns where an operand is staged.
export function begin(): usize {
  allocateFrom((__heap_base + 63) & ~(<usize>63));
  staged = allocate((COLUMNS * DEPTH) << 2);
  packedA = allocate((ROWS * DEPTH) << 2);
  packedB = allocate((COLUMNS * DEPTH) << 2);
  product = allocate((ROWS * COLUMNS) << 2);
  return staged;
}

// The block of C, row-major, as wide as the block of B.
export function result(): usize {
  return product;
}

// Four lanes of a panel `width` wide from rows that run along k: a 4×4 transposition a step.
// @ts-ignore: decorator
@inline
function transpose(from: usize, to: usize, stride: usize, depth: usize, width: usize): void {
  for (let k: usize = 0; k < depth; k += 4) {
    const r0 = v128.load(from);
    const r1 = v128.load(from + stride);
    const r2 = v128.load(from + 2 * stride);
    const r3 = v128.load(from + 3 * stride);
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
    v128.store(to + width, v128.shuffle<f64>(low01, low23, 1, 3));
    v128.store(to + 2 * width, v128.shuffle<f64>(high01, high23, 0, 2));
    v128.store(to + 3 * width, v128.shuffle<f64>(high01, high23, 1, 3));
    from += 16;
    to += 4 * width;
  }
}

// Packs the staged block of A. `alongDepth`: its rows are rows of A; otherwise they are its columns.
export function packA(alongDepth: bool, rows: usize, depth: usize): void {
  const step = depth << 4;
  let to = packedA;
  if (alongDepth) {
    for (let i: usize = 0; i < rows; i += 4) {
      transpose(staged + ((i * depth) << 2), to, depth << 2, depth, 16);
      to += step;
    }
    return;
  }
  for (let i: usize = 0; i < rows; i += 4) {
    let from = staged + (i << 2);
    for (let k: usize = 0; k < depth; k++) {
      v128.store(to, v128.load(from));
      from += rows << 2;
      to += 16;
    }
  }
}

// Packs the staged block of B. `alongDepth`: its rows are columns of B; otherwise they are its rows.
export function packB(alongDepth: bool, columns: usize, depth: usize): void {
  const step = depth << 5;
  let to = packedB;
  if (alongDepth) {
    for (let j: usize = 0; j < columns; j += 8) {
      const from = staged + ((j * depth) << 2);
      transpose(from, to, depth << 2, depth, 32);
      transpose(from + (depth << 4), to + 16, depth << 2, depth, 32);
      to += step;
    }
    return;
  }
  for (let j: usize = 0; j < columns; j += 8) {
    let from = staged + (j << 2);
    for (let k: usize = 0; k < depth; k++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += columns << 2;
      to += 32;
    }
  }
}

// C += A·B for the packed blocks. A step of k is six loads, eight multiplications, eight additions; unrolled by hand, the
// engine would run out of registers.
export function multiply(rows: usize, columns: usize, depth: usize): void {
  const row = columns << 2;
  for (let j: usize = 0; j < columns; j += 8) {
    const panelB = packedB + ((j * depth) << 2);
    for (let i: usize = 0; i < rows; i += 4) {
      let a = packedA + ((i * depth) << 2);
      let b = panelB;
      const end = a + (depth << 4);
      const to0 = product + i * row + (j << 2);
      const to1 = to0 + row;
      const to2 = to1 + row;
      const to3 = to2 + row;
      let c00 = f32x4.splat(0);
      let c01 = f32x4.splat(0);
      let c10 = f32x4.splat(0);
      let c11 = f32x4.splat(0);
      let c20 = f32x4.splat(0);
      let c21 = f32x4.splat(0);
      let c30 = f32x4.splat(0);
      let c31 = f32x4.splat(0);
      while (a < end) {
        const left = v128.load(b);
        const right = v128.load(b, 16);
        let value = v128.load32_splat(a);
        c00 = f32x4.add(c00, f32x4.mul(value, left));
        c01 = f32x4.add(c01, f32x4.mul(value, right));
        value = v128.load32_splat(a, 4);
        c10 = f32x4.add(c10, f32x4.mul(value, left));
        c11 = f32x4.add(c11, f32x4.mul(value, right));
        value = v128.load32_splat(a, 8);
        c20 = f32x4.add(c20, f32x4.mul(value, left));
        c21 = f32x4.add(c21, f32x4.mul(value, right));
        value = v128.load32_splat(a, 12);
        c30 = f32x4.add(c30, f32x4.mul(value, left));
        c31 = f32x4.add(c31, f32x4.mul(value, right));
        a += 16;
        b += 32;
      }
      v128.store(to0, f32x4.add(v128.load(to0), c00));
      v128.store(to0, f32x4.add(v128.load(to0, 16), c01), 16);
      v128.store(to1, f32x4.add(v128.load(to1), c10));
      v128.store(to1, f32x4.add(v128.load(to1, 16), c11), 16);
      v128.store(to2, f32x4.add(v128.load(to2), c20));
      v128.store(to2, f32x4.add(v128.load(to2, 16), c21), 16);
      v128.store(to3, f32x4.add(v128.load(to3), c30));
      v128.store(to3, f32x4.add(v128.load(to3, 16), c31), 16);
    }
  }
}
