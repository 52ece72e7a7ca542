/** The shapes a COCO annotation's `segmentation` comes in, as masks. */
import { rleFromPolygons } from './polygon.ts';
import { rleFromCoco } from './rle-string.ts';
import type { CocoRle, Rle } from './types.ts';

/** What a COCO annotation's `segmentation` may hold: polygons, or run lengths of either form. */
export type CocoSegmentation = CocoRle | readonly ArrayLike<number>[];

/** Whether a parsed JSON value has the two parts of run lengths; what is in them is not looked at. */
export function isCocoRle(value: unknown): value is CocoRle {
  const { size, counts } = (value ?? {}) as Partial<CocoRle>;
  return size?.length === 2 && counts?.length !== undefined;
}

/**
 * Mask of a COCO annotation's `segmentation` in an image of `[height, width]` (pycocotools `COCO.annToRLE`); several
 * polygons are united.
 */
export function rleFromSegmentation(
  segmentation: CocoSegmentation,
  size: readonly [height: number, width: number],
): Rle {
  return 'counts' in segmentation ? rleFromCoco(segmentation) : rleFromPolygons(segmentation, size);
}
