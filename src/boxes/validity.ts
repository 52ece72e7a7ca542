/** Which boxes are fit to be used: large enough, finite, with their corners in order. */
import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { boxCount, outputFor } from './check.ts';
import { convertBoxes, isNormalised } from './formats.ts';
import type { BoxArray, BoxFormat } from './types.ts';

export interface ValidBoxesOptions {
  /** Least width and height. Default 0. */
  readonly minSize?: number;
  /**
   * `'>='` keeps a side of exactly `minSize` (torchvision `remove_small_boxes`); `'>'` does not (detectron2 `nonempty`,
   * mmdetection's RPN). Default `'>='`.
   */
  readonly comparator?: '>' | '>=';
  /** Format of the boxes. Default `'xyxy'`; in a normalised one `minSize` is a fraction of the image. */
  readonly format?: BoxFormat;
}

/**
 * 1 for each box that is finite in all coordinates and whose width and height reach `minSize`, else 0: 4·N → N.
 *
 * By default boxes without area are valid and flipped ones are not.
 *
 * @example
 * validBoxes(new Float32Array([0, 0, 2, 2, 0, 0, NaN, 2]), { minSize: 1 }); // Uint8Array [1, 0]
 */
export function validBoxes(boxes: BoxArray, options: ValidBoxesOptions = {}): Uint8Array<ArrayBuffer> {
  const { minSize = 0, format = 'xyxy' } = options;
  if (Number.isNaN(minSize)) throw new OptionError('expected minSize to be a number, got NaN', { minSize });
  const comparator = choiceOption('comparator', options.comparator, ['>=', '>']);
  const normalised = isNormalised(format);
  const count = boxCount(boxes);
  const valid = new Uint8Array(count);
  const sized = format.includes('wh');
  const strict = comparator === '>';
  const corners: BoxArray = sized
    ? convertBoxes(boxes, format, normalised ? 'xyxyn' : 'xyxy', {
        out: outputFor(boxes, 4 * count, undefined),
      })
    : boxes;
  for (let i = 0; i < count; i++) {
    const width = sized ? boxes[4 * i + 2] : boxes[4 * i + 2] - boxes[4 * i];
    const height = sized ? boxes[4 * i + 3] : boxes[4 * i + 3] - boxes[4 * i + 1];
    let finite = true;
    for (let k = 4 * i; k < 4 * i + 4; k++) finite &&= Number.isFinite(corners[k]);
    const large = strict ? width > minSize && height > minSize : width >= minSize && height >= minSize;
    valid[i] = finite && large ? 1 : 0;
  }
  return valid;
}

/**
 * Indices of the boxes whose width and height reach `minSize`, ascending (torchvision `remove_small_boxes`).
 *
 * Boxes with a NaN or infinite coordinate are removed too.
 *
 * @example
 * removeSmallBoxes(new Float32Array([0, 0, 9, 9, 0, 0, 1, 9]), { minSize: 2 }); // Uint32Array [0]
 */
export function removeSmallBoxes(
  boxes: BoxArray,
  options: ValidBoxesOptions & { readonly minSize: number },
): Uint32Array<ArrayBuffer> {
  const valid = validBoxes(boxes, options);
  const kept = new Uint32Array(valid.reduce((sum, flag) => sum + flag, 0));
  let next = 0;
  for (let i = 0; i < valid.length; i++) if (valid[i] === 1) kept[next++] = i;
  return kept;
}

/** Whether every coordinate of every box (4·N numbers of any format) is finite; true for none. */
export function areFinite(boxes: BoxArray): boolean {
  for (let i = 0; i < boxes.length; i++) if (!Number.isFinite(boxes[i])) return false;
  return true;
}
