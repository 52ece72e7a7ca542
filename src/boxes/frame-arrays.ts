/** Arrays of boxes and points on their way through a {@link FrameTransform}: formats, strides, where the result goes. */
import { OptionError, ShapeError } from '../errors.ts';
import { outputFor } from './check.ts';
import { convertBoxes } from './formats.ts';
import type { BoxArray, BoxFormat, Size } from './types.ts';

export interface TransformBoxesOptions<T extends BoxArray = BoxArray> {
  /** Receives the result; may be the input itself. Default: a new array of the input's kind. */
  readonly out?: T;
  /** Format of the boxes, in and out; a normalised one refers to the frame on either side. Default `'xyxy'`. */
  readonly format?: BoxFormat;
}

export interface TransformPointsOptions<T extends BoxArray = BoxArray> {
  readonly out?: T;
  /** Numbers a point: 2 for x, y; 3 for keypoints x, y, visibility (copied). Default 2. */
  readonly stride?: number;
}

/** The boxes as xyxy pixels of `frame`, in the array that will become the result. */
export function openFrame<T extends BoxArray>(boxes: T, options: TransformBoxesOptions<T>, frame: Size): T {
  const out = outputFor(boxes, boxes.length, options.out);
  return convertBoxes(boxes, options.format ?? 'xyxy', 'xyxy', { ...frame, out });
}

/** Gives the boxes their format back. */
export function closeFrame<T extends BoxArray>(out: T, options: TransformBoxesOptions<T>, frame: Size): T {
  return convertBoxes(out, 'xyxy', options.format ?? 'xyxy', { ...frame, out });
}

/** The stride, and the array that takes the result. Throws {@link OptionError} and {@link ShapeError}. */
export function checkPoints<T extends BoxArray>(
  points: T,
  options: TransformPointsOptions<T>,
): { readonly stride: number; readonly out: T } {
  const { stride = 2 } = options;
  if (!Number.isInteger(stride) || stride < 2) {
    throw new OptionError(`expected stride to be a whole number ≥ 2, got ${stride}`, { stride });
  }
  if (points.length % stride !== 0) {
    throw new ShapeError(`expected points of length ${stride}·N, got ${points.length}`, {
      stride,
      got: points.length,
    });
  }
  return { stride, out: outputFor(points, points.length, options.out) };
}
