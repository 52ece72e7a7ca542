/**
 * Gradient-harmonised losses: every term weighs the inverse of how many others have a gradient as large as its own.
 *
 * With `momentum` the bin counts are a moving average; the state goes in and comes out, nothing is kept here.
 */

import { checkCount, checkNumber } from '../options.ts';
import { binaryCrossEntropy, sigmoid } from './classification/logistic.ts';
import { expectFinite, expectLength, type FloatArray, type LossOptions, type LossResult } from './common.ts';
import { type ElementRule, elementLoss } from './elements.ts';

export interface GradientHarmonyOptions extends Pick<LossOptions, 'reduction' | 'out'> {
  /** Number of gradient-norm bins. Default 10. */
  readonly bins?: number;
  /** Share of the old bin counts kept, 0–1. Default 0: the counts of this call alone. */
  readonly momentum?: number;
  /** Bin counts of the previous call; `bins` numbers. */
  readonly binCounts?: Float64Array;
  /** 0 leaves an element out. Default: all count. */
  readonly mask?: ArrayLike<number>;
}

export interface GradientHarmonyResult extends LossResult {
  /** Moving bin counts to hand to the next call. */
  readonly binCounts: Float64Array;
}

interface Harmony {
  /** Weight of each bin's elements. */
  readonly weights: Float64Array;
  readonly total: number;
  readonly binCounts: Float64Array;
}

/** Weights total/count/occupied of every bin (mmdetection `GHMC.forward`). */
function harmonise(binOf: Int32Array, bins: number, options: GradientHarmonyOptions): Harmony {
  const momentum = checkNumber('momentum', options.momentum ?? 0, 0, 1);
  const counts = new Float64Array(checkCount('bins', bins));
  let counted = 0;
  for (const bin of binOf) {
    if (bin === -2) continue;
    counted++;
    if (bin >= 0) counts[bin]!++;
  }
  const total = Math.max(counted, 1);
  const binCounts = new Float64Array(bins);
  if (options.binCounts !== undefined) {
    expectLength('binCounts', options.binCounts, bins);
    binCounts.set(options.binCounts);
  }
  const weights = new Float64Array(bins);
  let occupied = 0;
  for (let b = 0; b < bins; b++) {
    if (counts[b] === 0) continue;
    occupied++;
    binCounts[b] = momentum > 0 ? momentum * binCounts[b]! + (1 - momentum) * counts[b]! : counts[b]!;
    weights[b] = total / binCounts[b]!;
  }
  if (occupied > 0) for (let b = 0; b < bins; b++) weights[b]! /= occupied;
  return { weights, total, binCounts };
}

/** Bin of gradient norm g in equal bins over 0–1; −1 beyond the last edge. */
function binOfNorm(g: number, bins: number, lastEdge: number): number {
  if (g >= lastEdge) return -1;
  let bin = Math.min(Math.floor(g * bins), bins - 1);
  // the edges are i/bins in float64; floor(g·bins) may be one off beside an edge
  if (g < bin / bins) bin--;
  else if (bin + 1 < bins && g >= (bin + 1) / bins) bin++;
  return bin;
}

/** Both losses: a term weighs what the bin of its slope says. */
function harmonised(
  name: string,
  prediction: readonly [name: string, values: FloatArray],
  target: readonly [name: string, values: ArrayLike<number>],
  options: GradientHarmonyOptions,
  lastEdge: number,
  rule: ElementRule,
): GradientHarmonyResult {
  const { bins = 10, mask, binCounts } = options;
  const [, x] = prediction;
  expectLength(...target, x.length);
  expectLength('mask', mask, x.length);
  expectFinite(name, prediction, target, ['mask', mask], ['binCounts', binCounts]);
  const slopes = new Float64Array(x.length);
  rule(x, target[1], 0, x.length, slopes.slice(), slopes);
  const binOf = Int32Array.from(slopes, (slope, i) =>
    mask === undefined || mask[i]! > 0 ? binOfNorm(Math.abs(slope), bins, lastEdge) : -2,
  );
  const harmony = harmonise(binOf, bins, options);
  const weights = Float64Array.from(binOf, (bin) => harmony.weights[bin] ?? 0);
  const mean = (options.reduction ?? 'mean') === 'mean' ? { avgFactor: harmony.total } : {};
  const result = elementLoss(name, prediction, target, { ...options, ...mean, weights }, 1, rule);
  return { ...result, binCounts: harmony.binCounts };
}

/**
 * GHM-C: binary cross-entropy weighted by gradient density, g = |σ(x) − t| (detached); `'mean'` divides by the number
 * of counted elements.
 *
 * Source: Li et al., "Gradient Harmonized Single-stage Detector", AAAI 2019; mmdetection `GHMC`.
 */
export function ghmClassificationLoss(
  logits: FloatArray,
  targets: ArrayLike<number>,
  options: GradientHarmonyOptions = {},
): GradientHarmonyResult {
  const inputs = [['logits', logits] as const, ['targets', targets] as const] as const;
  return harmonised(
    'ghmClassificationLoss',
    ...inputs,
    options,
    1 + 1e-6,
    (x, t, from, to, terms, slopes) => {
      for (let i = from; i < to; i++) {
        terms[i - from] = binaryCrossEntropy(x[i]!, t[i]!);
        slopes[i - from] = sigmoid(x[i]!) - t[i]!;
      }
    },
  );
}

/**
 * GHM-R: authentic smooth-L1 √(d² + μ²) − μ weighted by gradient density, g = |d|/√(d² + μ²) (detached).
 *
 * Source: as above; mmdetection `GHMR` (μ 0.02, last edge 1000).
 */
export function ghmRegressionLoss(
  prediction: FloatArray,
  target: ArrayLike<number>,
  options: GradientHarmonyOptions & { readonly mu?: number } = {},
): GradientHarmonyResult {
  const mu = checkNumber('mu', options.mu ?? 0.02, 0);
  const inputs = [['prediction', prediction] as const, ['target', target] as const] as const;
  return harmonised('ghmRegressionLoss', ...inputs, options, 1e3, (x, t, from, to, terms, slopes) => {
    for (let i = from; i < to; i++) {
      const difference = x[i]! - t[i]!;
      const length = Math.hypot(difference, mu);
      terms[i - from] = length - mu;
      slopes[i - from] = difference / (length || 1);
    }
  });
}
