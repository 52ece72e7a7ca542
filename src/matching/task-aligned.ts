/** TaskAligned assignment: TOOD, YOLOv6, YOLOv8. Priors are ranked by how well class and box agree. */
import type { BoxArray } from '../boxes/types.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkCount, checkNumber, choiceOption } from '../options.ts';
import { centreOf, classCountOf, depth, visitAround } from './candidates.ts';
import { corners } from './geometry.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { matchMetric, PairSimilarities } from './overlap-scan.ts';
import { PriorColumns, priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import {
  type Measure,
  normaliseWeights,
  resolveClaims,
  type TaskAlignedRule,
  type TaskAlignedTable,
} from './task-aligned-conflicts.ts';
import type { Assignment, MatchOptions, MetricOptions, Predictions, Priors } from './types.ts';

export interface TaskAlignedOptions extends MatchOptions, MetricOptions {
  readonly groundTruthClasses: ArrayLike<number>;
  /** Predicted boxes in pixels and class probabilities. */
  readonly predictions: Predictions;
  /**
   * `'ultralytics'` (default) and `'mmyolo'` rank the priors inside a ground truth, `'mmdetection'` (TOOD) ranks all and
   * then drops those outside and those without alignment. See {@link taskAlignedMatcher}.
   */
  readonly rule?: TaskAlignedRule;
  /** Priors a ground truth takes. Default 10, mmdetection 13. */
  readonly topk?: number;
  /** Exponent of the class probability. Default 0.5, mmdetection 1. */
  readonly alpha?: number;
  /** Exponent of the overlap. Default 6. */
  readonly beta?: number;
  /** Pixels a prior's centre must lie inside, more than. Default 1e-9, mmdetection 0.01. */
  readonly insideMargin?: number;
}

const similarities = new PairSimilarities();
const predicted = new PriorColumns();

/**
 * Alignment t = sᵅ·overlapᵝ of the ground truth's class probability and the overlap of the predicted box. Each ground
 * truth takes its `topk` most aligned priors whose centres lie inside it; a prior that several take goes to the one its
 * prediction overlaps most.
 *
 * | | ultralytics | mmyolo | mmdetection |
 * |---|---|---|---|
 * | overlap | CIoU, at least 0 | IoU | IoU |
 * | ranked | inside; elsewhere t = 0 | inside; elsewhere t = 0 | all priors |
 * | positive with t = 0 | yes | yes | no |
 * | conflict | greatest overlap of all ground truths around it | greatest overlap of all ground truths | of those that take it |
 * | weight | t·max overlap/(max t + 1e-9) | … + 1e-7 | … + 1e-7 |
 *
 * `priors` N, `groundTruthBoxes` 4·G corners → one entry a prior; `weights` are the soft targets of the matched class.
 * Another `metric` replaces the overlap, cut at 0. Predictions that are not finite are never matched. Equal alignment: the lower prior, as `topk` would have it if it were
 * stable; so with fewer than `topk` aligned priors those of alignment 0 that come first are taken if they lie inside.
 *
 * Sources: Feng et al., "TOOD", ICCV 2021; ultralytics `TaskAlignedAssigner` 8.3, mmyolo `BatchTaskAlignedAssigner`,
 * mmdetection `TaskAlignedAssigner`.
 */
export function taskAlignedMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: TaskAlignedOptions,
): Assignment {
  const { rule = 'ultralytics', predictions, groundTruthClasses } = options;
  choiceOption('rule', rule, ['ultralytics', 'mmyolo', 'mmdetection']);
  const tood = rule === 'mmdetection';
  const { topk = tood ? 13 : 10, alpha = tood ? 1 : 0.5, beta = 6 } = options;
  const margin = Math.fround(options.insideMargin ?? (tood ? 0.01 : 1e-9));
  checkCount('topk', topk);
  checkNumber('alpha', alpha, 0);
  checkNumber('beta', beta, 0);
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  const { count, boxes } = columns;
  const classes = classCountOf(predictions, count, groundTruthClasses);
  const result = assignmentFor(count, options, true);
  const mask = ignoredPriors(columns, gts, options);
  const metric = matchMetric(
    options.metric === undefined && rule === 'ultralytics'
      ? { metric: 'ciou', metricPreset: 'ultralytics' }
      : options,
  );
  predicted.read(predictions.boxes, null);
  similarities.prepare(predicted, groundTruthBoxes, metric);
  const raise = power(beta);
  const raiseScore = power(alpha);
  const table: TaskAlignedTable = { starts: [0], priors: [], overlaps: [], alignments: [], taken: [] };
  const measure: Measure = (g, j) => {
    const found = similarities.pair(g, j);
    const overlap = found > 0 ? found : 0;
    const score = predictions.scores[j * classes + groundTruthClasses[g]!]!;
    const alignment = Math.fround(raiseScore(score) * raise(overlap));
    return { overlap, alignment: alignment > 0 ? alignment : 0 };
  };
  const free = (j: number): boolean => mask === null || mask[j] === 0;
  for (let g = 0; g < gts; g++) {
    const first = table.starts[g]!;
    const add = (j: number): void => {
      if (predicted.isNonFinite(j)) return;
      const { overlap, alignment } = measure(g, j);
      table.priors.push(j);
      table.overlaps.push(overlap);
      table.alignments.push(alignment);
      table.taken.push(0);
    };
    const isInside = (j: number): boolean =>
      depth(groundTruthBoxes, g, centreOf(boxes, j, 0), centreOf(boxes, j, 1)) > margin;
    if (isNonFinite(groundTruthBoxes, 4 * g)) {
      // matches nothing
    } else if (tood) {
      for (const j of overlapping(g, count)) if (free(j)) add(j);
    } else {
      visitAround(columns, ...corners(groundTruthBoxes, g), (j) => {
        if (free(j) && isInside(j)) add(j);
      });
    }
    takeBest(table, first, topk, tood ? isInside : null);
    table.starts.push(table.priors.length);
  }
  resolveClaims(table, gts, rule, result, measure);
  normaliseWeights(gts, rule === 'ultralytics' ? 1e-9 : 1e-7, result);
  ignoreUnmatched(result.gtIndices, mask);
  return finish(result, options);
}

/** Priors whose predictions overlap ground truth g at all. */
function overlapping(g: number, count: number): number[] {
  const found: number[] = [];
  const row = similarities.run(g, 0, count);
  for (let j = 0; j < count; j++) if (row[j]! > 0) found.push(j);
  return found;
}

/** Marks the `topk` most aligned of the rows from `first` on. `isInside` null: all rows are, and 0 may be taken. */
function takeBest(
  { priors, alignments, taken }: TaskAlignedTable,
  first: number,
  topk: number,
  isInside: ((prior: number) => boolean) | null,
): void {
  const best: number[] = [];
  for (let row = first; row < priors.length; row++) {
    const alignment = alignments[row]!;
    if (!(alignment > 0) || (best.length === topk && !(alignment > alignments[best[topk - 1]!]!))) continue;
    let at = best.length < topk ? best.push(row) - 1 : topk - 1;
    for (; at > 0 && alignments[best[at - 1]!]! < alignment; at--) best[at] = best[at - 1]!;
    best[at] = row;
  }
  for (const row of best) if (isInside === null || isInside(priors[row]!)) taken[row] = 1;
  if (isInside !== null || best.length === topk) return;
  // places left over go to the priors of alignment 0 with the lowest numbers, inside or not
  let left = topk - best.length;
  let aligned = 0;
  for (let row = first; row < priors.length && left > 0; row++) {
    if (alignments[row]! > 0) aligned++;
    else if (priors[row]! - aligned < left) taken[row] = 1;
    else left = 0;
  }
}

/** x to the power, without Math.pow for the usual exponents. */
function power(exponent: number): (x: number) => number {
  if (exponent === 6) {
    return (x) => {
      const cube = x * x * x;
      return cube * cube;
    };
  }
  if (exponent === 1) return (x) => x;
  if (exponent === 0.5) return Math.sqrt;
  return (x) => x ** exponent;
}
