/** Losses that sum over pairs of a batch: contrastive, N-pair. */
import { choiceOption } from '../../options.ts';
import { logSoftmaxRow } from '../classification/softmax.ts';
import {
  closeLoss,
  expectFinite,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sameType,
} from '../common.ts';
import { expectLabels, pairGradient, pairMatrix } from './pairs.ts';
import { rowCount } from './rows.ts';

export interface PairLossOptions extends Omit<LossOptions, 'weights' | 'preset'> {
  /** Length d of a feature. */
  readonly dimensions: number;
}

export interface ContrastiveOptions extends PairLossOptions {
  /** Distance beyond which different classes cost nothing. Default 1. */
  readonly margin?: number;
  /** Distance within which one class costs nothing. Default 0. */
  readonly positiveMargin?: number;
  /** Power of a pair's excess over its margin: 2 as the paper, 1 as pytorch-metric-learning. Default 2. */
  readonly power?: 1 | 2;
  /**
   * What `'mean'` divides by: all pairs, or, as pytorch-metric-learning, the pairs of one class by those of them that
   * cost something and the others by theirs (`'nonzero'`). Default `'all'`.
   */
  readonly average?: 'all' | 'nonzero';
  /** Normalises the features first. Default false. */
  readonly normalise?: boolean;
}

/**
 * max(0, d − positive margin)² for pairs of one class, max(0, margin − d)² for others, over all pairs i < j.
 *
 * Source: Hadsell, Chopra and LeCun, CVPR 2006 (without its ½). pytorch-metric-learning's `ContrastiveLoss` is
 * `{ power: 1, average: 'nonzero', normalise: true }`.
 */
export function contrastiveLoss(
  features: FloatArray,
  labels: ArrayLike<number>,
  options: ContrastiveOptions,
): LossResult {
  const { dimensions, margin = 1, positiveMargin = 0, power = 2, average = 'all' } = options;
  choiceOption('average', average, ['all', 'nonzero']);
  expectFinite('contrastiveLoss', ['features', features]);
  const pairs = pairMatrix(features, dimensions, 'euclidean', options.normalise ?? false);
  const { count, values } = pairs;
  expectLabels(labels, count);
  const { gradient, terms, scale } = openLoss(features, (count * (count - 1)) / 2, options);
  const excess = (i: number, j: number, same: boolean): number =>
    Math.max(0, same ? values[i * count + j]! - positiveMargin : margin - values[i * count + j]!);
  // of pairs of one class, and of the others: what their slopes are scaled by
  const scales = [scale, scale];
  if (average === 'nonzero' && (options.reduction ?? 'mean') === 'mean' && options.avgFactor === undefined) {
    const costly = [0, 0];
    eachPair(labels, (i, j, same) => {
      if (excess(i, j, same) > 0) costly[same ? 0 : 1]!++;
    });
    for (const kind of [0, 1]) scales[kind] = costly[kind] === 0 ? 0 : 1 / costly[kind]!;
  }
  const H = new Float64Array(count * count);
  let value = 0;
  let n = 0;
  eachPair(labels, (i, j, same) => {
    const by = scales[same ? 0 : 1]!;
    const e = excess(i, j, same);
    const term = power === 2 ? e * e : e;
    const slope = power === 2 ? 2 * e : e > 0 ? 1 : 0;
    H[i * count + j] = (same ? slope : -slope) * by;
    value += term * by;
    if (terms !== undefined) terms[n++] = term;
  });
  pairGradient(pairs, H, dimensions, gradient);
  return closeLoss('contrastiveLoss', value, { gradient, terms, scale: 1 });
}

/** Calls `visit` for all i < j, with whether they are of one class. */
function eachPair(labels: ArrayLike<number>, visit: (i: number, j: number, same: boolean) => void): void {
  for (let i = 0; i < labels.length; i++) {
    for (let j = i + 1; j < labels.length; j++) visit(i, j, labels[i] === labels[j]);
  }
}

export interface NPairResult extends LossResult {
  /** d value / d positives. */
  readonly positiveGradient: FloatArray;
}

/**
 * Cross-entropy over the products of each anchor with all positives, one pair a class: N×d anchors, N×d positives.
 *
 * Source: Sohn, "Improved Deep Metric Learning with Multi-class N-pair Loss", NIPS 2016.
 */
export function nPairLoss(anchors: FloatArray, positives: FloatArray, options: PairLossOptions): NPairResult {
  const { dimensions } = options;
  const count = rowCount('anchors', anchors, dimensions);
  expectLength('positives', positives, anchors.length);
  const buffers = openLoss(anchors, count, options);
  const { gradient, terms, scale } = buffers;
  const positiveGradient = sameType(positives, positives.length);
  gradient.fill(0);
  const logits = new Float64Array(count);
  const logProbabilities = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let dot = 0;
      for (let k = 0; k < dimensions; k++)
        dot += anchors[i * dimensions + k]! * positives[j * dimensions + k]!;
      logits[j] = dot;
    }
    logSoftmaxRow(logits, 0, count, logProbabilities);
    sum -= logProbabilities[i]!;
    if (terms !== undefined) terms[i] = -logProbabilities[i]!;
    for (let j = 0; j < count; j++) {
      const g = (Math.exp(logProbabilities[j]!) - (i === j ? 1 : 0)) * scale;
      for (let k = 0; k < dimensions; k++) {
        gradient[i * dimensions + k]! += g * positives[j * dimensions + k]!;
        positiveGradient[j * dimensions + k]! += g * anchors[i * dimensions + k]!;
      }
    }
  }
  return {
    ...closeLoss('nPairLoss', sum, buffers, ['anchors', anchors], ['positives', positives]),
    positiveGradient,
  };
}
