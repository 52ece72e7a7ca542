/**
 * The three products every classifier loss needs, row-major: A·Bᵀ forward, G·B and Gᵀ·A backward.
 *
 * float64 columns multiply in float64; float32 columns go to the SIMD kernel where it runs.
 */
import { useSimd } from '../../kernels/backend.ts';
import { type MatrixFactor, matrixKernel } from '../../kernels/matrix.ts';
import type { FloatArray } from '../common.ts';

/** Multiplications from which copying into kernel memory pays. */
const WORTH_IT = 16_384;

/** Runs the kernel where all three are float32, SIMD runs and the size is worth it; false: the loops below run. */
function multiplied(
  left: FloatArray,
  leftAlongDepth: boolean,
  right: FloatArray,
  rightAlongDepth: boolean,
  rows: number,
  columns: number,
  depth: number,
  out: FloatArray,
  accumulate: boolean,
): boolean {
  if (rows * columns * depth < WORTH_IT || !useSimd()) return false;
  if (!(left instanceof Float32Array && right instanceof Float32Array && out instanceof Float32Array))
    return false;
  const factor = (values: Float32Array, alongDepth: boolean): MatrixFactor => ({ values, alongDepth });
  return matrixKernel({
    left: factor(left, leftAlongDepth),
    right: factor(right, rightAlongDepth),
    rows,
    columns,
    depth,
    out,
    accumulate,
  });
}

/** out[n × m] = a[n × d] · b[m × d]ᵀ. */
export function multiplyTransposed(
  a: FloatArray,
  b: FloatArray,
  n: number,
  m: number,
  d: number,
  out: FloatArray,
): void {
  if (multiplied(a, true, b, true, n, m, d, out, false)) return;
  for (let j = 0; j < m; j += 4) {
    const width = Math.min(4, m - j);
    for (let i = 0; i < n; i++) {
      const row = i * d;
      if (width === 4) {
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        let s3 = 0;
        const b0 = j * d;
        const b1 = b0 + d;
        const b2 = b1 + d;
        const b3 = b2 + d;
        for (let k = 0; k < d; k++) {
          const value = a[row + k]!;
          s0 += value * b[b0 + k]!;
          s1 += value * b[b1 + k]!;
          s2 += value * b[b2 + k]!;
          s3 += value * b[b3 + k]!;
        }
        const at = i * m + j;
        out[at] = s0;
        out[at + 1] = s1;
        out[at + 2] = s2;
        out[at + 3] = s3;
      } else {
        for (let jj = j; jj < m; jj++) {
          let sum = 0;
          for (let k = 0; k < d; k++) sum += a[row + k]! * b[jj * d + k]!;
          out[i * m + jj] = sum;
        }
      }
    }
  }
}

/** out[n × d] += g[n × m] · b[m × d]. */
export function addProduct(
  g: FloatArray,
  b: FloatArray,
  n: number,
  m: number,
  d: number,
  out: FloatArray,
): void {
  if (multiplied(g, true, b, false, n, d, m, out, true)) return;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const factor = g[i * m + j]!;
      if (factor === 0) continue;
      const from = j * d;
      const to = i * d;
      for (let k = 0; k < d; k++) out[to + k]! += factor * b[from + k]!;
    }
  }
}

/** out[m × d] += g[n × m]ᵀ · a[n × d]. */
export function addTransposedProduct(
  g: FloatArray,
  a: FloatArray,
  n: number,
  m: number,
  d: number,
  out: FloatArray,
): void {
  if (multiplied(g, false, a, false, m, d, n, out, true)) return;
  for (let i = 0; i < n; i++) {
    const from = i * d;
    for (let j = 0; j < m; j++) {
      const factor = g[i * m + j]!;
      if (factor === 0) continue;
      const to = j * d;
      for (let k = 0; k < d; k++) out[to + k]! += factor * a[from + k]!;
    }
  }
}
