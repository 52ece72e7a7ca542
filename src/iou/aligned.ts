/** Similarities of boxes taken in pairs. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';
import { comparison, type IouOptions } from './comparison.ts';

export interface AlignedOptions<T extends BoxArray = BoxArray> extends IouOptions {
  /** Receives the result in its first N numbers. */
  readonly out?: T;
}

/**
 * Similarity of box i of `a` with box i of `b`, for every i (mmdetection's `is_aligned=True`).
 *
 * `a` and `b` 4·N → N numbers; float32 in, float32 out, float64 when either array is. Degenerate boxes and errors as
 * {@link pairwiseIou}; two arrays of different length are a {@link ShapeError}.
 *
 * @example
 * alignedIou(new Float32Array([0, 0, 2, 2]), new Float32Array([0, 0, 2, 1])); // [0.5]
 */
export function alignedIou(
  a: Float32Array,
  b: Float32Array,
  options?: AlignedOptions<Float32Array>,
): Float32Array;
export function alignedIou(a: BoxArray, b: BoxArray, options?: AlignedOptions): BoxArray;
export function alignedIou(a: BoxArray, b: BoxArray, options: AlignedOptions = {}): BoxArray {
  comparison.prepare(a, b, options);
  const { rows, columns } = comparison;
  if (rows !== columns) {
    throw new ShapeError(`expected as many boxes in a as in b, got ${rows} and ${columns}`, {
      a: rows,
      b: columns,
    });
  }
  const out = comparison.output(rows, options.out);
  comparison.pack();
  for (let i = 0; i < rows; i++) comparison.row(i, i, i + 1, out, i);
  return out;
}
