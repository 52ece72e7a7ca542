/** Dynamic soft labels: the matching of RTMDet and NanoDet-Plus. */

import type { BoxArray } from '../boxes/types.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkCount, checkNumber } from '../options.ts';
import { centreOf, classCountOf, depth, visitAround } from './candidates.ts';
import { assignDynamicK, overlapsOf } from './dynamic-k.ts';
import { corners } from './geometry.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import { gather, setOf } from './sim-ota.ts';
import type { Assignment, MatchOptions, MetricOptions, Predictions, Priors } from './types.ts';

export interface DynamicSoftLabelOptions extends MatchOptions, Pick<MetricOptions, 'metric'> {
  readonly groundTruthClasses: ArrayLike<number>;
  /** Predicted boxes and class *logits*. */
  readonly predictions: Predictions;
  /** How many overlaps decide how many priors a ground truth takes. Default 13. */
  readonly topk?: number;
  /** Distance in strides from which on a prior's cost grows beyond 1. Default 3. */
  readonly softCenterRadius?: number;
  /** Weight of −ln(overlap). Default 3. */
  readonly overlapWeight?: number;
}

/**
 * Candidates lie inside a ground truth; cost = soft-label cross-entropy with the overlap as the label, scaled by the
 * squared difference, − 3·ln(overlap) + 10^(distance/stride − 3); then as SimOTA with `topk` 13.
 *
 * `priors` are point priors (squares of the stride's side) → one entry a prior. Equal costs go to the lower prior.
 *
 * Sources: Lyu et al., "RTMDet", 2022; mmdetection `DynamicSoftLabelAssigner`.
 */
export function dynamicSoftLabelMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: DynamicSoftLabelOptions,
): Assignment {
  const { topk = 13, softCenterRadius = 3, overlapWeight = 3, predictions, groundTruthClasses } = options;
  checkCount('topk', topk);
  checkNumber('softCenterRadius', softCenterRadius, 0);
  const { fround } = Math;
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  const classes = classCountOf(predictions, columns.count, groundTruthClasses);
  const result = assignmentFor(columns.count, options);
  const mask = ignoredPriors(columns, gts, options);
  const taken = new Uint8Array(columns.count);
  const { boxes } = columns;
  for (let g = 0; g < gts; g++) {
    if (isNonFinite(groundTruthBoxes, 4 * g)) continue;
    visitAround(columns, ...corners(groundTruthBoxes, g), (j) => {
      if (mask !== null && mask[j] === 1) return;
      if (depth(groundTruthBoxes, g, centreOf(boxes, j, 0), centreOf(boxes, j, 1)) > 0) taken[j] = 1;
    });
  }
  const found = setOf(taken);
  const count = found.length;
  const overlaps = overlapsOf(groundTruthBoxes, gather(predictions.boxes, found, 4), options);
  const costs = new Float32Array(gts * count);
  for (let i = 0; i < count; i++) {
    const j = found[i]!;
    const row = predictions.scores.subarray(j * classes, (j + 1) * classes);
    const stride = boxes[4 * j + 2]! - boxes[4 * j]!;
    // a cost that is not a number is never chosen
    let none = isNonFinite(predictions.boxes, 4 * j) ? Number.NaN : 0;
    for (let c = 0; c < classes; c++) {
      const p = sigmoid(row[c]!);
      none += softplus(row[c]!) * p * p;
    }
    for (let g = 0; g < gts; g++) {
      const overlap = overlaps[g * count + i]!;
      const logit = row[groundTruthClasses[g]!]!;
      const p = sigmoid(logit);
      const own = (softplus(logit) - logit * overlap) * (overlap - p) ** 2;
      const classCost = none - softplus(logit) * p ** 2 + own;
      const dx = fround(centreOf(boxes, j, 0) - centreOf(groundTruthBoxes, g, 0));
      const dy = fround(centreOf(boxes, j, 1) - centreOf(groundTruthBoxes, g, 1));
      const away = 10 ** (Math.sqrt(dx * dx + dy * dy) / stride - softCenterRadius);
      costs[g * count + i] = classCost - overlapWeight * Math.log(fround(overlap + 1e-7)) + away;
    }
  }
  assignDynamicK({ priors: found, count, costs, overlaps }, gts, topk, result);
  ignoreUnmatched(result.gtIndices, mask);
  return finish(result, options);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** ln(1 + eˣ): the cross-entropy of a logit with the label 0. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
