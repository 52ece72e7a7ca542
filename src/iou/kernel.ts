/**
 * Where SIMD kernels join: for float32 boxes under lean conventions, {@link findKernel} may offer an implementation whose
 * results are bit for bit those of the generated float32 loop of the metric. Everything else runs the loops.
 */
import { useSimd } from '../kernels/backend.ts';
import { type IouKernelMetric, IouSimd, kernelMetrics } from '../kernels/iou.ts';
import { aspectAngle } from './formula/numeric.ts';

/** A whole job in one call, on row-major `x1,y1,x2,y2` float32 boxes. Results are written, never returned as views. */
export interface IouKernel {
  /**
   * `out[at + i * columns + j]` = similarity of box i of a and box j of b. `parameters` are the float32 loop's. False when
   * it cannot (out of memory, a box that float32 steps do not suit): the loops then run, for the whole call.
   */
  matrix(a: Float32Array, b: Float32Array, parameters: Float64Array, out: Float32Array, at: number): boolean;
  /**
   * Largest similarity of each row of a, and its column plus `indexOffset`, the lower at a tie, into `values[at …]` and
   * `indices[at …]`. There is at least one column.
   */
  best(
    a: Float32Array,
    b: Float32Array,
    parameters: Float64Array,
    indexOffset: number,
    values: Float32Array,
    indices: Int32Array,
    at: number,
  ): boolean;
}

const found = new Map<string, IouKernel>();

/** The per-box term of CIoU, rounded where its float32 loop rounds. */
function aspectAngles(boxes: Float32Array, angles: Float32Array): void {
  const { fround } = Math;
  for (let i = 0, at = 0; i < angles.length; i++, at += 4) {
    const width = fround(boxes[at + 2]! - boxes[at]!);
    angles[i] = aspectAngle(width, fround(boxes[at + 3]! - boxes[at + 1]!));
  }
}

/** The kernel of a metric, or null for the JavaScript loops. */
export function findKernel(metric: string): IouKernel | null {
  if (!kernelMetrics.includes(metric as IouKernelMetric) || !useSimd()) return null;
  let kernel = found.get(metric);
  if (kernel === undefined) {
    kernel = new IouSimd(metric as IouKernelMetric, metric === 'ciou' ? aspectAngles : undefined);
    found.set(metric, kernel);
  }
  return kernel;
}
