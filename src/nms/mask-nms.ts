/** Mask NMS: greedy suppression by the overlap of pixels. */
import { ShapeError } from '../errors.ts';
import { boxesOverlap, maskIou } from '../masks/mask-iou.ts';
import { expectSameSize, rleToBoxes } from '../masks/rle-algebra.ts';
import type { Rle } from '../masks/types.ts';
import { choiceOption } from '../options.ts';
import { nmsBySimilarity, type SimilarityNmsOptions } from './by-similarity.ts';
import type { ScoreArray } from './types.ts';

export interface MaskNmsOptions extends SimilarityNmsOptions {
  /** `'iou'`, or `'ios'`: the intersection over the smaller mask. Default `'iou'`. */
  readonly overlap?: 'iou' | 'ios';
}

/**
 * {@link nms} of N run-length masks of one size by mask IoU, exact at full resolution (supervision's `mask_non_max_suppression`
 * shrinks masks to 640 pixels first). Masks whose boxes do not touch are not compared; an empty mask overlaps nothing.
 *
 * Throws {@link ShapeError} when masks and scores are not one each, or sizes differ.
 */
export function maskNms(
  masks: readonly Rle[],
  scores: ScoreArray,
  options: MaskNmsOptions = {},
): Uint32Array<ArrayBuffer> {
  if (!Array.isArray(masks) || masks.length !== scores.length) {
    throw new ShapeError(`masks: expected ${scores.length} (one a score), got ${masks?.length}`);
  }
  const metric = choiceOption('overlap', options.overlap, ['iou', 'ios']);
  for (const mask of masks) expectSameSize(masks[0]!, mask);
  const boxes = rleToBoxes(masks);
  return nmsBySimilarity(
    scores,
    (index, kept) =>
      boxesOverlap(boxes, 4 * index, boxes, 4 * kept)
        ? maskIou([masks[index]!], [masks[kept]!], { metric })[0]!
        : 0,
    options,
  );
}
