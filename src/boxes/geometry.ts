/** Area, clipping, scaling and hull of boxes in columns. */
import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { boxCount, checkSize, outputFor } from './check.ts';
import { convertBoxes, isNormalised } from './formats.ts';
import type { BoxArray, BoxFormat, Size } from './types.ts';

export interface BoxAreaOptions<T extends BoxArray = BoxArray> {
  /** Format of the boxes. Default `'xyxy'`. A normalised format gives areas in fractions of the image. */
  readonly format?: BoxFormat;
  /** Added to width and height: 1 for conventions that count pixels inclusively. Default 0. */
  readonly pixelOffset?: 0 | 1;
  /** Receives the N areas. */
  readonly out?: T;
}

/**
 * Width × height of each box (torchvision `box_area`): 4·N → N.
 *
 * Nothing is clamped: a box with one side flipped has a negative area, one with both flipped a positive one.
 *
 * @example
 * boxArea(new Float32Array([0, 0, 100, 50])); // [5000]
 */
export function boxArea<T extends BoxArray>(boxes: T, options: BoxAreaOptions<T> = {}): T {
  const { format = 'xyxy', pixelOffset = 0 } = options;
  isNormalised(format); // refuses an unknown format
  const count = boxCount(boxes);
  const out = outputFor(boxes, count, options.out);
  const sized = format.includes('wh');
  for (let i = 0; i < count; i++) {
    const width = sized ? boxes[4 * i + 2] : boxes[4 * i + 2] - boxes[4 * i];
    const height = sized ? boxes[4 * i + 3] : boxes[4 * i + 3] - boxes[4 * i + 1];
    out[i] = (width + pixelOffset) * (height + pixelOffset);
  }
  return out;
}

export interface ClipBoxesOptions<T extends BoxArray = BoxArray> {
  /** Format of the boxes, in and out. Default `'xyxy'`. */
  readonly format?: BoxFormat;
  /** Receives the result; may be the input itself. */
  readonly out?: T;
}

/**
 * Boxes clipped to the image: x into [0, width], y into [0, height] (torchvision `clip_boxes_to_image`).
 *
 * A box outside becomes one without area on the border, also in formats with width and height; NaN stays NaN. 4·N → 4·N.
 *
 * @example
 * clipBoxes(new Float32Array([-5, 10, 700, 90]), { width: 640, height: 480 }); // [0, 10, 640, 90]
 */
export function clipBoxes<T extends BoxArray>(boxes: T, size: Size, options: ClipBoxesOptions<T> = {}): T {
  const { format = 'xyxy' } = options;
  checkSize('image size', size);
  const normalised = isNormalised(format);
  const count = boxCount(boxes);
  const out = outputFor(boxes, boxes.length, options.out);
  const corners = normalised ? 'xyxyn' : 'xyxy';
  const { width, height } = normalised ? { width: 1, height: 1 } : size;
  convertBoxes(boxes, format, corners, { out });
  for (let i = 0; i < 4 * count; i += 4) {
    out[i] = Math.min(Math.max(out[i], 0), width);
    out[i + 1] = Math.min(Math.max(out[i + 1], 0), height);
    out[i + 2] = Math.min(Math.max(out[i + 2], 0), width);
    out[i + 3] = Math.min(Math.max(out[i + 3], 0), height);
  }
  return convertBoxes(out, corners, format, { out });
}

export interface ScaleBoxesOptions<T extends BoxArray = BoxArray> {
  /** Factor of the x axis. */
  readonly x: number;
  /** Factor of the y axis. Default: that of x. */
  readonly y?: number;
  /** `'origin'` scales the frame, `'centre'` each box about its own centre. Default `'origin'`. */
  readonly about?: 'origin' | 'centre';
  /** Format of the boxes, in and out. Default `'xyxy'`. */
  readonly format?: BoxFormat;
  readonly out?: T;
}

/**
 * Boxes multiplied by a factor an axis, about the origin or each about its centre: 4·N → 4·N.
 *
 * @example
 * scaleBoxes(new Float32Array([10, 10, 30, 20]), { x: 2 }); // [20, 20, 60, 40]
 * scaleBoxes(new Float32Array([10, 10, 30, 20]), { x: 2, about: 'centre' }); // [0, 5, 40, 25]
 */
export function scaleBoxes<T extends BoxArray>(boxes: T, options: ScaleBoxesOptions<T>): T {
  const { x, y = x, format = 'xyxy' } = options;
  if (!Number.isFinite(x) || !Number.isFinite(y)) {
    throw new OptionError(`expected finite scale factors, got ${x} and ${y}`, { x, y });
  }
  const about = choiceOption('about', options.about, ['origin', 'centre']);
  const normalised = isNormalised(format);
  const count = boxCount(boxes);
  const out = outputFor(boxes, boxes.length, options.out);
  const centred = normalised ? 'cxcywhn' : 'cxcywh';
  const swapped = format === 'yxyx' || format === 'yxyxn';
  if (about === 'origin') {
    const first = swapped ? y : x;
    const second = swapped ? x : y;
    for (let i = 0; i < 4 * count; i += 2) {
      out[i] = boxes[i] * first;
      out[i + 1] = boxes[i + 1] * second;
    }
    return out;
  }
  convertBoxes(boxes, format, centred, { out });
  for (let i = 0; i < 4 * count; i += 4) {
    out[i + 2] *= x;
    out[i + 3] *= y;
  }
  return convertBoxes(out, centred, format, { out });
}

/**
 * The smallest box around all boxes (xyxy), or null without any; boxes with a NaN coordinate are passed over.
 *
 * @example
 * boxHull(new Float32Array([0, 0, 10, 10, 5, 5, 20, 8])); // [0, 0, 20, 10]
 */
export function boxHull<T extends BoxArray>(boxes: T): T | null {
  const count = boxCount(boxes);
  const hull = outputFor(boxes, 4, undefined);
  let found = false;
  for (let i = 0; i < 4 * count; i += 4) {
    const x1 = boxes[i];
    const y1 = boxes[i + 1];
    const x2 = boxes[i + 2];
    const y2 = boxes[i + 3];
    if (Number.isNaN(x1 + y1 + x2 + y2)) continue;
    hull[0] = found ? Math.min(hull[0], x1) : x1;
    hull[1] = found ? Math.min(hull[1], y1) : y1;
    hull[2] = found ? Math.max(hull[2], x2) : x2;
    hull[3] = found ? Math.max(hull[3], y2) : y2;
    found = true;
  }
  return found ? hull : null;
}
