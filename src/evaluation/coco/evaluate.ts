/** COCO evaluation, the same numbers as pycocotools. */
import { OptionError } from '../../errors.ts';
import { checkOptionKinds, type OptionKinds } from '../../options.ts';
import { categoryNames, type Groups, groupRows } from '../group.ts';
import { comparisonOf } from '../similarity.ts';
import {
  areaRanges,
  type CocoAnnotation,
  type CocoClassResult,
  type CocoDataset,
  type CocoEvaluation,
  type CocoOptions,
  type CocoResult,
  expectShares,
  linspace,
} from '../types.ts';
import { type Accumulated, accumulate, emptyTensors } from './accumulate.ts';
import { type CategoryMatches, Matcher } from './match.ts';
import { meanOf, summarize } from './summarize.ts';

const kinds: OptionKinds<CocoOptions> = {
  type: 'string',
  iouThresholds: 'object',
  recallThresholds: 'object',
  maxDetections: 'object',
  classAgnostic: 'boolean',
  keypointSigmas: 'object',
};

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
  checkOptionKinds('options of evaluateCoco', options, kinds);
  const type = options.type ?? 'bbox';
  const iouThresholds = options.iouThresholds ?? linspace(0.5, 0.95, 10);
  const recallThresholds = options.recallThresholds ?? linspace(0, 1, 101);
  expectShares('iouThresholds', iouThresholds);
  expectShares('recallThresholds', recallThresholds);
  const maxDetections = options.maxDetections ?? (type === 'keypoints' ? [20] : [1, 10, 100]);
  if (
    maxDetections.length === 0 ||
    maxDetections.some((limit, i) => !(limit > (maxDetections[i - 1] ?? 0)))
  ) {
    throw new OptionError(`maxDetections must be positive and ascending, got [${maxDetections.join(', ')}]`);
  }
  const areaNames =
    type === 'keypoints'
      ? (['all', 'medium', 'large'] as const)
      : (['all', 'small', 'medium', 'large'] as const);
  const areas = areaNames.map((name) => areaRanges[name]);
  const classAgnostic = options.classAgnostic ?? false;
  const groups = groupRows(groundTruth, detections, {
    largest: maxDetections[maxDetections.length - 1]!,
    classAgnostic,
    categoriesFirst: true,
  });
  const flag = (is: (truth: CocoAnnotation) => boolean): Uint8Array =>
    Uint8Array.from(groups.truths, (truth) => (is(truth) ? 1 : 0));
  const matcher = new Matcher(groups, {
    thresholds: iouThresholds,
    areas,
    comparison: comparisonOf(groundTruth, groups, {
      type,
      ...(options.keypointSigmas === undefined ? {} : { keypointSigmas: options.keypointSigmas }),
    }),
    neverCounts: flag(
      (truth) => Boolean(truth.iscrowd) || (type === 'keypoints' && visibleCount(truth) === 0),
    ),
    repeatable: flag((truth) => Boolean(truth.iscrowd)),
  });
  const { accumulated, positives } = accumulateAll(groups, matcher, {
    iouThresholds,
    recallThresholds,
    areas: areas.length,
    maxDetections,
  });
  return {
    ...summarize(accumulated, iouThresholds, areaNames, maxDetections),
    perClass: classRows(accumulated, {
      categoryIds: classAgnostic ? [-1] : groups.categoryIds,
      names: classAgnostic ? ['all'] : categoryNames(groundTruth, groups.categoryIds),
      positives,
      iouThresholds,
    }),
    ...accumulated,
    iouThresholds,
    recallThresholds,
    areaNames,
    maxDetections,
    categoryIds: classAgnostic ? [-1] : groups.categoryIds,
  };
}

/** Matches and enters every category; gives the tensors and the truths that count (all areas) of each category. */
export function accumulateAll(
  groups: Groups,
  matcher: { match(category: number): CategoryMatches },
  sizes: {
    readonly iouThresholds: readonly number[];
    readonly recallThresholds: readonly number[];
    readonly areas: number;
    readonly maxDetections: readonly number[];
  },
): { accumulated: Accumulated; positives: number[] } {
  const { iouThresholds, recallThresholds, areas, maxDetections } = sizes;
  const categories = groups.categoryStarts.length - 1;
  const accumulated = emptyTensors(
    iouThresholds.length,
    recallThresholds.length,
    categories,
    areas,
    maxDetections.length,
  );
  const positives: number[] = [];
  for (let k = 0; k < categories; k++) {
    const matches = matcher.match(k);
    accumulate(accumulated, k, matches, recallThresholds, maxDetections);
    positives.push(matches.positives[0]!);
  }
  return { accumulated, positives };
}

/** A row a category, over all areas at the largest number of detections. */
export function classRows(
  { precision, recall }: Accumulated,
  facts: {
    readonly categoryIds: readonly number[];
    readonly names: readonly string[];
    readonly positives: readonly number[];
    readonly iouThresholds: readonly number[];
  },
): CocoClassResult[] {
  const last = recall.dims[3]! - 1;
  const apAt = (threshold: number | undefined, k: number): number => {
    const t =
      threshold === undefined
        ? undefined
        : facts.iouThresholds.findIndex((value) => Math.abs(threshold - value) < 1e-9);
    return t === -1 ? -1 : meanOf(precision, [t, undefined, k, 0, last]);
  };
  return facts.categoryIds.map((categoryId, k) => ({
    categoryId,
    name: facts.names[k]!,
    objects: facts.positives[k]!,
    ap: apAt(undefined, k),
    ap50: apAt(0.5, k),
    ap75: apAt(0.75, k),
    ar: meanOf(recall, [undefined, k, 0, last]),
  }));
}

/** Keypoints that are labelled: the annotation's own count, else those with a visibility above 0. */
function visibleCount(truth: CocoAnnotation): number {
  if (truth.num_keypoints !== undefined) return truth.num_keypoints;
  return (truth.keypoints ?? []).filter((value, i) => i % 3 === 2 && value > 0).length;
}
