/** The second half of SimOTA: every ground truth takes as many of its cheapest priors as their overlaps add up to. */
import type { BoxArray } from '../boxes/types.ts';
import { pairwiseIou } from '../iou/pairwise.ts';
import type { Assignment, MetricOptions } from './types.ts';

/** Costs and overlaps of candidates, G rows of `count` numbers. */
export interface CandidateTable {
  /** Numbers of the candidate priors, ascending. */
  readonly priors: Int32Array;
  readonly count: number;
  readonly costs: Float32Array;
  readonly overlaps: Float32Array;
}

/**
 * k = ⌊sum of the `topk` largest overlaps⌋, at least 1; the k cheapest candidates are matched; a prior that several
 * ground truths take goes to the one it is cheapest for. Ties: the lower prior, the lower ground truth. A candidate whose
 * costs are NaN is never matched.
 */
export function assignDynamicK(
  { priors, count, costs, overlaps }: CandidateTable,
  gts: number,
  topk: number,
  result: Assignment,
): void {
  const claims = new Uint16Array(count);
  const owner = new Int32Array(count).fill(-1);
  const best = new Float64Array(Math.min(topk, count));
  let chosen = new Int32Array(Math.min(topk, count));
  for (let g = 0; g < gts; g++) {
    const row = g * count;
    // sum of the largest overlaps
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const value = overlaps[row + i]!;
      if (kept === best.length && !(value > best[kept - 1]!)) continue;
      let at = kept < best.length ? kept++ : kept - 1;
      for (; at > 0 && best[at - 1]! < value; at--) best[at] = best[at - 1]!;
      best[at] = value;
    }
    let sum = 0;
    for (let i = 0; i < kept; i++) sum = Math.fround(sum + best[i]!);
    const k = Math.min(count, Math.max(1, Math.trunc(sum)));
    if (chosen.length < k) chosen = new Int32Array(k);
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const cost = costs[row + i]!;
      if (taken === k && !(cost < costs[row + chosen[k - 1]!]!)) continue;
      if (Number.isNaN(cost)) continue;
      let at = taken < k ? taken++ : k - 1;
      for (; at > 0 && costs[row + chosen[at - 1]!]! > cost; at--) chosen[at] = chosen[at - 1]!;
      chosen[at] = i;
    }
    for (let i = 0; i < taken; i++) {
      claims[chosen[i]!]!++;
      owner[chosen[i]!] = g;
    }
  }
  for (let i = 0; i < count; i++) {
    if (owner[i]! < 0) continue;
    if (claims[i]! > 1) {
      let cheapest = Number.POSITIVE_INFINITY;
      for (let g = 0; g < gts; g++) {
        if (costs[g * count + i]! < cheapest) {
          cheapest = costs[g * count + i]!;
          owner[i] = g;
        }
      }
    }
    result.gtIndices[priors[i]!] = owner[i]!;
    result.overlaps[priors[i]!] = overlaps[owner[i]! * count + i]!;
  }
}

/** Overlaps of ground truths with predicted boxes, G rows: at least 0, and 0 with a box that is not finite. */
export function overlapsOf(
  groundTruthBoxes: BoxArray,
  predictedBoxes: BoxArray,
  { metric = 'iou' }: Pick<MetricOptions, 'metric'>,
): Float32Array {
  const similarities = pairwiseIou(groundTruthBoxes, predictedBoxes, { metric });
  const overlaps = similarities instanceof Float32Array ? similarities : Float32Array.from(similarities);
  for (let i = 0; i < overlaps.length; i++) if (!(overlaps[i]! > 0)) overlaps[i] = 0;
  return overlaps;
}

/** torch's binary cross-entropy never takes a logarithm below −100. */
export function boundedLog(value: number): number {
  const log = Math.log(value);
  return log < -100 ? -100 : log;
}
