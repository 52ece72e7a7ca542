/** Similarity matrices: every box of one array with every box of another. */
import type { BoxArray } from '../boxes/types.ts';
import { type Batch, comparison, type IouOptions, imagesOf } from './comparison.ts';

export interface PairwiseOptions<T extends BoxArray = BoxArray> extends IouOptions {
  /** Receives the result in its first N·M numbers; a new 48 MB array costs more than computing it. */
  readonly out?: T;
  /** Boxes of several images in one call: only boxes of the same image are compared. */
  readonly batch?: Batch;
}

/**
 * Similarities of every box of `a` with every box of `b` (torchvision `box_iou`, `generalized_box_iou` …).
 *
 * `a` 4·N and `b` 4·M → N·M numbers, row-major: `result[i * M + j]` compares box i of a with box j of b. float32 in,
 * float32 out; float64 when either array is. With `batch`, one matrix after the other, N_k × M_k each.
 *
 * Two boxes without area have IoU 0. A box with a NaN or infinite coordinate has NaN everywhere. Corners are not
 * sorted: give x1 ≤ x2 and y1 ≤ y2, else a box has no intersection and the metric's other terms mean nothing. Throws {@link ShapeError} for lengths that are no multiple of 4,
 * {@link OptionError} for an unknown metric, format or preset or an `out` that is too short.
 *
 * @example
 * const a = new Float32Array([0, 0, 100, 100]);
 * const b = new Float32Array([0, 0, 50, 50, 200, 200, 300, 300]);
 * pairwiseIou(a, b); // [0.25, 0]
 * pairwiseIou(a, b, { metric: 'giou' }); // [0.25, -0.7778]
 */
export function pairwiseIou(
  a: Float32Array,
  b: Float32Array,
  options?: PairwiseOptions<Float32Array>,
): Float32Array;
export function pairwiseIou(a: BoxArray, b: BoxArray, options?: PairwiseOptions): BoxArray;
export function pairwiseIou(a: BoxArray, b: BoxArray, options: PairwiseOptions = {}): BoxArray {
  comparison.prepare(a, b, options);
  const { rows, columns } = comparison;
  const { batch } = options;
  if (batch === undefined) {
    const out = comparison.output(rows * columns, options.out);
    comparison.run(() => matrix(0, rows, 0, columns, out, 0));
    return out;
  }
  const images = imagesOf(batch, rows, columns);
  const cells = (k: number): number => (batch.a[k + 1]! - batch.a[k]!) * (batch.b[k + 1]! - batch.b[k]!);
  let length = 0;
  for (let k = 0; k < images; k++) length += cells(k);
  const out = comparison.output(length, options.out);
  comparison.run(() => {
    let at = 0;
    for (let k = 0; k < images; k++) {
      if (!matrix(batch.a[k]!, batch.a[k + 1]!, batch.b[k]!, batch.b[k + 1]!, out, at)) return false;
      at += cells(k);
    }
    return true;
  });
  return out;
}

/** False when the kernel refuses. */
function matrix(aFrom: number, aTo: number, bFrom: number, bTo: number, out: BoxArray, at: number): boolean {
  const columns = bTo - bFrom;
  const { kernel, metric } = comparison;
  if (kernel !== null && out instanceof Float32Array && columns > 0) {
    const a = comparison.a.subarray(4 * aFrom, 4 * aTo) as Float32Array;
    const b = comparison.b.subarray(4 * bFrom, 4 * bTo) as Float32Array;
    return kernel.matrix(a, b, metric.implementation.single!.parameters, out, at);
  }
  if (!comparison.pack()) return false;
  for (let i = aFrom; i < aTo; i++) comparison.row(i, bFrom, bTo, out, at + (i - aFrom) * columns);
  return true;
}
