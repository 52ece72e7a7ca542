/**
 * Matching by IoU thresholds: R-CNN, RPN, RetinaNet.
 *
 * torchvision and detectron2 on one side and mmdetection on the other differ in who gets a prior that is the best one of
 * some ground truth but below the threshold: `lowQuality`.
 */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { checkNumber, choiceOption } from '../options.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { inPrecision, overlapScan } from './overlap-scan.ts';
import { priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import {
  type Assignment,
  background,
  ignored,
  type MatchOptions,
  type MetricOptions,
  type Priors,
} from './types.ts';

export interface MaxIouOptions extends MatchOptions, MetricOptions {
  /** Similarity ≥ this is a match. Default 0.5. */
  readonly positiveThreshold?: number;
  /** Below this is background; `[low, high)` with what lies below low ignored (mmdetection). Default 0.4. */
  readonly negativeThreshold?: number | readonly [number, number];
  /**
   * What happens to the best priors of each ground truth when they are below the threshold: they go to their own best
   * ground truth (`'own-best'`: torchvision, detectron2), to the ground truth that selected them, the last one if
   * several do (`'selecting'`: mmdetection), or nothing happens (`'none'`). Default `'own-best'`.
   */
  readonly lowQuality?: 'own-best' | 'selecting' | 'none';
  /** A ground truth selects priors only from this similarity on (mmdetection `min_pos_iou`). Default 0. */
  readonly minimumPositive?: number;
  /** All priors that tie are selected, or the first only (mmdetection `gt_max_assign_all`). Default true. */
  readonly assignAll?: boolean;
}

/** Thresholds of the detectors. */
export const maxIouPresets = {
  /** torchvision and detectron2 RetinaNet. */
  retinanet: { positiveThreshold: 0.5, negativeThreshold: 0.4, lowQuality: 'own-best' },
  /** torchvision and detectron2 RPN. */
  rpn: { positiveThreshold: 0.7, negativeThreshold: 0.3, lowQuality: 'own-best' },
  /** RoI heads of all three. */
  roi: { positiveThreshold: 0.5, negativeThreshold: 0.5, lowQuality: 'none' },
  'mmdetection-retinanet': {
    positiveThreshold: 0.5,
    negativeThreshold: 0.4,
    lowQuality: 'selecting',
    ignoreWithoutGroundTruths: false,
  },
  'mmdetection-rpn': {
    positiveThreshold: 0.7,
    negativeThreshold: 0.3,
    lowQuality: 'selecting',
    minimumPositive: 0.3,
    ignoreWithoutGroundTruths: false,
  },
  'mmdetection-ssd': {
    positiveThreshold: 0.5,
    negativeThreshold: 0.5,
    lowQuality: 'selecting',
    assignAll: false,
    ignoreWithoutGroundTruths: false,
  },
} as const satisfies Record<string, MaxIouOptions>;

/** The options with their defaults. Throws {@link OptionError}. */
export function rulesOf(options: MaxIouOptions): {
  readonly positiveThreshold: number;
  /** Background is `[low, high)`. */
  readonly low: number;
  readonly high: number;
  readonly lowQuality: 'own-best' | 'selecting' | 'none';
  readonly minimumPositive: number;
  readonly assignAll: boolean;
} {
  const { positiveThreshold = 0.5, negativeThreshold = 0.4, lowQuality = 'own-best' } = options;
  const { minimumPositive = 0, assignAll = true } = options;
  const [low, high] =
    typeof negativeThreshold === 'number' ? [Number.NEGATIVE_INFINITY, negativeThreshold] : negativeThreshold;
  checkNumber('positiveThreshold', positiveThreshold, Number.NEGATIVE_INFINITY);
  if (!(high <= positiveThreshold && low <= high)) {
    throw new OptionError(
      `expected negativeThreshold ≤ positiveThreshold, got ${negativeThreshold} and ${positiveThreshold}`,
      { negativeThreshold, positiveThreshold },
    );
  }
  choiceOption('lowQuality', lowQuality, ['own-best', 'selecting', 'none']);
  return { positiveThreshold, low, high, lowQuality, minimumPositive, assignAll };
}

/**
 * Each prior goes to the ground truth it is most similar to (the lower index at a tie), if that is similar enough.
 *
 * `priors` N, `groundTruthBoxes` 4·G corners → one entry a prior. Similarities between the two thresholds are ignored.
 * Ignored regions are decided first: a prior over one is neither matched nor background.
 *
 * Differs from the references in one thing: an area ratio of 0 is no similarity. A ground truth that no prior overlaps
 * stays unmatched, where they would give it every prior of similarity 0, and a prior that overlaps none is background
 * even where the thresholds lie at 0 or below. No ground truths: all background that is not
 * ignored. A box that is not finite matches nothing.
 *
 * Sources: torchvision `Matcher`, detectron2 `Matcher`, mmdetection `MaxIoUAssigner`; Ren et al., "Faster R-CNN", 2015.
 *
 * @example
 * const priors = Float32Array.of(0, 0, 10, 10, 10, 10, 20, 20, 5, 5, 15, 15, 32, 32, 38, 42);
 * maxIouMatcher(priors, Float32Array.of(0, 0, 10, 9, 0, 10, 10, 19), { ...maxIouPresets['mmdetection-retinanet'], negativeThreshold: 0.5 })
 *   .gtIndices; // [0, -1, 1, -1]
 */
export function maxIouMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: MaxIouOptions = {},
): Assignment {
  const { positiveThreshold, low, high, lowQuality, minimumPositive, assignAll } = rulesOf(options);
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  const { count } = columns;
  const result = assignmentFor(count, options);
  const { gtIndices, overlaps } = result;
  const mask = ignoredPriors(columns, gts, options);
  const scan = overlapScan;
  const lowest = Math.min(high, positiveThreshold, low === Number.NEGATIVE_INFINITY ? high : low);
  scan.run(columns, groundTruthBoxes, options, mask, lowest, lowQuality !== 'none');
  const { best, bestGt, gtBest, ties, tieStart, float32 } = scan;
  const positive = inPrecision(float32, positiveThreshold);
  const negativeFrom = inPrecision(float32, low);
  const negativeTo = inPrecision(float32, high);
  // most priors meet no ground truth (−1): they are background, as both results say already
  const skips = negativeFrom <= 0 && 0 < negativeTo;
  for (let j = 0; j < count; j++) {
    const gt = bestGt[j]!;
    if (gt < 0 && skips) continue;
    const value = gt < 0 ? 0 : best[j]!;
    overlaps[j] = value > 0 ? value : 0;
    if (value < negativeTo && value >= negativeFrom) continue; // background already
    if (gt >= 0) gtIndices[j] = value >= positive ? gt : ignored;
    else gtIndices[j] = value < negativeFrom && gts > 0 ? ignored : background;
  }
  if (lowQuality === 'own-best') {
    for (let t = 0; t < tieStart[gts]!; t++) gtIndices[ties[t]!] = bestGt[ties[t]!]!;
  } else if (lowQuality === 'selecting') {
    const least = inPrecision(float32, minimumPositive);
    for (let g = 0; g < gts; g++) {
      if (!(gtBest[g]! >= least)) continue;
      const end = assignAll ? tieStart[g + 1]! : Math.min(tieStart[g]! + 1, tieStart[g + 1]!);
      for (let t = tieStart[g]!; t < end; t++) gtIndices[ties[t]!] = g;
    }
  }
  ignoreUnmatched(gtIndices, mask);
  return finish(result, options);
}
