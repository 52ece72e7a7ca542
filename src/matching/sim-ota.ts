/** SimOTA: the simplified optimal transport of YOLOX. */
import type { BoxArray } from '../boxes/types.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkCount, checkNumber, choiceOption } from '../options.ts';
import { centreOf, classCountOf, depth, visitAround } from './candidates.ts';
import { assignDynamicK, boundedLog, overlapsOf } from './dynamic-k.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { isAnchors, type PriorColumns, priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import type { Assignment, MatchOptions, MetricOptions, Predictions, Priors } from './types.ts';

export interface SimOtaOptions extends MatchOptions, Pick<MetricOptions, 'metric'> {
  readonly groundTruthClasses: ArrayLike<number>;
  /** Predicted boxes, and per class √(class probability · objectness) as YOLOX passes it. */
  readonly predictions: Predictions;
  /**
   * `'yolox'`: candidates have their centre strictly within radius·stride of a ground truth's centre, others cost 1e6
   * more; `'mmdetection'`: within that or inside the box, and 1e5 more unless both (so did YOLOX up to 0.3.0).
   * Default `'yolox'`.
   */
  readonly rule?: 'yolox' | 'mmdetection';
  /** In strides. Default 1.5 (`'yolox'`), 2.5 (`'mmdetection'`). */
  readonly radius?: number;
  /** How many overlaps decide how many priors a ground truth takes. Default 10. */
  readonly topk?: number;
  /** Default 1. */
  readonly classWeight?: number;
  /** Weight of −ln(overlap). Default 3. */
  readonly overlapWeight?: number;
}

/**
 * Each ground truth takes its k cheapest candidates, k = ⌊Σ of its 10 largest overlaps⌋ ≥ 1; cost = binary cross-entropy
 * of all classes − 3·ln(overlap) + a penalty away from the centre.
 *
 * `priors` are point priors (squares of the stride's side about the middle of each cell, {@link pointPriors}: YOLOX and
 * mmdetection's YOLOX head match there, though they decode from the corner) → one entry a prior; `overlaps` are those
 * of predictions with their ground truths. Costs are added in float32, where the penalty swallows small differences, as in
 * the references; equal costs go to the lower prior.
 *
 * Sources: Ge et al., "YOLOX", 2021; YOLOX `get_assignments`, mmdetection `SimOTAAssigner`.
 */
export function simOtaMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: SimOtaOptions,
): Assignment {
  const { rule = 'yolox', topk = 10, classWeight = 1, overlapWeight = 3, predictions } = options;
  choiceOption('rule', rule, ['yolox', 'mmdetection']);
  checkCount('topk', topk);
  const radius = checkNumber('radius', options.radius ?? (rule === 'yolox' ? 1.5 : 2.5), 0);
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  const classes = classCountOf(predictions, columns.count, options.groundTruthClasses);
  const result = assignmentFor(columns.count, options);
  const mask = ignoredPriors(columns, gts, options);
  const inner = rule === 'mmdetection';
  const region = regionOf(columns, isAnchors(priors), groundTruthBoxes, radius);
  const found = candidatesOf(columns, groundTruthBoxes, gts, mask, region, inner);
  const count = found.length;
  const overlaps = overlapsOf(groundTruthBoxes, gather(predictions.boxes, found, 4), options);
  const costs = new Float32Array(gts * count);
  const { fround } = Math;
  const [penalty, eps] = inner ? [1e5, 1e-7] : [1e6, 1e-8];
  for (let i = 0; i < count; i++) {
    const j = found[i]!;
    const row = predictions.scores.subarray(j * classes, (j + 1) * classes);
    // a cost that is not a number is never chosen
    let none = isNonFinite(predictions.boxes, 4 * j) ? Number.NaN : 0;
    for (let c = 0; c < classes; c++) none -= boundedLog(1 - row[c]!);
    for (let g = 0; g < gts; g++) {
      const p = row[options.groundTruthClasses[g]!]!;
      const classCost = none + boundedLog(1 - p) - boundedLog(p);
      const overlapCost = -Math.log(fround(overlaps[g * count + i]! + eps));
      const cost = fround(fround(classCost * classWeight) + fround(overlapCost * overlapWeight));
      const near = region.isNear(j, g);
      const fits = inner ? near && region.isInside(j, g) : near;
      costs[g * count + i] = fits ? cost : fround(cost + penalty);
    }
  }
  assignDynamicK({ priors: found, count, costs, overlaps }, gts, topk, result);
  ignoreUnmatched(result.gtIndices, mask);
  return finish(result, options);
}

interface Region {
  isNear(prior: number, gt: number): boolean;
  isInside(prior: number, gt: number): boolean;
  /** Half of the widest centre window. */
  readonly widest: number;
}

/** The window about a ground truth's centre, its size counted in the prior's stride (its side). */
function regionOf(
  { boxes, count, levels }: PriorColumns,
  generated: boolean,
  groundTruthBoxes: BoxArray,
  radius: number,
): Region {
  const { fround } = Math;
  let widest = 0;
  if (generated) for (const { hull } of levels!) widest = Math.max(widest, hull[2] - hull[0]);
  else for (let j = 0; j < count; j++) widest = Math.max(widest, boxes[4 * j + 2]! - boxes[4 * j]!);
  return {
    widest: widest * radius,
    isInside: (j, g) => depth(groundTruthBoxes, g, centreOf(boxes, j, 0), centreOf(boxes, j, 1)) > 0,
    isNear: (j, g) => {
      const reach = fround(radius * fround(boxes[4 * j + 2]! - boxes[4 * j]!));
      return (
        isWithin(centreOf(boxes, j, 0), centreOf(groundTruthBoxes, g, 0), reach) &&
        isWithin(centreOf(boxes, j, 1), centreOf(groundTruthBoxes, g, 1), reach)
      );
    },
  };
}

/** Whether |x − centre| < reach, in the float32 steps of the references. */
function isWithin(x: number, centre: number, reach: number): boolean {
  const { fround } = Math;
  return fround(x - fround(centre - reach)) > 0 && fround(fround(centre + reach) - x) > 0;
}

/** Priors near the centre of some ground truth, or (mmdetection) inside it. */
function candidatesOf(
  columns: PriorColumns,
  groundTruthBoxes: BoxArray,
  gts: number,
  mask: Uint8Array | null,
  region: Region,
  inner: boolean,
): Int32Array {
  const taken = new Uint8Array(columns.count);
  for (let g = 0; g < gts; g++) {
    if (isNonFinite(groundTruthBoxes, 4 * g)) continue;
    const x = centreOf(groundTruthBoxes, g, 0);
    const y = centreOf(groundTruthBoxes, g, 1);
    const visit = (j: number): void => {
      if (taken[j] === 1 || (mask !== null && mask[j] === 1)) return;
      if (region.isNear(j, g) || (inner && region.isInside(j, g))) taken[j] = 1;
    };
    const { widest } = region;
    visitAround(columns, x - widest, y - widest, x + widest, y + widest, visit);
    if (!inner) continue;
    const box = groundTruthBoxes.subarray(4 * g, 4 * g + 4);
    visitAround(columns, box[0]!, box[1]!, box[2]!, box[3]!, visit);
  }
  return setOf(taken);
}

/** Indices of the entries that are 1. */
export function setOf(flags: Uint8Array): Int32Array {
  let count = 0;
  for (const flag of flags) count += flag;
  const indices = new Int32Array(count);
  for (let j = 0, at = 0; j < flags.length; j++) if (flags[j] === 1) indices[at++] = j;
  return indices;
}

/** Rows of `width` numbers, in the order of the indices. */
export function gather<T extends BoxArray>(values: T, indices: Int32Array, width: number): T {
  const out = (
    values instanceof Float32Array
      ? new Float32Array(indices.length * width)
      : new Float64Array(indices.length * width)
  ) as T;
  indices.forEach((index, i) => {
    for (let k = 0; k < width; k++) out[i * width + k] = values[index * width + k]!;
  });
  return out;
}
