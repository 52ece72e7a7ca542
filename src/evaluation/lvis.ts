/**
 * LVIS evaluation: COCO's average precision on a federated dataset, where an image tells of some categories only.
 *
 * A detection counts in an image only when its category has objects there or is verified absent; where a category is
 * not annotated exhaustively, unmatched detections are ignored. There are no crowds, up to 300 detections an image over
 * all categories, and categories are averaged also by how frequent they are in training.
 */

import { OptionError } from '../errors.ts';
import { checkOptionKinds, choiceOption, type OptionKinds } from '../options.ts';
import { accumulateAll, classRows } from './coco/evaluate.ts';
import { Matcher } from './coco/match.ts';
import { meanOf } from './coco/summarize.ts';
import { categoryNames, expectRows, groupRows } from './group.ts';
import { comparisonOf } from './similarity.ts';
import {
  areaRanges,
  type CocoClassResult,
  type CocoDataset,
  type CocoEvaluation,
  type CocoResult,
  expectShares,
  linspace,
} from './types.ts';

export interface LvisOptions {
  /** Default `'segm'`, as in lvis-api. */
  readonly type?: 'bbox' | 'segm';
  /** Default 0.5 : 0.05 : 0.95. */
  readonly iouThresholds?: readonly number[];
  /** Default 0 : 0.01 : 1. */
  readonly recallThresholds?: readonly number[];
  /** Detections of an image over all categories, best scores first. Default 300; Infinity keeps all. */
  readonly maxDetections?: number;
}

export interface LvisClassResult extends CocoClassResult {
  readonly frequency: 'r' | 'c' | 'f' | undefined;
}

export interface LvisEvaluation extends Omit<CocoEvaluation, 'perClass'> {
  readonly perClass: readonly LvisClassResult[];
}

const areaNames = ['all', 'small', 'medium', 'large'] as const;

const kinds: OptionKinds<LvisOptions> = {
  type: 'string',
  iouThresholds: 'object',
  recallThresholds: 'object',
  maxDetections: 'number',
};

/**
 * Average precision and recall by LVIS's rules: AP, AP50, AP75, APs, APm, APl, APr, APc, APf, AR, ARs, ARm, ARl.
 *
 * The dataset's images name `neg_category_ids` and `not_exhaustive_category_ids`, its categories their `frequency`;
 * without them nothing is absent, all is exhaustive and the three frequency numbers are −1. Equal to lvis-api
 * (`LVISEval`, lvis 0.5.3) to 1e-10; `dims` of the tensors are those of {@link CocoEvaluation} with one limit.
 *
 * @throws DatasetError where a row is malformed or refers to an unknown image
 *
 * Source: Gupta et al., "LVIS", CVPR 2019; lvis-api `lvis/eval.py`, `lvis/results.py`.
 */
export function evaluateLvis(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: LvisOptions = {},
): LvisEvaluation {
  checkOptionKinds('options of evaluateLvis', options, kinds);
  const {
    type = 'segm',
    iouThresholds = linspace(0.5, 0.95, 10),
    recallThresholds = linspace(0, 1, 101),
    maxDetections = 300,
  } = options;
  choiceOption('type', type, ['bbox', 'segm']);
  expectShares('iouThresholds', iouThresholds);
  expectShares('recallThresholds', recallThresholds);
  if (!(maxDetections > 0)) throw new OptionError(`maxDetections must be positive, got ${maxDetections}`);
  expectRows(groundTruth, detections);
  // lvis-api never sees what has no area, on either side
  const objects = { ...groundTruth, annotations: groundTruth.annotations.filter(({ area }) => area > 0) };
  const told = federation(objects);
  const limited = bestOfImages(detections, maxDetections);
  const groups = groupRows(objects, limited, {
    accepts: (row) => told.of(row.image_id).known.has(row.category_id),
  });
  const comparison = comparisonOf(objects, groups, { type, crowd: false });
  const neverCounts = Uint8Array.from(groups.truths, (truth) => (truth.ignore ? 1 : 0));
  const matcher = new Matcher(groups, {
    thresholds: iouThresholds,
    areas: areaNames.map((name) => areaRanges[name]),
    comparison,
    neverCounts,
    repeatable: new Uint8Array(groups.truths.length),
    exempt: Uint8Array.from(groups.detections, (row, d) =>
      comparison.detectionAreas[d]! > 0 && !told.of(row.image_id).notExhaustive.has(row.category_id) ? 0 : 1,
    ),
  });
  const { accumulated, positives } = accumulateAll(groups, matcher, {
    iouThresholds,
    recallThresholds,
    areas: areaNames.length,
    maxDetections: [maxDetections],
  });
  const frequencies = new Map(groundTruth.categories.map(({ id, frequency }) => [id, frequency]));
  const perClass = classRows(accumulated, {
    categoryIds: groups.categoryIds,
    names: categoryNames(groundTruth, groups.categoryIds),
    positives,
    iouThresholds,
  }).map((row) => ({ ...row, frequency: frequencies.get(row.categoryId) }));

  const { precision, recall } = accumulated;
  const at = (threshold: number): number =>
    iouThresholds.findIndex((value) => Math.abs(threshold - value) < 1e-9);
  const ap50 = at(0.5);
  const ap75 = at(0.75);
  const numbers: [name: string, value: number][] = [
    ['AP', meanOf(precision, [undefined, undefined, undefined, 0, 0])],
    ['AP50', ap50 < 0 ? -1 : meanOf(precision, [ap50, undefined, undefined, 0, 0])],
    ['AP75', ap75 < 0 ? -1 : meanOf(precision, [ap75, undefined, undefined, 0, 0])],
    ...areaNames
      .slice(1)
      .map((name, a): [string, number] => [
        `AP${name[0]}`,
        meanOf(precision, [undefined, undefined, undefined, a + 1, 0]),
      ]),
    ...(['r', 'c', 'f'] as const).map((group): [string, number] => [
      `AP${group}`,
      meanOfClasses(perClass.filter(({ frequency }) => frequency === group)),
    ]),
    ...areaNames.map((name, a): [string, number] => [
      a === 0 ? 'AR' : `AR${name[0]}`,
      meanOf(recall, [undefined, undefined, a, 0]),
    ]),
  ];
  return {
    stats: numbers.map(([, value]) => value),
    statNames: numbers.map(([name]) => name),
    perClass,
    ...accumulated,
    iouThresholds,
    recallThresholds,
    areaNames,
    maxDetections: [maxDetections],
    categoryIds: groups.categoryIds,
  };
}

/** Every class with objects has the same number of entries, so that the mean of its means is the mean of all. */
function meanOfClasses(rows: readonly CocoClassResult[]): number {
  const present = rows.filter(({ ap }) => ap > -1);
  return present.length === 0 ? -1 : present.reduce((sum, { ap }) => sum + ap, 0) / present.length;
}

interface ImageTold {
  /** Categories with objects in the image, or verified absent. */
  readonly known: Set<number>;
  readonly notExhaustive: ReadonlySet<number>;
}

/** What each image tells about categories. */
function federation(dataset: CocoDataset): { of(imageId: number): ImageTold } {
  const nothing: ImageTold = { known: new Set(), notExhaustive: new Set() };
  const images = new Map<number, ImageTold>();
  for (const { id, neg_category_ids: absent, not_exhaustive_category_ids: partial } of dataset.images) {
    images.set(id, { known: new Set(absent), notExhaustive: new Set(partial) });
  }
  for (const row of dataset.annotations) images.get(row.image_id)?.known.add(row.category_id);
  return { of: (imageId) => images.get(imageId) ?? nothing };
}

/** The best `limit` detections of each image, ties in file order. */
function bestOfImages(rows: readonly CocoResult[], limit: number): readonly CocoResult[] {
  const images = new Map<number, CocoResult[]>();
  for (const row of rows) {
    const list = images.get(row.image_id);
    if (list === undefined) images.set(row.image_id, [row]);
    else list.push(row);
  }
  return [...images.values()].flatMap((list) =>
    list.length <= limit ? list : list.sort((a, b) => b.score - a.score).slice(0, limit),
  );
}
