/**
 * Pascal VOC's average precision: per class at one IoU threshold, each detection compared with the object it overlaps
 * most and with no other, difficult objects neither counted nor punished.
 */
import { OptionError } from '../errors.ts';
import { orderByScore } from '../nms/order.ts';
import { checkOptionKinds, choiceOption, type OptionKinds } from '../options.ts';
import { type AveragePrecisionMethod, averagePrecision } from './average-precision.ts';
import { categoryNames, type Groups, groupRows } from './group.ts';
import { boxColumn } from './similarity.ts';
import type { CocoDataset, CocoResult } from './types.ts';

export interface VocOptions {
  /** Default 0.5. */
  readonly iouThreshold?: number;
  /** `'11-point'` (VOC 2007) or `'all-point'` (since 2010, default); the other methods are at hand too. */
  readonly method?: AveragePrecisionMethod;
  /** Whether an IoU of exactly the threshold is a match. Default `'>'` (py-faster-rcnn, detectron2); MATLAB `'>='`. */
  readonly comparator?: '>' | '>=';
  /**
   * 1 for boxes whose width and height leave out the last pixel (`xmax − xmin` of VOC's files, as the devkit reads them);
   * default 0, for boxes as wide as they are.
   */
  readonly pixelOffset?: 0 | 1;
}

export interface VocClassResult {
  readonly categoryId: number;
  readonly name: string;
  /** Objects that count: not `difficult`. */
  readonly objects: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  /** −1 without objects. */
  readonly ap: number;
  /** After each detection that counts, best score first. */
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  readonly scores: Float64Array;
}

export interface VocEvaluation {
  /** Mean of `ap` over the classes with objects; −1 without any. */
  readonly map: number;
  readonly perClass: readonly VocClassResult[];
}

const kinds: OptionKinds<VocOptions> = {
  iouThreshold: 'number',
  method: 'string',
  comparator: 'string',
  pixelOffset: 'number',
};

/**
 * VOC average precision of COCO-style rows (boxes xywh). `difficult`, `ignore` or `iscrowd` marks objects to be
 * ignored. A second detection of an object is a false positive; ties in score go by image id, then in file order.
 *
 * @throws DatasetError where a row is malformed or refers to an unknown image
 *
 * Source: Everingham et al., IJCV 2010; py-faster-rcnn `voc_eval`.
 */
export function evaluateVoc(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: VocOptions = {},
): VocEvaluation {
  checkOptionKinds('options of evaluateVoc', options, kinds);
  const { method = 'all-point', comparator = '>', iouThreshold = 0.5, pixelOffset = 0 } = options;
  choiceOption('comparator', comparator, ['>', '>=']);
  if (!(iouThreshold >= 0 && iouThreshold <= 1)) {
    throw new OptionError(`iouThreshold must be between 0 and 1, got ${iouThreshold}`, { iouThreshold });
  }
  const groups = groupRows(groundTruth, detections);
  const marks = matchVoc(groups, iouThreshold, comparator === '>=', pixelOffset);
  const names = categoryNames(groundTruth, groups.categoryIds);
  const perClass = groups.categoryIds.map((categoryId, k): VocClassResult => {
    const [g0, g1] = [groups.categoryStarts[k]!, groups.categoryStarts[k + 1]!];
    const [d0, d1] = [groups.detectionStarts[g0]!, groups.detectionStarts[g1]!];
    let objects = 0;
    for (let t = groups.truthStarts[g0]!; t < groups.truthStarts[g1]!; t++) {
      if (!isDifficult(groups.truths[t]!)) objects++;
    }
    const scores = groups.scores.subarray(d0, d1);
    const order = orderByScore(
      scores,
      Uint32Array.from({ length: d1 - d0 }, (_, i) => i).filter((i) => marks[d0 + i] !== IGNORED),
    );
    const recall = new Float64Array(order.length);
    const precision = new Float64Array(order.length);
    let hits = 0;
    order.forEach((i, n) => {
      if (marks[d0 + i] === HIT) hits++;
      recall[n] = objects === 0 ? 0 : hits / objects;
      precision[n] = hits / (n + 1);
    });
    return {
      categoryId,
      name: names[k]!,
      objects,
      truePositives: hits,
      falsePositives: order.length - hits,
      ap: objects === 0 ? -1 : averagePrecision(recall, precision, method),
      recall,
      precision,
      scores: Float64Array.from(order, (i) => scores[i]!),
    };
  });
  const present = perClass.filter(({ objects }) => objects > 0);
  return {
    map: present.length === 0 ? -1 : present.reduce((sum, { ap }) => sum + ap, 0) / present.length,
    perClass,
  };
}

const HIT = 1;
const IGNORED = 2;

const isDifficult = (truth: Groups['truths'][number]): boolean =>
  Boolean(truth.difficult || truth.ignore || truth.iscrowd);

/** 1 for a true positive, 0 for a false one, 2 for a detection on a difficult object. */
function matchVoc(groups: Groups, threshold: number, inclusive: boolean, offset: number): Uint8Array {
  const truths = boxColumn(groups.truths);
  const boxes = boxColumn(groups.detections);
  const difficult = groups.truths.map(isDifficult);
  const taken = new Uint8Array(groups.truths.length);
  const marks = new Uint8Array(groups.detections.length);
  for (let g = 0; g < groups.images.length; g++) {
    for (let d = groups.detectionStarts[g]!; d < groups.detectionStarts[g + 1]!; d++) {
      let best = -1;
      let truth = -1;
      for (let t = groups.truthStarts[g]!; t < groups.truthStarts[g + 1]!; t++) {
        const iou = boxIou(boxes, 4 * d, truths, 4 * t, offset);
        if (iou > best) {
          best = iou;
          truth = t;
        }
      }
      if (!(inclusive ? best >= threshold : best > threshold)) continue;
      if (difficult[truth]) marks[d] = IGNORED;
      else if (taken[truth] === 0) marks[d] = taken[truth] = HIT;
    }
  }
  return marks;
}

/** IoU of two xywh boxes, `offset` added to every length. */
function boxIou(a: Float64Array, i: number, b: Float64Array, j: number, offset: number): number {
  const width = Math.min(a[i]! + a[i + 2]!, b[j]! + b[j + 2]!) - Math.max(a[i]!, b[j]!) + offset;
  const height =
    Math.min(a[i + 1]! + a[i + 3]!, b[j + 1]! + b[j + 3]!) - Math.max(a[i + 1]!, b[j + 1]!) + offset;
  if (!(width > 0 && height > 0)) return 0;
  const area = (a[i + 2]! + offset) * (a[i + 3]! + offset) + (b[j + 2]! + offset) * (b[j + 3]! + offset);
  return (width * height) / (area - width * height);
}
