/** ATSS: each ground truth sets its own threshold from the priors nearest to its centre. */
import type { BoxArray } from '../boxes/types.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkCount, checkNumber, choiceOption } from '../options.ts';
import { corners } from './geometry.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { levelsOf, Nearest } from './nearest.ts';
import { matchMetric, PairSimilarities } from './overlap-scan.ts';
import { priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import type { Assignment, MatchOptions, MetricOptions, Priors } from './types.ts';

export interface AtssOptions extends MatchOptions, MetricOptions {
  /** Candidates a level. Default 9. */
  readonly topk?: number;
  /** Priors a level, for priors that are a plain array. Default: one level. */
  readonly levels?: readonly number[];
  /** A candidate at the threshold is positive (mmdetection) or not (mmyolo, YOLOv6). Default `'>='`. */
  readonly comparator?: '>=' | '>';
  /**
   * Who gets a prior that several want: the most similar of them (mmdetection), or the most similar of all ground truths
   * (mmyolo). Default `'claimants'`.
   */
  readonly conflict?: 'claimants' | 'all';
  /** Pixels a candidate's centre must lie inside the ground truth, more than. Default 0.01; mmyolo 1e-9. */
  readonly insideMargin?: number;
}

const nearest = new Nearest();
const similarities = new PairSimilarities();

/**
 * Candidates are the `topk` priors of each level whose centres are nearest; positive are those whose similarity reaches
 * the mean plus the standard deviation (n − 1) of all candidates and whose centre lies inside the ground truth. A prior
 * that several ground truths want goes to the most similar one.
 *
 * `priors` N, `groundTruthBoxes` 4·G corners → one entry a prior; `overlaps` of positives only. Equally near priors: the
 * lower index. A ground truth with fewer than two candidates gets none. Priors over ignored regions are no candidates.
 *
 * Sources: Zhang et al., "Bridging the gap …" (ATSS), CVPR 2020, Algorithm 1; mmdetection `ATSSAssigner`, mmyolo
 * `BatchATSSAssigner`.
 */
export function atssMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: AtssOptions = {},
): Assignment {
  const { topk = 9, comparator = '>=', insideMargin = 0.01, conflict = 'claimants' } = options;
  choiceOption('comparator', comparator, ['>=', '>']);
  choiceOption('conflict', conflict, ['claimants', 'all']);
  checkCount('topk', topk);
  checkNumber('insideMargin', insideMargin, Number.NEGATIVE_INFINITY);
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  const { boxes, count } = columns;
  const levels = levelsOf(columns, options.levels);
  const result = assignmentFor(count, options);
  const { gtIndices, overlaps } = result;
  const mask = ignoredPriors(columns, gts, options);
  similarities.prepare(columns, groundTruthBoxes, matchMetric(options));
  const round = similarities.float32 ? Math.fround : (value: number) => value;
  const candidates = new Int32Array(levels.length * topk);
  const values = new Float64Array(levels.length * topk);
  const strict = comparator === '>';
  const contested = new Set<number>();
  for (let g = 0; g < gts; g++) {
    if (isNonFinite(groundTruthBoxes, 4 * g)) continue;
    const [x1, y1, x2, y2] = corners(groundTruthBoxes, g);
    const x = round(round(x1 + x2) / 2);
    const y = round(round(y1 + y2) / 2);
    let found = 0;
    for (const level of levels) {
      nearest.find(columns, level, x, y, topk, mask);
      for (let i = 0; i < nearest.length; i++) {
        candidates[found] = nearest.indices[i]!;
        values[found] = similarities.pair(g, candidates[found]!);
        found++;
      }
    }
    if (found < 2) continue;
    const threshold = meanPlusDeviation(values, found, round);
    for (let i = 0; i < found; i++) {
      const value = values[i]!;
      if (strict ? !(value > threshold) : !(value >= threshold)) continue;
      const j = candidates[i]!;
      const px = round(round(boxes[4 * j]! + boxes[4 * j + 2]!) / 2);
      const py = round(round(boxes[4 * j + 1]! + boxes[4 * j + 3]!) / 2);
      const inside = Math.min(round(px - x1), round(py - y1), round(x2 - px), round(y2 - py));
      if (!(inside > round(insideMargin))) continue;
      if (gtIndices[j]! >= 0) contested.add(j);
      if (gtIndices[j]! < 0 || value > overlaps[j]!) {
        gtIndices[j] = g;
        overlaps[j] = value;
      }
    }
  }
  if (conflict === 'all') {
    for (const j of contested) {
      for (let g = 0; g < gts; g++) {
        const value = similarities.pair(g, j);
        // at a tie the lower ground truth
        if (value > overlaps[j]! || (value === overlaps[j]! && g < gtIndices[j]!)) {
          gtIndices[j] = g;
          overlaps[j] = value;
        }
      }
    }
  }
  ignoreUnmatched(gtIndices, mask);
  return finish(result, options);
}

function meanPlusDeviation(values: Float64Array, count: number, round: (value: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) ** 2;
  return round(round(mean) + round(Math.sqrt(squares / (count - 1))));
}
