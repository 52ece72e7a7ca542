/**
 * Precision, recall and F1 as functions of the score threshold, and the threshold to use: the one with the best mean F1
 * over all classes (Ultralytics' rule), and each class's own.
 */

import { OptionError } from '../errors.ts';
import { orderByScore } from '../nms/order.ts';
import { checkOptionKinds, type OptionKinds } from '../options.ts';
import { type Assignment, assign } from './assign.ts';
import { type AveragePrecisionMethod, averagePrecision, interpolate } from './average-precision.ts';
import { categoryNames, expectRows, type Groups, groupRows, largestGroup } from './group.ts';
import { comparisonOf } from './similarity.ts';
import { type CocoDataset, type CocoResult, linspace } from './types.ts';

export interface ConfidenceOptions {
  /** Boxes or masks. Default `'bbox'`. */
  readonly type?: 'bbox' | 'segm';
  /** IoU from which a detection of the same class is right. Default 0.5. */
  readonly iouThreshold?: number;
  /** Default `'score'` (Ultralytics 8.4); `'first-proposal'` is the rule to 8.3. */
  readonly assignment?: Exclude<Assignment, 'pair'>;
  /** How `ap` is computed. Default `'101-point'`. */
  readonly method?: AveragePrecisionMethod;
  /** Number of score thresholds between 0 and 1. Default 1000. */
  readonly points?: number;
}

/** What a threshold gives. */
export interface OperatingPoint {
  /** Detections from this score on are kept. */
  readonly score: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface ConfidenceClass {
  readonly categoryId: number;
  readonly name: string;
  readonly objects: number;
  /** At each of `scores`; beyond the highest score precision is 1 and recall 0. */
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  readonly f1: Float64Array;
  /** At `operatingPoint.score`. */
  readonly atOperatingPoint: OperatingPoint;
  /** The score of a detection after which this class's own F1 is highest, the higher score of equals. */
  readonly best: OperatingPoint;
  /** Precision after each detection against recall: the points of the PR curve, best score first. */
  readonly curve: { readonly recall: Float64Array; readonly precision: Float64Array };
  /** Average precision of `curve`, by `method`. */
  readonly ap: number;
}

export interface ConfidenceCurves {
  /** Thresholds, from 0 to 1. */
  readonly scores: readonly number[];
  /** Classes that have objects. */
  readonly perClass: readonly ConfidenceClass[];
  /** Means over `perClass`. */
  readonly mean: {
    readonly precision: Float64Array;
    readonly recall: Float64Array;
    readonly f1: Float64Array;
  };
  /** Where the smoothed mean F1 is highest; the numbers are means at that score, not smoothed. */
  readonly operatingPoint: OperatingPoint;
}

const kinds: OptionKinds<ConfidenceOptions> = {
  type: 'string',
  iouThreshold: 'number',
  assignment: 'string',
  method: 'string',
  points: 'number',
};

/**
 * Curves over the score threshold. Classes without objects take no part; crowds are no objects.
 *
 * The curves interpolate linearly between the scores of detections, and the operating point smooths the mean F1 by a
 * box filter over a tenth of the points, both as Ultralytics does; `best` of a class is exact.
 *
 * @throws DatasetError where a row is malformed or refers to an unknown image
 *
 * Source: ultralytics `ap_per_class`, `smooth` and `match_predictions` (8.4.190; 8.3.63 with `assignment: 'first-proposal'`).
 */
export function confidenceCurves(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: ConfidenceOptions = {},
): ConfidenceCurves {
  checkOptionKinds('options of confidenceCurves', options, kinds);
  const {
    type = 'bbox',
    iouThreshold = 0.5,
    assignment = 'score',
    points = 1000,
    method = '101-point',
  } = options;
  if (!(Number.isInteger(points) && points >= 2)) {
    throw new OptionError(`points must be a whole number from 2, got ${points}`, { points });
  }
  expectRows(groundTruth, detections);
  const objects = { ...groundTruth, annotations: groundTruth.annotations.filter((row) => !row.iscrowd) };
  const groups = groupRows(objects, detections);
  const comparison = comparisonOf(groundTruth, groups, { type });
  const correct = correctDetections(groups, comparison.compare, iouThreshold, assignment);
  const names = categoryNames(groundTruth, groups.categoryIds);
  const scores = linspace(0, 1, points);
  const drafts = groups.categoryIds.flatMap((categoryId, k) => {
    const draft = classCurves(groups, k, correct, scores, method);
    return draft === undefined ? [] : [{ categoryId, name: names[k]!, ...draft }];
  });
  const meanOf = (key: 'precision' | 'recall' | 'f1'): Float64Array => {
    const mean = new Float64Array(points);
    for (const draft of drafts) for (let i = 0; i < points; i++) mean[i]! += draft[key][i]! / drafts.length;
    return mean;
  };
  const mean = { precision: meanOf('precision'), recall: meanOf('recall'), f1: meanOf('f1') };
  const at = drafts.length === 0 ? 0 : firstMaximum(smooth(mean.f1, 0.1));
  const pointOf = (curves: typeof mean): OperatingPoint => ({
    score: scores[at]!,
    precision: curves.precision[at]!,
    recall: curves.recall[at]!,
    f1: curves.f1[at]!,
  });
  return {
    scores,
    perClass: drafts.map((draft) => ({ ...draft, atOperatingPoint: pointOf(draft) })),
    mean,
    operatingPoint: pointOf(mean),
  };
}

/** 1 for each detection that is right. */
function correctDetections(
  groups: Groups,
  compare: (group: number, out: Float64Array) => void,
  threshold: number,
  assignment: Assignment,
): Uint8Array {
  const largest = largestGroup(groups);
  const similarities = new Float64Array(largest.pairs);
  const truthOf = new Int32Array(largest.detections);
  const correct = new Uint8Array(groups.detections.length);
  for (let g = 0; g < groups.images.length; g++) {
    const d0 = groups.detectionStarts[g]!;
    const detections = groups.detectionStarts[g + 1]! - d0;
    const truths = groups.truthStarts[g + 1]! - groups.truthStarts[g]!;
    if (truths === 0 || detections === 0) continue;
    compare(g, similarities);
    const input = {
      detections,
      truths,
      overlap: (d: number, t: number) => similarities[d * truths + t]!,
      fits: (value: number) => value >= threshold,
      sameClass: () => true,
    };
    assign(assignment, input, truthOf);
    for (let d = 0; d < detections; d++) if (truthOf[d]! >= 0) correct[d0 + d] = 1;
  }
  return correct;
}

/** Keeps the denominators above 0. */
const epsilon = 1e-16;

const f1Of = (precision: number, recall: number): number =>
  (2 * precision * recall) / (precision + recall + epsilon);

function classCurves(
  groups: Groups,
  k: number,
  correct: Uint8Array,
  thresholds: readonly number[],
  method: AveragePrecisionMethod,
): Omit<ConfidenceClass, 'categoryId' | 'name' | 'atOperatingPoint'> | undefined {
  const [g0, g1] = [groups.categoryStarts[k]!, groups.categoryStarts[k + 1]!];
  const objects = groups.truthStarts[g1]! - groups.truthStarts[g0]!;
  if (objects === 0) return undefined;
  const [d0, d1] = [groups.detectionStarts[g0]!, groups.detectionStarts[g1]!];
  const count = d1 - d0;
  const scores = groups.scores.subarray(d0, d1);
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const order = count === 0 ? all : orderByScore(scores, all);
  const curve = { recall: new Float64Array(count), precision: new Float64Array(count) };
  // numpy interpolates over rising x, so scores fall as −score rises
  const falling = new Float64Array(count);
  let hits = 0;
  let best: OperatingPoint = { score: Number.NaN, precision: 0, recall: 0, f1: 0 };
  order.forEach((i, n) => {
    hits += correct[d0 + i]!;
    falling[n] = -scores[i]!;
    curve.recall[n] = hits / (objects + epsilon);
    curve.precision[n] = hits / (n + 1);
    const f1 = f1Of(curve.precision[n]!, curve.recall[n]!);
    // detections of one score are kept or dropped together
    const isLast = n + 1 === count || scores[order[n + 1]!] !== scores[i];
    if (isLast && f1 > best.f1) {
      best = { score: scores[i]!, precision: curve.precision[n]!, recall: curve.recall[n]!, f1 };
    }
  });
  const sample = (values: Float64Array, beyond: number): Float64Array =>
    Float64Array.from(thresholds, (threshold) => {
      if (count === 0) return 0;
      return -threshold < falling[0]! ? beyond : interpolate(-threshold, falling, values);
    });
  const recall = sample(curve.recall, 0);
  const precision = sample(curve.precision, 1);
  return {
    objects,
    precision,
    recall,
    f1: precision.map((value, i) => f1Of(value, recall[i]!)),
    best,
    curve,
    ap: averagePrecision(curve.recall, curve.precision, method),
  };
}

/** Box filter over a fraction of the points, the ends repeated (ultralytics `smooth`). */
function smooth(values: Float64Array, fraction: number): Float64Array {
  const width = Math.floor(roundHalfEven(values.length * fraction * 2) / 2) + 1;
  const half = Math.floor(width / 2);
  const last = values.length - 1;
  // an even width leaves one value more
  return Float64Array.from({ length: values.length + 2 * half - width + 1 }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += values[Math.min(last, Math.max(0, i + j - half))]!;
    return sum / width;
  });
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function firstMaximum(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
