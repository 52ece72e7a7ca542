/** Overlap of run-length masks (pycocotools `iou`), found on the runs; pairs whose boxes are apart cost nothing. */
import { expectLength } from '../boxes/check.ts';
import { choiceOption } from '../options.ts';
import { checkRle } from './rle.ts';
import { expectSameSize, rleArea, rleToBoxes } from './rle-algebra.ts';
import type { Rle } from './types.ts';

export interface MaskIouOptions {
  /**
   * Intersection over the union (`'iou'`), over the area of the mask of `a` (`'iof'`), or over the smaller of the two
   * (`'ios'`). Default `'iou'`.
   */
  readonly metric?: 'iou' | 'iof' | 'ios';
  /** M flags: a crowd among `b` may be covered in part, so it is compared by `'iof'` (COCO's `iscrowd`). */
  readonly crowd?: ArrayLike<number | boolean>;
  /** Receives the N·M values. */
  readonly out?: Float64Array;
}

/**
 * Overlap of every mask of `a` (detections) with every mask of `b` (ground truth): N×M, row-major, in float64.
 *
 * Equal to pycocotools' `iou(dt, gt, iscrowd)` to the last bit. Empty masks overlap nothing (0). Throws
 * `ShapeError` when sizes differ, runs do not sum to them, or `crowd` has another length. O(N·M·runs) in the worst case.
 */
export function maskIou(a: readonly Rle[], b: readonly Rle[], options: MaskIouOptions = {}): Float64Array {
  const { crowd } = options;
  const metric = choiceOption('metric', options.metric, ['iou', 'iof', 'ios']);
  const length = a.length * b.length;
  const out = options.out ?? new Float64Array(length);
  expectLength('crowd', crowd?.length ?? b.length, b.length);
  expectLength('out', out.length, length);
  a.forEach(checkRle);
  b.forEach(checkRle);
  const boxesA = rleToBoxes(a);
  const boxesB = rleToBoxes(b);
  const areasA = a.map(rleArea);
  const areasB = b.map(rleArea);
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      expectSameSize(a[i], b[j]);
      const at = i * b.length + j;
      out[at] = 0;
      if (!boxesOverlap(boxesA, 4 * i, boxesB, 4 * j)) continue;
      const intersection = commonPixels(a[i].counts, b[j].counts);
      if (intersection === 0) continue;
      const own = crowd?.[j] ? 'iof' : metric;
      const over =
        own === 'iou'
          ? areasA[i] + areasB[j] - intersection
          : own === 'iof'
            ? areasA[i]
            : Math.min(areasA[i], areasB[j]);
      out[at] = intersection / over;
    }
  }
  return out;
}

/** Whether the box that begins at `i` and the one that begins at `j` have an area in common. */
export function boxesOverlap(a: Float32Array, i: number, b: Float32Array, j: number): boolean {
  return (
    Math.min(a[i + 2], b[j + 2]) > Math.max(a[i], b[j]) &&
    Math.min(a[i + 3], b[j + 3]) > Math.max(a[i + 1], b[j + 1])
  );
}

function commonPixels(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  let i = 0;
  let j = 0;
  let leftA = a[0];
  let leftB = b[0];
  while (i < a.length && j < b.length) {
    const step = Math.min(leftA, leftB);
    if (i & j & 1) common += step;
    leftA -= step;
    leftB -= step;
    if (leftA === 0) leftA = a[++i];
    if (leftB === 0) leftB = b[++j];
  }
  return common;
}
