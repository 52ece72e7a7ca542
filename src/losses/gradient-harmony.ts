/**
 * Gradient-harmonised losses: every term weighs the inverse of how many others have a gradient as large as its own.
 *
 * With `momentum` the bin counts are a moving average; the state goes in and comes out, nothing is kept here.
 */

import { checkCount, checkNumber } from '../options.ts';
import { binaryCrossEntropy, sigmoid } from './classification/logistic.ts';
import {
  closeLoss,
  expectFinite,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
} from './common.ts';

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
  const { bins = 10, mask } = options;
  expectLength('targets', targets, logits.length);
  expectLength('mask', mask, logits.length);
  expectFinite(
    'ghmClassificationLoss',
    ['logits', logits],
    ['targets', targets],
    ['mask', mask],
    ['binCounts', options.binCounts],
  );
  const binOf = new Int32Array(logits.length);
  for (let i = 0; i < logits.length; i++) {
    const counted = mask === undefined || mask[i]! > 0;
    binOf[i] = counted ? binOfNorm(Math.abs(sigmoid(logits[i]!) - targets[i]!), bins, 1 + 1e-6) : -2;
  }
  const harmony = harmonise(binOf, bins, options);
  const buffers = openLoss(logits, logits.length, withTotal(options, harmony.total));
  const { gradient, terms, scale } = buffers;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const bin = binOf[i]!;
    const weight = bin < 0 ? 0 : harmony.weights[bin]!;
    const x = logits[i]!;
    const t = targets[i]!;
    const term = weight === 0 ? 0 : weight * binaryCrossEntropy(x, t);
    sum += term;
    if (terms !== undefined) terms[i] = term;
    gradient[i] = weight * (sigmoid(x) - t) * scale;
  }
  const result = closeLoss('ghmClassificationLoss', sum, buffers);
  return { ...result, binCounts: harmony.binCounts };
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
  const { bins = 10, mask, mu = 0.02 } = options;
  checkNumber('mu', mu, 0);
  expectLength('target', target, prediction.length);
  expectLength('mask', mask, prediction.length);
  expectFinite(
    'ghmRegressionLoss',
    ['prediction', prediction],
    ['target', target],
    ['mask', mask],
    ['binCounts', options.binCounts],
  );
  const binOf = new Int32Array(prediction.length);
  for (let i = 0; i < prediction.length; i++) {
    const d = prediction[i]! - target[i]!;
    const counted = mask === undefined || mask[i]! > 0;
    binOf[i] = counted ? binOfNorm(Math.abs(d / Math.hypot(d, mu)), bins, 1e3) : -2;
  }
  const harmony = harmonise(binOf, bins, options);
  const buffers = openLoss(prediction, prediction.length, withTotal(options, harmony.total));
  const { gradient, terms, scale } = buffers;
  let sum = 0;
  for (let i = 0; i < prediction.length; i++) {
    const d = prediction[i]! - target[i]!;
    const length = Math.hypot(d, mu);
    const bin = binOf[i]!;
    const weight = bin < 0 ? 0 : harmony.weights[bin]!;
    const term = weight * (length - mu);
    sum += term;
    if (terms !== undefined) terms[i] = term;
    gradient[i] = (weight * d * scale) / (length || 1);
  }
  const result = closeLoss('ghmRegressionLoss', sum, buffers);
  return { ...result, binCounts: harmony.binCounts };
}

function withTotal(options: GradientHarmonyOptions, total: number): LossOptions {
  const reduction = options.reduction ?? 'mean';
  return { ...options, reduction, ...(reduction === 'mean' ? { avgFactor: total } : {}) };
}
