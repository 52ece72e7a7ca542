/** The margin softmax losses of face recognition: each is a margin rule, its defaults and its paper. */

import { checkCount, checkNumber } from '../../options.ts';
import type { FloatArray } from '../common.ts';
import { type MarginSoftmaxOptions, type MarginSoftmaxResult, marginSoftmax } from './margin-softmax.ts';
import {
  type ArcFallback,
  additiveAngle,
  additiveCosine,
  combined,
  curricular,
  magnitudeAware,
  multiplicativeAngle,
} from './margins.ts';

export interface ScaledMarginOptions extends MarginSoftmaxOptions {
  /** Radius s of the sphere the features lie on. Default 64. */
  readonly scale?: number;
}

/** Modified softmax: ‖f‖·cosθ with unit class weights and no bias. Source: Liu et al., "SphereFace", CVPR 2017, Eq. 5. */
export function modifiedSoftmaxLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: MarginSoftmaxOptions,
): MarginSoftmaxResult {
  return marginSoftmax(features, classWeights, labels, options, {
    name: 'modifiedSoftmaxLoss',
    scale: 'norm',
    rule: () => () => 0,
  });
}

/** Softmax of s·cosθ, features and weights both normalised (NormFace). */
export function normalisedSoftmaxLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: ScaledMarginOptions,
): MarginSoftmaxResult {
  return marginSoftmax(features, classWeights, labels, options, {
    name: 'normalisedSoftmaxLoss',
    scale: options.scale ?? 64,
    rule: () => () => 0,
  });
}

export interface SphereFaceOptions extends MarginSoftmaxOptions {
  /** Whole-numbered multiple m of the angle. Default 4. */
  readonly margin?: number;
  /** λ that mixes the plain cosine in; see {@link sphereFaceLambda}. Default 0. */
  readonly lambda?: number;
}

/**
 * SphereFace (A-Softmax): target logit ‖f‖·(λ·cosθ + ψ(θ))/(1 + λ), with its true gradient.
 *
 * Source: Liu et al., "SphereFace", CVPR 2017, Eq. 7. The Caffe layer instead normalises the direction of the feature
 * gradient and leaves the margin out of the weight gradient; that is not copied.
 */
export function sphereFaceLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: SphereFaceOptions,
): MarginSoftmaxResult {
  const { margin = 4, lambda = 0 } = options;
  checkCount('margin', margin);
  checkNumber('lambda', lambda, 0);
  return marginSoftmax(features, classWeights, labels, options, {
    name: 'sphereFaceLoss',
    scale: 'norm',
    rule: () => multiplicativeAngle(margin, lambda),
  });
}

export interface LambdaSchedule {
  /** Default 1000. */
  readonly base?: number;
  /** Default 0.12. */
  readonly gamma?: number;
  /** Default 1. */
  readonly power?: number;
  /** Default 5. */
  readonly minimum?: number;
}

/** λ of iteration `iteration`: max(minimum, base·(1 + γ·iteration)^−power), the annealing of the SphereFace layer. */
export function sphereFaceLambda(iteration: number, schedule: LambdaSchedule = {}): number {
  const { base = 1000, gamma = 0.12, power = 1, minimum = 5 } = schedule;
  return Math.max(minimum, base * (1 + gamma * iteration) ** -power);
}

export interface CosFaceOptions extends ScaledMarginOptions {
  /** Subtracted from the cosine. Default 0.35. */
  readonly margin?: number;
}

/** CosFace: target logit s·(cosθ − m). Source: Wang et al., "CosFace", CVPR 2018, Eq. 4. */
export function cosFaceLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: CosFaceOptions,
): MarginSoftmaxResult {
  return marginSoftmax(features, classWeights, labels, options, {
    name: 'cosFaceLoss',
    scale: options.scale ?? 64,
    rule: () => additiveCosine(options.margin ?? 0.35),
  });
}

export interface ArcFaceOptions extends ScaledMarginOptions {
  /** Added to the angle, radians. Default 0.5. */
  readonly margin?: number;
  /** Beyond θ + m = π: `'linear'` cosθ − m·sin m (the original), `'easy'` margin only where cosθ > 0, `'none'`. Default `'linear'`. */
  readonly fallback?: ArcFallback;
  /** `'straight-through'` takes d logit/d cosθ = s, as insightface's torch code does. Default `'exact'`. */
  readonly marginGradient?: 'exact' | 'straight-through';
}

/**
 * ArcFace: target logit s·cos(θ + m), d/dcosθ = s·sin(θ + m)/sin θ.
 *
 * `features` N×d and `classWeights` C×d are normalised here; gradients are with respect to what was passed.
 * Source: Deng et al., "ArcFace", CVPR 2019, Eq. 3.
 *
 * @example
 * const { value, gradient, weightGradient } = arcFaceLoss(features, weights, labels, { dimensions: 512, classes: 1000 });
 */
export function arcFaceLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: ArcFaceOptions,
): MarginSoftmaxResult {
  const { margin = 0.5, fallback = 'linear', marginGradient = 'exact' } = options;
  return marginSoftmax(features, classWeights, labels, options, {
    name: 'arcFaceLoss',
    scale: options.scale ?? 64,
    rule: () => additiveAngle(margin, fallback, marginGradient === 'straight-through'),
  });
}

export interface CombinedMarginOptions extends ScaledMarginOptions {
  /** Multiplies the angle. Default 1. */
  readonly m1?: number;
  /** Added to the angle, radians. Default 0. */
  readonly m2?: number;
  /** Subtracted from the cosine. Default 0. */
  readonly m3?: number;
}

/**
 * Target logit s·(cos(m1·θ + m2) − m3): (1, 0.5, 0) is ArcFace while θ + m2 ≤ π, (1, 0, 0.35) CosFace, (1, 0, 0) plain.
 *
 * Source: Deng et al., CVPR 2019, Eq. 4; insightface's mxnet loss (true gradient, no fallback).
 */
export function combinedMarginLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: CombinedMarginOptions,
): MarginSoftmaxResult {
  const { m1 = 1, m2 = 0, m3 = 0 } = options;
  return marginSoftmax(features, classWeights, labels, options, {
    name: 'combinedMarginLoss',
    scale: options.scale ?? 64,
    rule: () => combined(m1, m2, m3),
  });
}

export interface MagFaceOptions extends ScaledMarginOptions {
  /** Bounds of the feature's length. Default 10 and 110. */
  readonly lowerNorm?: number;
  readonly upperNorm?: number;
  /** Margins at those bounds. Default 0.45 and 0.8. */
  readonly lowerMargin?: number;
  readonly upperMargin?: number;
  /** Weight λ of the regulariser g(a) = 1/a + a/u². Default 20. */
  readonly regularisation?: number;
  /** Margin only where cosθ > 0. Default true. */
  readonly easyMargin?: boolean;
}

/**
 * MagFace: an angular margin that grows with the feature's length, and a regulariser that makes features long. The
 * length receives gradient through both.
 *
 * Source: Meng et al., "MagFace", CVPR 2021.
 */
export function magFaceLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: MagFaceOptions,
): MarginSoftmaxResult {
  const {
    lowerNorm = 10,
    upperNorm = 110,
    lowerMargin = 0.45,
    upperMargin = 0.8,
    regularisation = 20,
  } = options;
  const easy = options.easyMargin ?? true;
  let norms = new Float64Array(0);
  const result = marginSoftmax(features, classWeights, labels, options, {
    name: 'magFaceLoss',
    scale: options.scale ?? 64,
    rule: (batch) => {
      norms = batch.norms as Float64Array<ArrayBuffer>;
      return magnitudeAware({ lowerNorm, upperNorm, lowerMargin, upperMargin, easy });
    },
  });
  // mean over the batch, whatever the reduction of the classification part
  const { dimensions } = options;
  let extra = 0;
  for (let i = 0; i < norms.length; i++) {
    const norm = norms[i]!;
    const a = Math.min(Math.max(norm, lowerNorm), upperNorm);
    extra += 1 / a + a / (upperNorm * upperNorm);
    if (norm <= lowerNorm || norm >= upperNorm) continue;
    const slope = (regularisation * (1 / (upperNorm * upperNorm) - 1 / (a * a))) / norms.length / norm;
    for (let k = i * dimensions; k < (i + 1) * dimensions; k++) result.gradient[k]! += slope * features[k]!;
  }
  return {
    ...result,
    value: result.value + (norms.length === 0 ? 0 : (regularisation * extra) / norms.length),
  };
}

export interface CurricularFaceOptions extends ScaledMarginOptions {
  /** Added to the angle, radians. Default 0.5. */
  readonly margin?: number;
  /** Moving mean t of the target cosines, from the previous call. Default 0. */
  readonly t?: number;
  /** Share of t that is kept. Default 0.99. */
  readonly momentum?: number;
}

/**
 * CurricularFace: hard negatives become cosθ·(t + cosθ), with t a moving mean of the target cosines (detached), updated
 * before use and returned for the next call.
 *
 * Source: Huang et al., "CurricularFace", CVPR 2020.
 */
export function curricularFaceLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: CurricularFaceOptions,
): MarginSoftmaxResult & { readonly t: number } {
  const { margin = 0.5, momentum = 0.99 } = options;
  let t = options.t ?? 0;
  const result = marginSoftmax(features, classWeights, labels, options, {
    name: 'curricularFaceLoss',
    scale: options.scale ?? 64,
    rule: ({ targetCosines }) => {
      const mean = targetCosines.reduce((a, b) => a + b, 0) / Math.max(1, targetCosines.length);
      t = (1 - momentum) * mean + momentum * t;
      return curricular(margin, t);
    },
  });
  return { ...result, t };
}
