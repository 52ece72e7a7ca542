/** PAA: which candidates are positive is read from the distribution of their losses. */

import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkCount } from '../options.ts';
import { fitGaussianPair } from './gaussian-mixture.ts';
import { type MaxIouOptions, maxIouMatcher } from './max-iou.ts';
import { levelsOf } from './nearest.ts';
import { priorColumns } from './prior-columns.ts';
import { finish } from './results.ts';
import { type Assignment, background, type Priors } from './types.ts';

export interface PaaOptions extends MaxIouOptions {
  /**
   * Loss of each prior with the ground truth the first step gave it (classification + box), N numbers, or a function
   * that computes them from the first step's assignment. Only candidates' (≥ 0) are read.
   */
  readonly losses: ArrayLike<number> | ((candidates: Assignment) => ArrayLike<number>);
  /** Candidates of the lowest loss a level. Default 9. */
  readonly topk?: number;
  /** Priors a level, for priors that are a plain array. Default: one level. */
  readonly levels?: readonly number[];
}

/**
 * First {@link maxIouMatcher} (thresholds 0.1 and mmdetection's low-quality rule, unless told) proposes candidates. Of
 * each ground truth's the `topk` of lowest loss a level are kept, two Gaussians are fitted to their losses, and those of
 * the lower one up to the most likely stay positive; all others are background. A ground truth with fewer than two
 * candidates loses them, as in the reference.
 *
 * `priors` N, `groundTruthBoxes` 4·G corners → one entry a prior; `overlaps` are the first step's. Equal losses: the lower
 * prior. Throws {@link OptionError} for a candidate's loss that is not finite.
 *
 * Sources: Kim and Lee, "Probabilistic anchor assignment", ECCV 2020; mmdetection `PAAHead.paa_reassign`, scheme (c).
 */
export function paaMatcher(priors: Priors, groundTruthBoxes: BoxArray, options: PaaOptions): Assignment {
  const { topk = 9, losses: given, levels: counts, ...rest } = options;
  checkCount('topk', topk);
  const candidates = maxIouMatcher(priors, groundTruthBoxes, {
    positiveThreshold: 0.1,
    negativeThreshold: 0.1,
    lowQuality: 'selecting',
    ...rest,
  });
  const { gtIndices } = candidates;
  const losses = typeof given === 'function' ? given(candidates) : given;
  if (losses.length !== gtIndices.length) {
    throw new ShapeError(`expected ${gtIndices.length} losses, got ${losses.length}`, {
      expected: gtIndices.length,
      got: losses.length,
    });
  }
  const levels = levelsOf(priorColumns(priors), counts);
  const chosen: number[][] = Array.from({ length: groundTruthBoxes.length / 4 }, () => []);
  for (const { start, count } of levels) {
    const lowest: number[][] = chosen.map(() => []);
    for (let j = start; j < start + count; j++) {
      const gt = gtIndices[j]!;
      if (gt < 0) continue;
      if (!Number.isFinite(losses[j]!)) {
        throw new OptionError(`the loss of candidate ${j} must be finite, got ${losses[j]}`, { prior: j });
      }
      insert(lowest[gt]!, j, losses, topk);
    }
    lowest.forEach((list, gt) => {
      chosen[gt]!.push(...list);
    });
  }
  for (let j = 0; j < gtIndices.length; j++) if (gtIndices[j]! >= 0) gtIndices[j] = background;
  chosen.forEach((list, gt) => {
    for (const j of positivesOf(list, losses)) gtIndices[j] = gt;
  });
  return finish(candidates, options);
}

/** Keeps the `topk` of lowest loss, ascending. */
function insert(list: number[], j: number, losses: ArrayLike<number>, topk: number): void {
  const loss = losses[j]!;
  if (list.length === topk && !(loss < losses[list[topk - 1]!]!)) return;
  let at = list.length < topk ? list.push(j) - 1 : topk - 1;
  for (; at > 0 && losses[list[at - 1]!]! > loss; at--) list[at] = list[at - 1]!;
  list[at] = j;
}

function positivesOf(candidates: readonly number[], losses: ArrayLike<number>): number[] {
  if (candidates.length < 2) return [];
  const sorted = [...candidates].sort((a, b) => losses[a]! - losses[b]!);
  const { components, logLikelihoods } = fitGaussianPair(Float64Array.from(sorted, (j) => losses[j]!));
  const foreground: number[] = [];
  let last = -1;
  let highest = Number.NEGATIVE_INFINITY;
  sorted.forEach((j, i) => {
    if (components[i] !== 0) return;
    foreground.push(j);
    if (logLikelihoods[i]! > highest) {
      highest = logLikelihoods[i]!;
      last = foreground.length - 1;
    }
  });
  return foreground.slice(0, last + 1);
}
