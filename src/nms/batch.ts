/** Greedy NMS of many images in one call. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';
import { pixelOffsetOf } from '../iou/conventions.ts';
import { countBoxes, requireClassIds } from './input.ts';
import { nms } from './nms.ts';
import type { NmsOptions, ScoreArray } from './types.ts';

export interface BatchSuppression {
  /** Indices into the boxes of all images, image by image, score-descending within one. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** Image k kept `indices[offsets[k] … offsets[k + 1])`. */
  readonly offsets: Uint32Array<ArrayBuffer>;
}

/**
 * {@link nms} of B images whose boxes lie one after the other: image k has boxes `offsets[k]` to `offsets[k + 1]`.
 *
 * `boxes` 4·N, `scores` N, `offsets` B + 1 ascending counts from 0 to N. Limits and thresholds hold for each image.
 * Throws {@link ShapeError} when the offsets do not cover the boxes.
 */
export function nmsBatch(
  boxes: BoxArray,
  scores: ScoreArray,
  offsets: ArrayLike<number>,
  options: NmsOptions = {},
): BatchSuppression {
  const count = countBoxes(boxes, scores);
  pixelOffsetOf(options);
  const { classIds, ...rest } = options;
  requireClassIds(classIds, count);
  const images = offsets.length - 1;
  if (images < 0 || offsets[0] !== 0 || offsets[images] !== count) {
    throw new ShapeError(
      `offsets: expected to go from 0 to ${count}, got ${offsets[0]} to ${offsets[images]}`,
    );
  }
  const keptOffsets = new Uint32Array(images + 1);
  const kept = new Uint32Array(count);
  let size = 0;
  for (let k = 0; k < images; k++) {
    const from = offsets[k]!;
    const to = offsets[k + 1]!;
    if (!Number.isInteger(to) || to < from) {
      throw new ShapeError(`offsets: expected ascending integers, got ${to} after ${from}`);
    }
    const ofImage = nms(boxes.subarray(4 * from, 4 * to), scores.subarray(from, to), {
      ...rest,
      ...(classIds === undefined ? {} : { classIds: classIds.subarray(from, to) }),
    });
    for (const index of ofImage) kept[size++] = from + index;
    keptOffsets[k + 1] = size;
  }
  return { indices: kept.slice(0, size), offsets: keptOffsets };
}
