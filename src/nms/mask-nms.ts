/** Mask NMS: greedy suppression by the overlap of pixels. */
import { ShapeError } from '../errors.ts';
import { maskIou } from '../masks/mask-iou.ts';
import { rleArea, rleToBoxes } from '../masks/rle-algebra.ts';
import type { Rle } from '../masks/types.ts';
import { nmsBySimilarity, type SimilarityNmsOptions } from './by-similarity.ts';
import { choiceOption } from './input.ts';
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
  const overSmaller = choiceOption('overlap', options.overlap, ['iou', 'ios']) === 'ios';
  const boxes = rleToBoxes(masks);
  const areas = masks.map(rleArea);
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
      if (!touch) return 0;
      const iou = maskIou([masks[index]!], [masks[kept]!])[0]!;
      if (!overSmaller || iou === 0) return iou;
      const total = areas[index]! + areas[kept]!;
      return (iou * total) / (1 + iou) / Math.min(areas[index]!, areas[kept]!);
    },
    options,
  );
}
