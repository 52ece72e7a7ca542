/**
 * Confusion matrix of a detector: which class was found for which object, with the background as one class more.
 *
 * Ultralytics and supervision disagree on thresholds, on who takes which object and on which way the matrix lies; a
 * preset sets all, options override it.
 */

import { OptionError } from '../errors.ts';
import { checkOptionKinds, choiceOption, type OptionKinds } from '../options.ts';
import { type Assignment, assign } from './assign.ts';
import { categoryNames, expectRows, groupRows, largestGroup } from './group.ts';
import { comparisonOf } from './similarity.ts';
import type { CocoDataset, CocoResult } from './types.ts';

export interface ConfusionOptions {
  /** Default `'ultralytics'`. */
  readonly preset?: 'ultralytics' | 'supervision';
  /** Boxes or masks. Default `'bbox'`. */
  readonly type?: 'bbox' | 'segm';
  /** Default 0.25 (kept above it); supervision 0.3 (kept from it). */
  readonly scoreThreshold?: number;
  /** An overlap above it may be a match. Default 0.45; supervision 0.5. */
  readonly iouThreshold?: number;
  /** Default `'score'`; supervision `'pair'`. `'best-proposal'` is Ultralytics' rule to 8.3. */
  readonly assignment?: Assignment;
  /** What a row stands for. Default `'predicted'`; supervision `'true'`. */
  readonly rows?: 'predicted' | 'true';
}

export interface ConfusionMatrix {
  /** [size, size] counts, row-major; the last row and column are the background. */
  readonly matrix: Int32Array<ArrayBuffer>;
  /** Classes and the background. */
  readonly size: number;
  readonly rows: 'predicted' | 'true';
  readonly categoryIds: readonly number[];
  /** Name of each row and column, the last `'background'`. */
  readonly names: readonly string[];
}

const presets = {
  ultralytics: { scoreThreshold: 0.25, iouThreshold: 0.45, assignment: 'score', rows: 'predicted' },
  supervision: { scoreThreshold: 0.3, iouThreshold: 0.5, assignment: 'pair', rows: 'true' },
} as const;

const kinds: OptionKinds<ConfusionOptions> = {
  preset: 'string',
  type: 'string',
  scoreThreshold: 'number',
  iouThreshold: 'number',
  assignment: 'string',
  rows: 'string',
};

/**
 * Counts every object once (under the class that was found for it, or the background) and every detection above the
 * score threshold without an object once. Crowds are no objects. Classes in the order of their ids.
 *
 * @throws DatasetError where a row is malformed or refers to an unknown image
 *
 * Source: ultralytics 8.4 and 8.3 `ConfusionMatrix.process_batch`; supervision 0.31 `ConfusionMatrix`.
 */
export function confusionMatrix(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: ConfusionOptions = {},
): ConfusionMatrix {
  checkOptionKinds('options of confusionMatrix', options, kinds);
  const { preset = 'ultralytics', type = 'bbox' } = options;
  const defaults = presets[preset];
  if (defaults === undefined) {
    throw new OptionError(`preset must be 'ultralytics' or 'supervision', got '${String(preset)}'`, {
      preset,
    });
  }
  const {
    scoreThreshold = defaults.scoreThreshold,
    iouThreshold = defaults.iouThreshold,
    assignment = defaults.assignment,
    rows = defaults.rows,
  } = options;
  choiceOption('rows', rows, ['predicted', 'true']);
  const inclusive = preset === 'supervision';
  expectRows(groundTruth, detections);
  const objects = { ...groundTruth, annotations: groundTruth.annotations.filter((row) => !row.iscrowd) };
  const groups = groupRows(objects, detections, {
    classAgnostic: true,
    accepts: ({ score }) => (inclusive ? score >= scoreThreshold : score > scoreThreshold),
  });
  const comparison = comparisonOf(groundTruth, groups, { type });
  const largest = largestGroup(groups);
  const similarities = new Float64Array(largest.pairs);
  const truthOf = new Int32Array(largest.detections);
  const background = groups.categoryIds.length;
  const size = background + 1;
  const matrix = new Int32Array(size * size);
  const count = (predicted: number, actual: number): void => {
    matrix[rows === 'predicted' ? predicted * size + actual : actual * size + predicted]!++;
  };
  for (let g = 0; g < groups.images.length; g++) {
    const t0 = groups.truthStarts[g]!;
    const d0 = groups.detectionStarts[g]!;
    const truths = groups.truthStarts[g + 1]! - t0;
    const found = groups.detectionStarts[g + 1]! - d0;
    comparison.compare(g, similarities);
    const input = {
      detections: found,
      truths,
      overlap: (d: number, t: number) => similarities[d * truths + t]!,
      fits: (value: number) => value > iouThreshold,
      sameClass: (d: number, t: number) =>
        groups.detectionCategories[d0 + d] === groups.truthCategories[t0 + t],
    };
    assign(assignment, input, truthOf);
    const seen = new Uint8Array(truths);
    for (let d = 0; d < found; d++) {
      const t = truthOf[d]!;
      if (t >= 0) seen[t] = 1;
      count(groups.detectionCategories[d0 + d]!, t < 0 ? background : groups.truthCategories[t0 + t]!);
    }
    for (let t = 0; t < truths; t++) {
      if (seen[t] === 0) count(background, groups.truthCategories[t0 + t]!);
    }
  }
  const names = [...categoryNames(groundTruth, groups.categoryIds), 'background'];
  return { matrix, size, rows, categoryIds: groups.categoryIds, names };
}
