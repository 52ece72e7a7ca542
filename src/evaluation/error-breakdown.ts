/**
 * Where average precision is lost: every false positive and every miss gets one cause, and each cause is worth the AP
 * that repairing it alone would gain (TIDE).
 *
 * A detection that is no true positive is, in this order: a localisation error (right class, IoU between the
 * background's threshold and the match's), a classification error (another class at the match's IoU), a duplicate, of
 * the background, or both (wrong class and badly placed). A truth that no detection found and no repair would give back
 * is missed.
 */

import { orderByScore } from '../nms/order.ts';
import { checkOptionKinds, type OptionKinds } from '../options.ts';
import { envelopeOf, stepMean } from './average-precision.ts';
import { type Groups, groupRows, largestGroup } from './group.ts';
import { comparisonOf } from './similarity.ts';
import type { CocoDataset, CocoResult } from './types.ts';

/** In TIDE's order. */
export const errorTypes = [
  'classification',
  'localization',
  'both',
  'duplicate',
  'background',
  'missed',
] as const;
export type ErrorType = (typeof errorTypes)[number];

export interface ErrorBreakdownOptions {
  /** Boxes or masks. Default `'bbox'`. */
  readonly type?: 'bbox' | 'segm';
  /** IoU of a match. Default 0.5. */
  readonly iouThreshold?: number;
  /** IoU up to which a detection shows background. Default 0.1. */
  readonly backgroundThreshold?: number;
  /** Detections of an image over all classes, best scores first. Default 100. */
  readonly maxDetections?: number;
}

export interface ErrorBreakdown {
  /** Mean over classes of the 101-point AP at `iouThreshold`; a class with detections alone counts 0. */
  readonly ap: number;
  readonly counts: Readonly<Record<ErrorType, number>>;
  /** AP gained by repairing errors of this type alone, from 0 to 1. */
  readonly deltaAp: Readonly<Record<ErrorType, number>>;
  /** AP gained when no false positive outranks a true one. */
  readonly falsePositives: number;
  /** AP gained when no object is missed. */
  readonly falseNegatives: number;
}

/** What a detection adds to its class's curve. */
interface Point {
  readonly category: number;
  readonly score: number;
  readonly correct: boolean;
}

interface ImageError {
  readonly type: ErrorType;
  /** The point as it is; undefined for a truth, and for a detection in an ignored region. */
  readonly original: Point | undefined;
  /** The point once repaired; undefined where it goes away. */
  readonly repaired: () => Point | undefined;
  /** Class of a missed truth, which repairing takes out of the count. */
  readonly missed?: number;
}

const kinds: OptionKinds<ErrorBreakdownOptions> = {
  type: 'string',
  iouThreshold: 'number',
  backgroundThreshold: 'number',
  maxDetections: 'number',
};

/**
 * Error breakdown of detections against COCO ground truth; crowds are regions in which detections are ignored.
 *
 * Equal to tidecv 1.0.1 (which takes images in the order of the file; here they go by ascending id, which matters where
 * scores tie across images).
 *
 * @throws DatasetError where a row is malformed or refers to an unknown image
 *
 * Source: Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020.
 */
export function errorBreakdown(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: ErrorBreakdownOptions = {},
): ErrorBreakdown {
  checkOptionKinds('options of errorBreakdown', options, kinds);
  const { type = 'bbox', iouThreshold = 0.5, backgroundThreshold = 0.1, maxDetections = 100 } = options;
  const groups = groupRows(groundTruth, detections, { classAgnostic: true, largest: maxDetections });
  const comparison = comparisonOf(groundTruth, groups, { type });
  const similarities = new Float64Array(largestGroup(groups).pairs);
  const categories = groups.categoryIds.length;
  const objects = new Int32Array(categories);
  const unfound = new Int32Array(categories);
  const found: Point[] = [];
  const points: Point[] = [];
  const errors: ImageError[] = [];
  for (let g = 0; g < groups.images.length; g++) {
    comparison.compare(g, similarities);
    const image = matchImage(groups, g, similarities, iouThreshold);
    for (const t of image.truths) objects[groups.truthCategories[t]!]!++;
    for (const [n, d] of image.detections.entries()) {
      if (image.state[n] === 'ignored') continue;
      const point = {
        category: groups.detectionCategories[d]!,
        score: groups.scores[d]!,
        correct: image.state[n] === 'correct',
      };
      points.push(point);
      if (point.correct) found.push(point);
    }
    explain(groups, image, iouThreshold, backgroundThreshold, errors);
    for (const [m, t] of image.truths.entries()) {
      if (!image.found[m]) unfound[groups.truthCategories[t]!]!++;
    }
  }

  const ap = meanAp(points, objects);
  const counts = {} as Record<ErrorType, number>;
  const deltaAp = {} as Record<ErrorType, number>;
  for (const error of errorTypes) {
    const left = objects.slice();
    const repaired: Point[] = [];
    counts[error] = 0;
    for (const entry of errors) {
      const mine = entry.type === error;
      const point = mine ? entry.repaired() : entry.original;
      if (point !== undefined) repaired.push(point);
      if (mine) {
        counts[error]++;
        if (entry.missed !== undefined) left[entry.missed]!--;
      }
    }
    // a repair that loses AP is an artefact of the 101 points
    deltaAp[error] = Math.max(0, meanAp([...repaired, ...found], left) - ap);
  }
  const originals = [...errors.flatMap(({ original }) => original ?? []), ...found];
  return {
    ap,
    counts,
    deltaAp,
    falsePositives:
      meanAp(
        originals.map((point) => ({ ...point, score: point.correct ? 1 : 0 })),
        objects,
      ) - ap,
    falseNegatives:
      meanAp(
        originals,
        objects.map((count, k) => count - unfound[k]!),
      ) - ap,
  };
}

interface MatchedImage {
  /** Rows of the detections, best score first, and of the truths that count. */
  readonly detections: readonly number[];
  readonly truths: readonly number[];
  readonly state: readonly ('correct' | 'wrong' | 'ignored')[];
  readonly found: readonly boolean[];
  /** IoU of detection n and truth m. */
  readonly iou: (n: number, m: number) => number;
}

/** Each detection, best first, takes the free truth of its class that it overlaps most. */
function matchImage(groups: Groups, g: number, similarities: Float64Array, threshold: number): MatchedImage {
  const range = (starts: Uint32Array): number[] =>
    Array.from({ length: starts[g + 1]! - starts[g]! }, (_, i) => starts[g]! + i);
  const all = range(groups.truthStarts);
  const detections = range(groups.detectionStarts);
  const firstTruth = groups.truthStarts[g]!;
  const truths = all.filter((t) => !groups.truths[t]!.iscrowd);
  const regions = all.filter((t) => groups.truths[t]!.iscrowd);
  const at = (n: number, t: number): number => similarities[n * all.length + t - firstTruth]!;
  const sameClass = (d: number, t: number): boolean =>
    groups.detectionCategories[d] === groups.truthCategories[t];
  const found = truths.map(() => false);
  const state = detections.map((d, n) => {
    let best = 0;
    let match = -1;
    truths.forEach((t, m) => {
      if (!found[m] && sameClass(d, t) && at(n, t) > best) {
        best = at(n, t);
        match = m;
      }
    });
    if (match >= 0 && best >= threshold) {
      found[match] = true;
      return 'correct' as const;
    }
    const ignored = regions.some((t) => sameClass(d, t) && at(n, t) > threshold);
    return ignored ? ('ignored' as const) : ('wrong' as const);
  });
  return { detections, truths, state, found, iou: (n, m) => at(n, truths[m]!) };
}

/** Appends the causes of an image's false positives, then its missed truths. */
function explain(
  groups: Groups,
  image: MatchedImage,
  threshold: number,
  background: number,
  errors: ImageError[],
): void {
  const { truths, found, iou } = image;
  // the best detection that a repair would give each truth; they come in falling score
  const repairs = truths.map(() => -1);
  const none = () => undefined;
  image.detections.forEach((d, n) => {
    if (image.state[n] === 'correct') return;
    const category = groups.detectionCategories[d]!;
    const score = groups.scores[d]!;
    const original = image.state[n] === 'wrong' ? { category, score, correct: false } : undefined;
    const [same, other] = [maximum(), maximum()];
    let duplicate = 0;
    truths.forEach((t, m) => {
      const value = iou(n, m);
      if (groups.truthCategories[t] !== category) other.offer(value, m);
      else {
        same.offer(value, m);
        if (found[m]) duplicate = Math.max(duplicate, value);
      }
    });
    const repairable = (type: ErrorType, m: number, to: number): void => {
      if (!found[m] && (repairs[m] === -1 || groups.scores[repairs[m]!]! < score)) repairs[m] = d;
      errors.push({
        type,
        original,
        repaired: () => (!found[m] && repairs[m] === d ? { category: to, score, correct: true } : undefined),
      });
    };
    if (same.value >= background && same.value <= threshold) repairable('localization', same.at, category);
    else if (other.value >= threshold) {
      repairable('classification', other.at, groups.truthCategories[truths[other.at]!]!);
    } else if (duplicate >= threshold) errors.push({ type: 'duplicate', original, repaired: none });
    else {
      const type = Math.max(same.value, other.value) <= background ? 'background' : 'both';
      errors.push({ type, original, repaired: none });
    }
  });
  truths.forEach((t, m) => {
    if (!found[m] && repairs[m] === -1) {
      errors.push({
        type: 'missed',
        original: undefined,
        repaired: none,
        missed: groups.truthCategories[t]!,
      });
    }
  });
}

/** Largest value offered, the first of equals; 0 without any. */
function maximum(): { value: number; at: number; offer(value: number, at: number): void } {
  return {
    value: 0,
    at: -1,
    offer(value, at) {
      if (this.at === -1 || value > this.value) {
        this.value = value;
        this.at = at;
      }
    },
  };
}

/** TIDE's recalls; COCO's own, i · 0.01, differ from them in the last bit. */
const hundredths = /* @__PURE__ */ Array.from({ length: 101 }, (_, i) => i / 100);

/** Mean of the 101-point AP over the classes with points or objects; ties in score in the order of the points. */
function meanAp(points: readonly Point[], objects: Int32Array): number {
  const byClass: Point[][] = Array.from(objects, () => []);
  for (const point of points) byClass[point.category]!.push(point);
  let sum = 0;
  let classes = 0;
  byClass.forEach((list, k) => {
    if (list.length === 0 && objects[k] === 0) return;
    classes++;
    if (objects[k] === 0) return;
    const scores = Float64Array.from(list, ({ score }) => score);
    const order =
      list.length === 0
        ? []
        : orderByScore(
            scores,
            Uint32Array.from(list, (_, i) => i),
          );
    const recall = new Float64Array(list.length);
    const precision = new Float64Array(list.length);
    let hits = 0;
    order.forEach((i, n) => {
      if (list[i]!.correct) hits++;
      precision[n] = hits / (n + 1);
      recall[n] = hits / objects[k]!;
    });
    sum += stepMean(recall, envelopeOf(precision), hundredths);
  });
  return classes === 0 ? 0 : sum / classes;
}
