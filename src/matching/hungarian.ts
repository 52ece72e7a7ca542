/** DETR's matching: each ground truth gets one query, at the least total cost of class, box and overlap. */

import { checkSize } from '../boxes/check.ts';
import { convertBoxes } from '../boxes/formats.ts';
import type { BoxArray, Size } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { countBoxes } from '../iou/pack.ts';
import { pairwiseIou } from '../iou/pairwise.ts';
import type { Metric } from '../iou/types.ts';
import { checkCount } from '../options.ts';
import { linearAssignment } from './linear-assignment.ts';
import { assignmentFor, countGroundTruths, finish } from './results.ts';
import type { Assignment, MatchOptions } from './types.ts';

export interface HungarianOptions extends Pick<MatchOptions, 'groundTruthClasses' | 'out'> {
  /** Queries·classes logits, row-major (DETR's include the class "no object"). Default: classes do not count. */
  readonly logits?: BoxArray;
  /** `'softmax'`: −p (DETR); `'focal'`: the difference of the focal losses (Deformable DETR on). Default `'focal'`. */
  readonly classCost?: 'softmax' | 'focal';
  /** Default 2; DETR 1. */
  readonly classWeight?: number;
  /** Weight of the L1 distance of `cx, cy, w, h` in units of the image. Default 5. */
  readonly boxWeight?: number;
  /** Weight of −similarity. Default 2. */
  readonly overlapWeight?: number;
  /** Default `'giou'`. */
  readonly metric?: Metric;
  /** The image all boxes lie in; default: boxes are in units of the image already. */
  readonly image?: Size;
  /** Focal cost: Default 0.25. */
  readonly alpha?: number;
  /** Focal cost: Default 2. */
  readonly gamma?: number;
  /** Added within the logarithms of the focal cost. Default 1e-8; mmdetection 1e-12. */
  readonly eps?: number;
}

/** Weights of the detectors. */
export const hungarianPresets = {
  detr: { classCost: 'softmax', classWeight: 1, boxWeight: 5, overlapWeight: 2 },
  /** Deformable DETR, DINO, RT-DETR. */
  'deformable-detr': { classCost: 'focal', classWeight: 2, boxWeight: 5, overlapWeight: 2 },
} as const satisfies Record<string, HungarianOptions>;

/**
 * One query a ground truth, min(queries, ground truths) pairs in all.
 *
 * `queryBoxes` 4·Q predicted corners, `groundTruthBoxes` 4·G corners → one entry a query: its ground truth or −1;
 * `overlaps` are the similarities of pairs (0 below 0). A query whose cost is NaN or infinite (a box or a logit that is
 * not finite) is never matched, where scipy throws.
 *
 * Sources: Carion et al., "DETR", ECCV 2020; Zhu et al., "Deformable DETR", ICLR 2021; `HungarianMatcher` of both;
 * RT-DETR. The solver is {@link linearAssignment}.
 */
export function hungarianMatcher(
  queryBoxes: BoxArray,
  groundTruthBoxes: BoxArray,
  options: HungarianOptions = {},
): Assignment {
  return match(queryBoxes, groundTruthBoxes, 1, options);
}

/**
 * The same with every ground truth `k` times, so that each gets k queries, or as many as there are for each. Source:
 * mmdetection `TopkHungarianAssigner` (DDQ); hybrid one-to-many training.
 */
export function topkHungarianMatcher(
  queryBoxes: BoxArray,
  groundTruthBoxes: BoxArray,
  { k, ...options }: HungarianOptions & { readonly k: number },
): Assignment {
  return match(queryBoxes, groundTruthBoxes, checkCount('k', k), options);
}

function match(
  queryBoxes: BoxArray,
  groundTruthBoxes: BoxArray,
  wanted: number,
  options: HungarianOptions,
): Assignment {
  const queries = countBoxes(queryBoxes, 'queryBoxes');
  const gts = countGroundTruths(groundTruthBoxes, options);
  const repeats = Math.max(1, Math.min(wanted, Math.floor(queries / gts)));
  const result = assignmentFor(queries, options);
  if (queries === 0 || gts === 0) return result;
  const similarities = pairwiseIou(Float64Array.from(queryBoxes), Float64Array.from(groundTruthBoxes), {
    metric: options.metric ?? 'giou',
  });
  const costs = hungarianCosts(queryBoxes, groundTruthBoxes, similarities, options);
  const columns = gts * repeats;
  const repeated = repeats === 1 ? costs : new Float64Array(queries * columns);
  if (repeats > 1) {
    for (let q = 0; q < queries; q++) {
      const row = costs.subarray(q * gts, (q + 1) * gts);
      for (let r = 0; r < repeats; r++) repeated.set(row, q * columns + r * gts);
    }
  }
  const pairs = linearAssignment(repeated, queries, columns);
  pairs.rows.forEach((query, i) => {
    const gt = pairs.columns[i]! % gts;
    result.gtIndices[query] = gt;
    result.overlaps[query] = Math.max(0, similarities[query * gts + gt]!);
  });
  return finish(result, options);
}

/** Queries·ground truths costs, row-major. */
function hungarianCosts(
  queryBoxes: BoxArray,
  groundTruthBoxes: BoxArray,
  similarities: BoxArray,
  options: HungarianOptions,
): Float64Array {
  const { classWeight = 2, boxWeight = 5, overlapWeight = 2, image = { width: 1, height: 1 } } = options;
  checkSize('image', image);
  const queries = queryBoxes.length / 4;
  const gts = groundTruthBoxes.length / 4;
  const a = convertBoxes(Float64Array.from(queryBoxes), 'xyxy', 'cxcywh');
  const b = convertBoxes(Float64Array.from(groundTruthBoxes), 'xyxy', 'cxcywh');
  const scales = [1 / image.width, 1 / image.height];
  const costs = new Float64Array(queries * gts);
  for (let q = 0; q < queries; q++) {
    for (let g = 0; g < gts; g++) {
      let distance = 0;
      for (let k = 0; k < 4; k++) distance += Math.abs(a[4 * q + k]! - b[4 * g + k]!) * scales[k % 2]!;
      costs[q * gts + g] = boxWeight * distance - overlapWeight * similarities[q * gts + g]!;
    }
  }
  if (options.logits !== undefined) addClassCosts(costs, queries, gts, classWeight, options);
  return costs;
}

function addClassCosts(
  costs: Float64Array,
  queries: number,
  gts: number,
  weight: number,
  { logits, groundTruthClasses, classCost = 'focal', alpha = 0.25, gamma = 2, eps = 1e-8 }: HungarianOptions,
): void {
  if (groundTruthClasses === undefined) throw new OptionError('logits need groundTruthClasses');
  if (logits!.length % queries !== 0) {
    throw new ShapeError(`expected logits of ${queries}·classes numbers, got ${logits!.length}`, {
      queries,
      got: logits!.length,
    });
  }
  const classes = logits!.length / queries;
  for (let g = 0; g < gts; g++) checkClass(groundTruthClasses[g]!, classes);
  for (let q = 0; q < queries; q++) {
    const row = logits!.subarray(q * classes, (q + 1) * classes);
    let highest = Number.NEGATIVE_INFINITY;
    let sum = 0;
    if (classCost === 'softmax') {
      for (const logit of row) highest = Math.max(highest, logit);
      for (const logit of row) sum += Math.exp(logit - highest);
    }
    for (let g = 0; g < gts; g++) {
      const logit = row[groundTruthClasses[g]!]!;
      const p = classCost === 'softmax' ? Math.exp(logit - highest) / sum : 1 / (1 + Math.exp(-logit));
      const cost =
        classCost === 'softmax'
          ? -p
          : alpha * (1 - p) ** gamma * -Math.log(p + eps) - (1 - alpha) * p ** gamma * -Math.log(1 - p + eps);
      costs[q * gts + g]! += weight * cost;
    }
  }
}

/** Throws {@link OptionError} for a class that the scores have no column for. */
export function checkClass(label: number, classes: number): void {
  if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
    throw new OptionError(`groundTruthClasses must lie in 0 … ${classes - 1}, got ${label}`, {
      label,
      classes,
    });
  }
}
