/** Box voting: kept boxes move to the score-weighted mean of the boxes that overlap them. */
import type { BoxArray } from '../boxes/types.ts';
import { choiceOption } from '../options.ts';
import { numberOption } from './input.ts';
import type { MovingSuppression, NmsOptions, ScoreArray } from './types.ts';
import { voteAfterNms } from './voting.ts';

export interface BoxVotingOptions extends NmsOptions {
  /** A candidate votes from this similarity on (at it included). Default: the iouThreshold. */
  readonly voteThreshold?: number;
  /** Score of a moved box: its own, the mean of its voters', or their maximum. Default `'kept'`. */
  readonly score?: 'kept' | 'mean' | 'max';
}

/**
 * Greedy NMS, then each kept box becomes the mean of all boxes of its class with similarity >= voteThreshold, weighted by
 * score (negative scores have no vote).
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N; returns indices, scores and moved boxes, score-descending, ties by lower
 * index. Source: Gidaris and Komodakis, ICCV 2015, section 3.3; Detectron's `box_voting`.
 */
export function boxVoting(
  boxes: BoxArray,
  scores: ScoreArray,
  options: BoxVotingOptions = {},
): MovingSuppression {
  const rule = choiceOption('score', options.score, ['kept', 'mean', 'max']);
  const threshold = numberOption('voteThreshold', options.voteThreshold ?? options.iouThreshold, 0.5);
  return voteAfterNms(boxes, scores, options, {
    weights(similarity, candidate, weights) {
      if (similarity >= threshold) weights.fill(scores[candidate]!);
    },
    score(kept, voters) {
      if (rule === 'kept' || voters.length === 0) return scores[kept]!;
      const values = voters.map((voter) => scores[voter]!);
      return rule === 'max' ? Math.max(...values) : values.reduce((a, b) => a + b) / values.length;
    },
  });
}

export interface ScoreVotingOptions extends NmsOptions {
  /** Width of the weight exp(−(1 − iou)²/σ)·score. Default 0.025. */
  readonly sigma?: number;
  /** Candidates at or below this similarity have no vote. Default 0.01. */
  readonly voteThreshold?: number;
}

/**
 * Greedy NMS, then each kept box becomes the mean of its class's candidates weighted by exp(−(1 − iou)²/σ)·score.
 *
 * Shapes and order as {@link boxVoting}; scores stay. Source: Kim and Lee, PAA, ECCV 2020, section 3.4.
 */
export function scoreVoting(
  boxes: BoxArray,
  scores: ScoreArray,
  options: ScoreVotingOptions = {},
): MovingSuppression {
  const sigma = numberOption('sigma', options.sigma, 0.025);
  const threshold = numberOption('voteThreshold', options.voteThreshold, 0.01);
  return voteAfterNms(boxes, scores, options, {
    weights(similarity, candidate, weights) {
      if (similarity > threshold)
        weights.fill(Math.exp(-((1 - similarity) ** 2) / sigma) * scores[candidate]!);
    },
  });
}
