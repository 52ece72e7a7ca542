/** Losses whose target is a localisation quality: quality focal, varifocal, distribution focal. */
import { OptionError } from '../../errors.ts';
import { checkCount } from '../../options.ts';
import {
  closeLoss,
  expectFinite,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sampleCount,
} from '../common.ts';
import { elementLoss } from '../elements.ts';
import { binaryCrossEntropy, power, powerSlope, sigmoid } from './logistic.ts';
import { logSoftmaxRow } from './softmax.ts';

export interface QualityFocalOptions extends LossOptions {
  /** Focusing exponent. Default 2. */
  readonly beta?: number;
  /** C of N×C logits, where `weights` holds one a sample. Default 1. */
  readonly classes?: number;
}

/**
 * Quality focal loss |y − σ(x)|^β·BCE(x, y) of N×C logits against qualities y in 0–1 (0 for negatives; detached).
 *
 * Source: Li et al., "Generalized Focal Loss", NeurIPS 2020, Eq. 3; mmdetection `quality_focal_loss`.
 */
export function qualityFocalLoss(
  logits: FloatArray,
  qualities: ArrayLike<number>,
  options: QualityFocalOptions = {},
): LossResult {
  const { beta = 2, classes = 1 } = options;
  const inputs = [['logits', logits] as const, ['qualities', qualities] as const] as const;
  return elementLoss('qualityFocalLoss', ...inputs, options, classes, (xs, ys, from, to, terms, slopes) => {
    for (let i = from; i < to; i++) {
      const x = xs[i]!;
      const y = ys[i]!;
      const p = sigmoid(x);
      const distance = Math.abs(p - y);
      const crossEntropy = binaryCrossEntropy(x, y);
      const modulation = power(distance, beta);
      terms[i - from] = modulation * crossEntropy;
      slopes[i - from] =
        modulation * (p - y) + powerSlope(distance, beta) * Math.sign(p - y) * p * (1 - p) * crossEntropy;
    }
  });
}

export interface VarifocalOptions extends LossOptions {
  /** Weight of negatives. Default 0.75. */
  readonly alpha?: number;
  /** Focusing exponent of negatives. Default 2. */
  readonly gamma?: number;
  /** Weights positives by their quality; false weights them 1. Default true. */
  readonly iouWeighted?: boolean;
  /** Stops the gradient through the negatives' weight, as RT-DETR does. Default false (mmdetection, ultralytics). */
  readonly detachWeight?: boolean;
  /** 1 for positives, an element each; a positive of quality 0 then weighs 0 (ultralytics). Default: quality > 0. */
  readonly positives?: ArrayLike<number>;
  /** C of N×C logits, where `weights` holds one a sample. Default 1. */
  readonly classes?: number;
}

/**
 * Varifocal loss: BCE(x, q) weighted q for positives and α·σ(x)^γ for negatives.
 *
 * Source: Zhang et al., "VarifocalNet", CVPR 2021, Eq. 2; mmdetection `varifocal_loss`, ultralytics `VarifocalLoss`.
 */
export function varifocalLoss(
  logits: FloatArray,
  qualities: ArrayLike<number>,
  options: VarifocalOptions = {},
): LossResult {
  const {
    alpha = 0.75,
    gamma = 2,
    iouWeighted = true,
    detachWeight = false,
    positives,
    classes = 1,
  } = options;
  expectLength('positives', positives, logits.length);
  expectFinite('varifocalLoss', ['positives', positives]);
  const inputs = [['logits', logits] as const, ['qualities', qualities] as const] as const;
  return elementLoss('varifocalLoss', ...inputs, options, classes, (xs, qs, from, to, terms, slopes) => {
    for (let i = from; i < to; i++) {
      const x = xs[i]!;
      const q = qs[i]!;
      const p = sigmoid(x);
      const crossEntropy = binaryCrossEntropy(x, q);
      const isPositive = positives === undefined ? q > 0 : positives[i]! > 0;
      // |p − q| = p for negatives, whose quality is 0
      const distance = Math.abs(p - q);
      const factor = isPositive ? (iouWeighted ? q : 1) : alpha * power(distance, gamma);
      const factorSlope =
        isPositive || detachWeight ? 0 : alpha * powerSlope(distance, gamma) * Math.sign(p - q) * p * (1 - p);
      terms[i - from] = factor * crossEntropy;
      slopes[i - from] = factor * (p - q) + factorSlope * crossEntropy;
    }
  });
}

export interface DistributionFocalOptions extends LossOptions {
  /** Number of bins (reg_max + 1). */
  readonly bins: number;
  /** Targets are clamped to 0 … bins − 1 − this. Default: none; a target outside is an OptionError. */
  readonly clampMargin?: number;
}

/**
 * Distribution focal loss −[(i + 1 − y)·ln S_i + (y − i)·ln S_{i+1}], i = ⌊y⌋, of N×bins logits against N distances y
 * in bins (detached). Smallest where softmax is the linear interpolation of y.
 *
 * Source: Li et al., "Generalized Focal Loss", NeurIPS 2020, Eq. 6. Clamping: mmdetection 0.1, ultralytics 0.01.
 */
export function distributionFocalLoss(
  logits: FloatArray,
  distances: ArrayLike<number>,
  options: DistributionFocalOptions,
): LossResult {
  const { bins, clampMargin, weights } = options;
  const samples = sampleCount('logits', logits.length, bins);
  checkCount('bins', bins, 2);
  expectLength('distances', distances, samples);
  expectLength('weights', weights, samples);
  expectFinite('distributionFocalLoss', ['logits', logits], ['distances', distances]);
  const buffers = openLoss(logits, samples, options);
  const { gradient, terms, scale } = buffers;
  const logProbabilities = new Float64Array(bins);
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    let y = distances[i]!;
    if (clampMargin !== undefined) y = Math.min(Math.max(y, 0), bins - 1 - clampMargin);
    else if (y < 0 || y > bins - 1) {
      throw new OptionError(`distances[${i}] must lie in 0–${bins - 1}, got ${y}`, { index: i, bins });
    }
    const left = Math.min(Math.floor(y), bins - 2);
    const upper = y - left;
    const weight = weights === undefined ? 1 : weights[i]!;
    logSoftmaxRow(logits, i * bins, bins, logProbabilities);
    const term = -weight * ((1 - upper) * logProbabilities[left]! + upper * logProbabilities[left + 1]!);
    sum += term;
    if (terms !== undefined) terms[i] = term;
    for (let b = 0; b < bins; b++) {
      const target = b === left ? 1 - upper : b === left + 1 ? upper : 0;
      gradient[i * bins + b] = weight * (Math.exp(logProbabilities[b]!) - target) * scale;
    }
  }
  return closeLoss('distributionFocalLoss', sum, buffers, ['weights', weights]);
}
