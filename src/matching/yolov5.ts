/** YOLOv5's and YOLOv7's matching: by the ratio of sizes, in the box's cell and its nearest neighbours. */

import type { Anchors } from '../anchors/types.ts';
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkNumber } from '../options.ts';
import { corners } from './geometry.ts';
import { isAnchors } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, pairsOf } from './results.ts';
import type { Assignment, MatchOptions, PairAssignment } from './types.ts';

export interface Yolov5MatchOptions extends Pick<MatchOptions, 'groundTruthClasses'> {
  /** Width and height may differ from the anchor's by less than this factor, either way. Default 4. */
  readonly anchorRatio?: number;
  /** Part of a cell within which the neighbour counts too: 0.5 (YOLOv5), 1 (YOLOv7's auxiliary head). Default 0.5. */
  readonly neighbourOffset?: number;
}

const { fround } = Math;

/**
 * Pairs of anchors and ground truths: an anchor fits a box when max(w/aw, aw/w, h/ah, ah/h) < `anchorRatio`; it is
 * matched in the cell of the box's centre and in the neighbours on the nearer sides that exist.
 *
 * `anchors` of {@link yoloAnchors} → pairs in the reference's order: levels, then the own cell, left, top, right, bottom,
 * then anchors, then ground truths. An anchor may occur several times: the loss counts all, of an objectness target the
 * last write stays ({@link lastMatch}).
 *
 * Source: ultralytics/yolov5 `ComputeLoss.build_targets`.
 */
export function yolov5Matcher(
  anchors: Anchors,
  groundTruthBoxes: BoxArray,
  options: Yolov5MatchOptions = {},
): PairAssignment {
  const { anchorRatio = 4, neighbourOffset = 0.5 } = options;
  checkNumber('anchorRatio', anchorRatio, 1);
  checkNumber('neighbourOffset', neighbourOffset, 0, 1);
  if (!isAnchors(anchors))
    throw new OptionError('yolov5Matcher needs anchors of a generator, which have levels');
  const gts = countGroundTruths(groundTruthBoxes, options);
  const priorIndices: number[] = [];
  const gtIndices: number[] = [];
  for (const { start, width, height, perCell, pitchX, pitchY } of anchors.levels) {
    const matched: (readonly [anchor: number, gt: number, x: number, y: number])[] = [];
    for (let a = 0; a < perCell; a++) {
      const [ax1, ay1, ax2, ay2] = corners(anchors.boxes, start + a);
      const anchorWidth = fround((ax2 - ax1) / pitchX);
      const anchorHeight = fround((ay2 - ay1) / pitchY);
      for (let g = 0; g < gts; g++) {
        if (isNonFinite(groundTruthBoxes, 4 * g)) continue;
        const [x1, y1, x2, y2] = corners(groundTruthBoxes, g);
        const wide = fround(fround((x2 - x1) / pitchX) / anchorWidth);
        const tall = fround(fround((y2 - y1) / pitchY) / anchorHeight);
        const worst = Math.max(wide, fround(1 / wide), tall, fround(1 / tall));
        if (worst < anchorRatio)
          matched.push([a, g, fround((x1 + x2) / 2 / pitchX), fround((y1 + y2) / 2 / pitchY)]);
      }
    }
    for (const [dx, dy] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
    ] as const) {
      for (const [a, g, x, y] of matched) {
        if (dx !== 0 && !isNear(dx > 0 ? x : fround(width - x), neighbourOffset)) continue;
        if (dy !== 0 && !isNear(dy > 0 ? y : fround(height - y), neighbourOffset)) continue;
        const column = Math.min(width - 1, Math.max(0, Math.trunc(fround(x - dx * neighbourOffset))));
        const row = Math.min(height - 1, Math.max(0, Math.trunc(fround(y - dy * neighbourOffset))));
        priorIndices.push(start + (row * width + column) * perCell + a);
        gtIndices.push(g);
      }
    }
  }
  return pairsOf(priorIndices, gtIndices, options);
}

/** Whether a centre, counted in cells from a side, lies near the neighbour on that side and there is one. */
function isNear(x: number, offset: number): boolean {
  return x % 1 < offset && x > 1;
}

/**
 * One ground truth a prior from pairs: the last one, as targets that are written one after the other. `overlaps` are 1
 * for matched priors.
 */
export function lastMatch(pairs: PairAssignment, count: number, options: MatchOptions = {}): Assignment {
  const result = assignmentFor(count, options);
  pairs.priorIndices.forEach((prior, i) => {
    result.gtIndices[prior] = pairs.gtIndices[i]!;
    result.overlaps[prior] = 1;
  });
  return finish(result, options);
}
