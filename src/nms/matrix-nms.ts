/** Matrix NMS: every score decays by its worst better neighbour, softened by how much that one was suppressed. */
import type { BoxArray } from '../boxes/types.ts';
import { choiceOption } from '../options.ts';
import { numberOption, positiveOption } from './input.ts';
import { rankedGroups, Survivors } from './ranked.ts';
import type { RankedOptions, ScoreArray, Suppression } from './types.ts';

export interface MatrixNmsOptions extends RankedOptions {
  /** `'gaussian'`: f = exp(−σ·iou²), `'linear'`: f = 1 − iou. Default `'gaussian'`. */
  readonly kernel?: 'gaussian' | 'linear';
  /** Default 2. */
  readonly sigma?: number;
  /** `'multiply'`: exp(−σ·iou²) (mmdetection, Paddle); `'divide'`: exp(−iou²/σ) (the paper). Default `'multiply'`. */
  readonly sigmaConvention?: 'multiply' | 'divide';
  /** Decayed scores must compare true against this. Default: all are kept. */
  readonly postThreshold?: number;
  /** `'>='` (mmdetection) or `'>'` (Paddle). Default `'>='`. */
  readonly postComparator?: '>' | '>=';
}

/**
 * Multiplies each score by min over better boxes i of its class of f(iou_ij) / f(c_i), c_i the largest overlap of i with a
 * box better than i; the factor is at most 1. A better box that duplicates another exactly (f(c_i) = 0) has no say: the
 * references form x/0 there.
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N; returns indices and decayed scores, score-descending, ties by lower index.
 * Cost N². `pixelOffset: 1` is Paddle's `normalized=False`. Source: Wang et al., SOLOv2, NeurIPS 2020, equation 5.
 */
export function matrixNms(boxes: BoxArray, scores: ScoreArray, options: MatrixNmsOptions = {}): Suppression {
  const kernel = choiceOption('kernel', options.kernel, ['gaussian', 'linear']);
  const sigma = positiveOption('sigma', options.sigma, 2);
  const rate =
    choiceOption('sigmaConvention', options.sigmaConvention, ['multiply', 'divide']) === 'multiply'
      ? sigma
      : 1 / sigma;
  const floor = numberOption('postThreshold', options.postThreshold, Number.NEGATIVE_INFINITY);
  const atFloor = choiceOption('postComparator', options.postComparator, ['>=', '>']) === '>=';
  const survivors = new Survivors(scores);
  for (const group of rankedGroups(boxes, scores, options)) {
    const { count, indices } = group;
    const decay = new Float64Array(count).fill(1);
    const worst = new Float64Array(count); // c_i: final once every better box has been seen
    const row = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      group.against(i, i + 1, count, row);
      const c = worst[i]!;
      for (let j = i + 1; j < count; j++) {
        const iou = row[j - i - 1]!;
        if (iou > worst[j]!) worst[j] = iou;
        const factor =
          kernel === 'gaussian' ? Math.exp(rate * (c * c - iou * iou)) : c < 1 ? (1 - iou) / (1 - c) : 1;
        if (factor < decay[j]!) decay[j] = factor;
      }
    }
    for (let j = 0; j < count; j++) {
      const score = scores[indices[j]!]! * decay[j]!;
      if (score > floor || (atFloor && score === floor)) survivors.add(indices[j]!, score);
    }
  }
  return survivors.finish(options.maxDetections);
}
