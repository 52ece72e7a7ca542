/** Uniform matching: YOLOF gives every ground truth the same number of priors. */

import { convertBoxes } from '../boxes/formats.ts';
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { bestMatch } from '../iou/best-match.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkCount, checkNumber } from '../options.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { matchMetric, PairSimilarities } from './overlap-scan.ts';
import { priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import {
  type Assignment,
  background,
  ignored,
  type MatchOptions,
  type MetricOptions,
  type Predictions,
  type Priors,
} from './types.ts';

export interface UniformOptions extends MatchOptions, MetricOptions {
  /** Predicted boxes. */
  readonly predictions: Pick<Predictions, 'boxes'>;
  /** Nearest predictions, and nearest priors, a ground truth takes. Default 4 of each. */
  readonly matchTimes?: number;
  /** A matched prior below this similarity is ignored instead. Default 0.15. */
  readonly positiveIgnore?: number;
  /** An unmatched prior whose prediction exceeds this with some ground truth is ignored. Default 0.7. */
  readonly negativeIgnore?: number;
}

const similarities = new PairSimilarities();
const { fround } = Math;

/**
 * Each ground truth takes the `matchTimes` predictions and as many priors nearest in the L1 distance of `cx, cy, w, h`.
 *
 * `priors` N, `groundTruthBoxes` 4·G corners → one entry a prior; `overlaps` are those of priors with the ground truths
 * they were last considered for. Where several want a prior, the last in the reference's order has it: rank by rank, all
 * ground truths' predictions, then all their priors. Equal distance: the lower prior.
 *
 * Sources: Chen et al., "YOLOF", CVPR 2021; mmdetection `UniformAssigner`.
 */
export function uniformMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: UniformOptions,
): Assignment {
  const { predictions, matchTimes = 4, positiveIgnore = 0.15, negativeIgnore = 0.7 } = options;
  checkCount('matchTimes', matchTimes);
  checkNumber('positiveIgnore', positiveIgnore, 0);
  checkNumber('negativeIgnore', negativeIgnore, 0);
  if (predictions === undefined) throw new OptionError('uniformMatcher needs predictions');
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  const { count, boxes } = columns;
  if (predictions.boxes.length !== 4 * count) {
    throw new ShapeError(`expected predicted boxes of ${count} priors, got ${predictions.boxes.length / 4}`, {
      expected: count,
      got: predictions.boxes.length / 4,
    });
  }
  const result = assignmentFor(count, options);
  const { gtIndices, overlaps } = result;
  const mask = ignoredPriors(columns, gts, options);
  if (gts === 0 || count === 0) {
    ignoreUnmatched(gtIndices, mask);
    return finish(result, options);
  }
  const metric = matchMetric(options);
  const { values } = bestMatch(predictions.boxes, groundTruthBoxes, { metric: options.metric ?? 'iou' });
  for (let j = 0; j < count; j++) if (values[j]! > fround(negativeIgnore)) gtIndices[j] = ignored;
  similarities.prepare(columns, groundTruthBoxes, metric);
  const ground = convertBoxes(groundTruthBoxes, 'xyxy', 'cxcywh');
  const byPrediction = nearestBoxes(convertBoxes(predictions.boxes, 'xyxy', 'cxcywh'), ground, matchTimes);
  const byPrior = nearestBoxes(convertBoxes(boxes, 'xyxy', 'cxcywh'), ground, matchTimes);
  for (let rank = 0; rank < matchTimes; rank++) {
    for (const lists of [byPrediction, byPrior]) {
      for (let g = 0; g < gts; g++) {
        const j = lists[g]?.[rank];
        if (j === undefined || isNonFinite(groundTruthBoxes, 4 * g)) continue;
        const similarity = similarities.pair(g, j);
        gtIndices[j] = similarity < fround(positiveIgnore) ? ignored : g;
        overlaps[j] = Math.max(0, similarity);
      }
    }
  }
  if (mask !== null) for (let j = 0; j < count; j++) if (mask[j] === 1) gtIndices[j] = background;
  ignoreUnmatched(gtIndices, mask);
  return finish(result, options);
}

/** For each ground truth the `k` boxes of least L1 distance, nearest first; both `cx, cy, w, h`. */
function nearestBoxes(boxes: BoxArray, ground: BoxArray, k: number): number[][] {
  const found: number[][] = [];
  for (let g = 0; g < ground.length; g += 4) {
    const list: number[] = [];
    const distances: number[] = [];
    for (let j = 0; j < boxes.length / 4; j++) {
      let distance = 0;
      for (let axis = 0; axis < 4; axis++) {
        distance = fround(distance + Math.abs(fround(boxes[4 * j + axis]! - ground[g + axis]!)));
      }
      if (!(distance < Number.POSITIVE_INFINITY)) continue;
      if (list.length === k && !(distance < distances[k - 1]!)) continue;
      let at = list.length < k ? list.push(j) - 1 : k - 1;
      for (; at > 0 && distances[at - 1]! > distance; at--) {
        distances[at] = distances[at - 1]!;
        list[at] = list[at - 1]!;
      }
      distances[at] = distance;
      list[at] = j;
    }
    found.push(list);
  }
  return found;
}
