/** COCO evaluation, the same numbers as pycocotools. */
import { OptionError } from '../../errors.ts';
import { cocoSigmas } from '../../masks/oks.ts';
import { accumulate } from './accumulate.ts';
import { groupByImageAndCategory } from './group.ts';
import { matchCategory } from './match.ts';
import { boxComparison, keypointComparison, maskComparison } from './similarity.ts';
import { meanOf, summarize } from './summarize.ts';
import {
  areaRanges,
  type CocoAnnotation,
  type CocoDataset,
  type CocoEvaluation,
  type CocoOptions,
  type CocoResult,
  linspace,
} from './types.ts';

/**
 * Average precision and recall of detections against COCO ground truth.
 *
 * Computed in float64 in pycocotools' order of operations, so that the numbers agree to the last digits: 10 IoU
 * thresholds, 101 recall points, area ranges with inclusive ends, stable score order (ties in file order), at most
 * `maxDetections` a picture and class, crowd annotations never counted.
 *
 * @param groundTruth a COCO annotation file; boxes xywh in pixels
 * @param detections a COCO results array
 * @throws DatasetError where a row is malformed or refers to an unknown image
 *
 * Source: Lin et al., "Microsoft COCO", ECCV 2014; pycocotools `COCOeval`.
 *
 * @example
 * const { stats } = evaluateCoco(instances, results);
 * console.log(stats[0]); // AP@[.5:.95]
 */
export function evaluateCoco(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: CocoOptions = {},
): CocoEvaluation {
  const type = options.type ?? 'bbox';
  if (type !== 'bbox' && type !== 'segm' && type !== 'keypoints') {
    throw new OptionError(`type must be 'bbox', 'segm' or 'keypoints', got '${String(type)}'`, { type });
  }
  const comparison =
    type === 'bbox'
      ? boxComparison
      : type === 'segm'
        ? maskComparison(groundTruth)
        : keypointComparison(options.keypointSigmas ?? cocoSigmas);
  const thresholds = options.iouThresholds ?? linspace(0.5, 0.95, 10);
  const recalls = options.recallThresholds ?? linspace(0, 1, 101);
  const maxDetections = options.maxDetections ?? (type === 'keypoints' ? [20] : [1, 10, 100]);
  if (maxDetections.length === 0 || maxDetections.some((limit, i) => limit <= (maxDetections[i - 1] ?? 0))) {
    throw new OptionError(`maxDetections must be positive and ascending, got [${maxDetections.join(', ')}]`);
  }
  const areaNames =
    type === 'keypoints'
      ? (['all', 'medium', 'large'] as const)
      : (['all', 'small', 'medium', 'large'] as const);
  const areas = areaNames.map((name) => areaRanges[name]);
  const classAgnostic = options.classAgnostic ?? false;
  const { categoryIds, groups } = groupByImageAndCategory(
    groundTruth,
    detections,
    maxDetections[maxDetections.length - 1]!,
    classAgnostic,
  );
  const matches = groups.map((group) =>
    matchCategory(group, {
      thresholds,
      areas,
      ...comparison,
      ignored: (truth) => Boolean(truth.iscrowd) || (type === 'keypoints' && visibleCount(truth) === 0),
    }),
  );
  const accumulated = accumulate(matches, thresholds.length, recalls, areas.length, maxDetections);
  const names = new Map(groundTruth.categories.map(({ id, name }) => [id, name ?? String(id)]));
  const last = maxDetections.length - 1;
  const at = (value: number): number =>
    thresholds.findIndex((threshold) => Math.abs(threshold - value) < 1e-9);
  const { precision, recall } = accumulated;
  const perClass = categoryIds.map((categoryId, k) => ({
    categoryId,
    name: names.get(categoryId) ?? 'all',
    objects: matches[k]!.positives[0]!,
    ap: meanOf(precision, [undefined, undefined, k, 0, last]),
    ap50: at(0.5) < 0 ? -1 : meanOf(precision, [at(0.5), undefined, k, 0, last]),
    ap75: at(0.75) < 0 ? -1 : meanOf(precision, [at(0.75), undefined, k, 0, last]),
    ar: meanOf(recall, [undefined, k, 0, last]),
  }));
  return {
    ...summarize(accumulated, thresholds, areaNames, maxDetections),
    perClass,
    ...accumulated,
    iouThresholds: thresholds,
    recallThresholds: recalls,
    areaNames,
    maxDetections,
    categoryIds,
  };
}

/** Keypoints that are labelled: the annotation's own count, else those with a visibility above 0. */
function visibleCount(truth: CocoAnnotation): number {
  if (truth.num_keypoints !== undefined) return truth.num_keypoints;
  return (truth.keypoints ?? []).filter((value, i) => i % 3 === 2 && value > 0).length;
}
