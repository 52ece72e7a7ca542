/**
 * Localisation-recall-precision: one error from 0 to 1 that counts misses, false alarms and how badly the found objects
 * are placed; its least value over all score thresholds says where to cut a detector.
 */

import { OptionError } from '../errors.ts';
import { orderByScore } from '../nms/order.ts';
import { checkOptionKinds, type OptionKinds } from '../options.ts';
import { MATCHED, Matcher } from './coco/match.ts';
import { categoryNames, groupRows } from './group.ts';
import { comparisonOf } from './similarity.ts';
import { areaRanges, type CocoDataset, type CocoResult } from './types.ts';

export interface LrpOptions {
  /** What is compared. Default `'bbox'`. */
  readonly type?: 'bbox' | 'segm' | 'keypoints';
  /** τ, the IoU from which a detection is a true positive. Default 0.5. */
  readonly iouThreshold?: number;
  /** Detections of an image and class. Default 100. */
  readonly maxDetections?: number;
}

export interface LrpNumbers {
  /** Optimal LRP error, the lower the better. −1 without objects. */
  readonly olrp: number;
  /** Mean of 1 − IoU over the true positives at the optimum; NaN without any. */
  readonly localization: number;
  /** Share of false positives among the detections at the optimum (1 − precision); NaN without a true positive. */
  readonly falsePositive: number;
  /** Share of objects missed at the optimum (1 − recall). */
  readonly falseNegative: number;
}

export interface LrpClassResult extends LrpNumbers {
  readonly categoryId: number;
  readonly name: string;
  readonly objects: number;
  /** Score of the last detection kept at the optimum: the class's own best threshold. NaN without a true positive. */
  readonly threshold: number;
}

export interface LrpEvaluation extends LrpNumbers {
  /** The means above are over the classes with objects (components: with true positives). */
  readonly perClass: readonly LrpClassResult[];
}

const kinds: OptionKinds<LrpOptions> = {
  type: 'string',
  iouThreshold: 'number',
  maxDetections: 'number',
};

/**
 * Optimal LRP of detections against COCO ground truth, matched as COCO matches (crowds ignored, all areas).
 *
 * After each detection, best score first: LRP = (Σ_TP (1 − IoU)/(1 − τ) + FP + FN) / (TP + FP + FN). The optimum is
 * the first least value; a class without true positives has oLRP 1, FN 1 and no other component.
 *
 * @throws DatasetError where a row is malformed or refers to an unknown image
 *
 * Source: Oksuz et al., "Localization Recall Precision (LRP)", ECCV 2018; "One Metric to Measure Them All", TPAMI 2021.
 */
export function evaluateLrp(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: LrpOptions = {},
): LrpEvaluation {
  checkOptionKinds('options of evaluateLrp', options, kinds);
  const { type = 'bbox', iouThreshold = 0.5, maxDetections = 100 } = options;
  if (!(iouThreshold >= 0 && iouThreshold < 1)) {
    throw new OptionError(`iouThreshold must be at least 0 and below 1, got ${iouThreshold}`, {
      iouThreshold,
    });
  }
  const groups = groupRows(groundTruth, detections, { largest: maxDetections });
  const crowd = Uint8Array.from(groups.truths, (truth) => (truth.iscrowd ? 1 : 0));
  const matcher = new Matcher(groups, {
    thresholds: [iouThreshold],
    areas: [areaRanges.all],
    comparison: comparisonOf(groundTruth, groups, { type }),
    neverCounts: crowd,
    repeatable: crowd,
  });
  const names = categoryNames(groundTruth, groups.categoryIds);
  const perClass = groups.categoryIds.map((categoryId, k): LrpClassResult => {
    const { count, flags, overlaps, positives, scores } = matcher.match(k);
    const objects = positives[0]!;
    const head = { categoryId, name: names[k]!, objects };
    if (objects === 0) return { ...head, ...nothing, threshold: Number.NaN };
    const all = Uint32Array.from({ length: count }, (_, i) => i);
    const order = count === 0 ? all : orderByScore(scores, all);
    let best = { ...nothing, olrp: 1, falseNegative: 1, threshold: Number.NaN };
    let [hits, misses, distance] = [0, 0, 0];
    for (const i of order) {
      const flag = flags[0]![i]!;
      if (flag === MATCHED) {
        hits++;
        distance += 1 - overlaps[i]!;
      } else if (flag === 0) misses++;
      else continue;
      const error = (distance / (1 - iouThreshold) + misses + objects - hits) / (objects + misses);
      if (hits > 0 && (error < best.olrp || Number.isNaN(best.threshold))) {
        best = {
          olrp: error,
          localization: distance / hits,
          falsePositive: misses / (hits + misses),
          falseNegative: 1 - hits / objects,
          threshold: scores[i]!,
        };
      }
    }
    return { ...head, ...best };
  });
  const mean = (key: keyof LrpNumbers): number => {
    const values = perClass
      .filter(({ objects }) => objects > 0)
      .map((row) => row[key])
      .filter((value) => !Number.isNaN(value));
    return values.length === 0 ? nothing[key] : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    olrp: mean('olrp'),
    localization: mean('localization'),
    falsePositive: mean('falsePositive'),
    falseNegative: mean('falseNegative'),
    perClass,
  };
}

const nothing: LrpNumbers = {
  olrp: -1,
  localization: Number.NaN,
  falsePositive: Number.NaN,
  falseNegative: Number.NaN,
};
