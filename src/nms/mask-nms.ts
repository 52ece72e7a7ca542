/** Mask NMS: greedy suppression by the overlap of pixels. */
import { ShapeError } from '../errors.ts';
import { maskIou } from '../masks/mask-iou.ts';
import { rleToBoxes } from '../masks/rle-algebra.ts';
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
 * Throws {@link ShapeError} when masks and scores are not one each.
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
  const boxes = rleToBoxes(masks);
  return nmsBySimilarity(
    scores,
    (index, kept) => {
      const a = 4 * index;
      const b = 4 * kept;
      const touch =
        boxes[a]! < boxes[b + 2]! &&
        boxes[b]! < boxes[a + 2]! &&
        boxes[a + 1]! < boxes[b + 3]! &&
        boxes[b + 1]! < boxes[a + 3]!;
      return touch ? maskIou([masks[index]!], [masks[kept]!], { metric })[0]! : 0;
    },
    options,
  );
}
