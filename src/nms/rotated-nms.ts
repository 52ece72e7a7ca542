/** NMS of rotated boxes. */
import type { BoxArray } from '../boxes/types.ts';
import { type RotatedOptions, rotatedOverlap } from '../iou/rotated.ts';
import { nmsBySimilarity, type SimilarityNmsOptions } from './by-similarity.ts';
import { countBoxes } from './input.ts';
import type { ScoreArray } from './types.ts';

export interface RotatedNmsOptions extends SimilarityNmsOptions, RotatedOptions {}

/**
 * {@link nms} of N rotated boxes by the exact IoU of their rectangles, or by ProbIoU.
 *
 * `boxes` 4·N as the unrotated `x1,y1,x2,y2`, `angles` N, `scores` N. Returns kept indices, score-descending, ties by
 * lower index; a box with a number that is not finite is never kept. `comparator`: mmcv and detectron2 suppress at the
 * threshold on the CPU (`'>='`), above it on CUDA (`'>'`, the default here). Classes are exact; mmcv's `nms_rotated`
 * ignores its `labels`. Ultralytics' OBB rule is Fast NMS by ProbIoU with `'>='`.
 */
export function rotatedNms(
  boxes: BoxArray,
  angles: BoxArray,
  scores: ScoreArray,
  options: RotatedNmsOptions = {},
): Uint32Array<ArrayBuffer> {
  countBoxes(boxes, scores);
  const overlap = rotatedOverlap(boxes, angles, boxes, angles, options);
  const finite = scores.map((score, i) => {
    const at = 4 * i;
    const sum =
      boxes[at]! * 0 + boxes[at + 1]! * 0 + boxes[at + 2]! * 0 + boxes[at + 3]! * 0 + angles[i]! * 0;
    return sum === 0 ? score : Number.NaN;
  });
  return nmsBySimilarity(finite, overlap, options);
}
