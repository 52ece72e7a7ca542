/** YOLOv2's and YOLOv3's matching: the anchor of most similar shape, in the cell of the box's centre. */

import { sizeIou } from '../anchors/fit.ts';
import type { Anchors } from '../anchors/types.ts';
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { bestMatch } from '../iou/best-match.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkNumber } from '../options.ts';
import { corners } from './geometry.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { isAnchors, priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import { type Assignment, ignored, type MatchOptions, type Predictions } from './types.ts';

export interface BestAnchorOptions extends MatchOptions {
  /** Also match other anchors of the cell whose shape IoU exceeds this (darknet `iou_thresh`; YOLOv4 0.213). Default 1: none. */
  readonly shapeThreshold?: number;
  /** Predicted boxes: those that overlap some ground truth are not background, see `predictionThreshold`. */
  readonly predictions?: Pick<Predictions, 'boxes'>;
  /** Unmatched anchors whose prediction has a greater IoU than this are ignored. Default 0.7 (YOLOv3); YOLOv2 0.6. */
  readonly predictionThreshold?: number;
}

/**
 * Each ground truth takes, of all levels' anchors, the one whose width and height fit best when both are centred, in the
 * cell its centre lies in; a later ground truth overwrites an earlier one. A centre outside the map takes none.
 *
 * `overlaps` are the shape IoU of matches. Anchors of all levels need one order of sizes a cell, as every generator has.
 *
 * Sources: Redmon and Farhadi, "YOLO9000", CVPR 2017, and "YOLOv3", 2018; darknet `region_layer.c`, `yolo_layer.c`.
 */
export function bestAnchorMatcher(
  anchors: Anchors,
  groundTruthBoxes: BoxArray,
  options: BestAnchorOptions = {},
): Assignment {
  const { shapeThreshold = 1, predictions, predictionThreshold = 0.7 } = options;
  checkNumber('shapeThreshold', shapeThreshold, 0);
  if (!isAnchors(anchors)) {
    throw new OptionError('bestAnchorMatcher needs anchors of a generator, which have levels');
  }
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(anchors);
  const result = assignmentFor(columns.count, options);
  const { gtIndices, overlaps } = result;
  for (let g = 0; g < gts; g++) {
    if (isNonFinite(groundTruthBoxes, 4 * g)) continue;
    const [x1, y1, x2, y2] = corners(groundTruthBoxes, g);
    let best = -1;
    let bestShape = 0;
    const assign = (prior: number, shape: number): void => {
      if (prior < 0) return;
      gtIndices[prior] = g;
      overlaps[prior] = shape;
    };
    const others: [number, number][] = [];
    for (const { start, width, height, perCell, pitchX, pitchY } of anchors.levels) {
      const column = Math.floor((x1 + x2) / 2 / pitchX);
      const row = Math.floor((y1 + y2) / 2 / pitchY);
      const outside = column < 0 || row < 0 || column >= width || row >= height;
      for (let a = 0; a < perCell; a++) {
        const [ax1, ay1, ax2, ay2] = corners(anchors.boxes, start + a);
        const shape = sizeIou(x2 - x1, y2 - y1, ax2 - ax1, ay2 - ay1);
        const prior = outside ? -1 : start + (row * width + column) * perCell + a;
        if (shape > shapeThreshold) others.push([prior, shape]);
        if (shape > bestShape) {
          best = prior;
          bestShape = shape;
        }
      }
    }
    if (bestShape > 0) assign(best, bestShape);
    for (const [prior, shape] of others) assign(prior, shape);
  }
  if (predictions !== undefined)
    ignorePredicted(gtIndices, groundTruthBoxes, predictions, predictionThreshold);
  ignoreUnmatched(gtIndices, ignoredPriors(columns, gts, options));
  return finish(result, options);
}

function ignorePredicted(
  gtIndices: Int32Array,
  groundTruthBoxes: BoxArray,
  { boxes }: Pick<Predictions, 'boxes'>,
  threshold: number,
): void {
  if (boxes.length !== 4 * gtIndices.length) {
    throw new ShapeError(`expected ${gtIndices.length} predicted boxes, got ${boxes.length / 4}`, {
      expected: gtIndices.length,
      got: boxes.length / 4,
    });
  }
  const { values } = bestMatch(boxes, groundTruthBoxes);
  for (let j = 0; j < gtIndices.length; j++) {
    if (gtIndices[j]! < 0 && values[j]! > threshold) gtIndices[j] = ignored;
  }
}
