/** Softmax cross-entropy and softmax focal loss, on logits. */
import { checkNumber, choiceOption } from '../../options.ts';
import {
  checkLabels,
  closeLoss,
  expectFinite,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sampleCount,
} from '../common.ts';
import { power, powerSlope } from './logistic.ts';
import { logSoftmaxRow } from './softmax.ts';

export interface CrossEntropyOptions extends LossOptions {
  /** C of N×C logits. */
  readonly classes: number;
  /** ε of label smoothing: targets become (1 − ε)·onehot + ε·u. Default 0. */
  readonly labelSmoothing?: number;
  /** u of label smoothing, C numbers that sum to 1. Default uniform, 1/C. */
  readonly smoothingDistribution?: ArrayLike<number>;
  /** A weight a class. */
  readonly classWeights?: ArrayLike<number>;
  /** Samples with this label count for nothing. Default −100. */
  readonly ignoreIndex?: number;
  /**
   * What `'mean'` divides by: the summed class weights of counted samples (torch), or all N samples (mmdetection).
   * Default `'counted'`; `'all'` with `preset: 'mmdetection'`.
   */
  readonly averageOver?: 'counted' | 'all';
}

/**
 * Softmax cross-entropy −Σ_c q_c·ln softmax_c of N×C logits.
 *
 * `labels`: N class indices, or N×C probabilities. Class weights multiply each class's term, also of the smoothed part,
 * as in torch. A sample weight in `weights` multiplies its term.
 *
 * Source: torch `cross_entropy`; label smoothing: Szegedy et al., CVPR 2016.
 *
 * @example
 * crossEntropyLoss(Float32Array.of(1.2, -0.8, -0.5), [0], { classes: 3 }).value; // 0.2761
 */
export function crossEntropyLoss(
  logits: FloatArray,
  labels: ArrayLike<number>,
  options: CrossEntropyOptions,
): LossResult {
  const { classes, labelSmoothing = 0, smoothingDistribution, classWeights, weights } = options;
  const ignoreIndex = options.ignoreIndex ?? -100;
  const samples = sampleCount('logits', logits.length, classes);
  const soft = labels.length === logits.length && classes > 1;
  if (!soft) checkLabels(labels, samples, classes, ignoreIndex);
  checkNumber('labelSmoothing', labelSmoothing, 0, 1);
  expectLength('smoothingDistribution', smoothingDistribution, classes);
  expectLength('classWeights', classWeights, classes);
  expectLength('weights', weights, samples);

  const averageOver = options.averageOver ?? (options.preset === 'mmdetection' ? 'all' : 'counted');
  let divisor = samples;
  if (choiceOption('averageOver', averageOver, ['counted', 'all']) === 'counted' && !soft) {
    divisor = 0;
    for (let i = 0; i < samples; i++) {
      if (labels[i] !== ignoreIndex) divisor += classWeights === undefined ? 1 : classWeights[labels[i]!]!;
    }
  }
  expectFinite('crossEntropyLoss', ['logits', logits], ['weights', weights], ['classWeights', classWeights]);
  const buffers = openLoss(logits, samples, options);
  const plainMean = (options.reduction ?? 'mean') === 'mean' && options.avgFactor === undefined;
  const scale = plainMean ? (divisor === 0 ? 0 : 1 / divisor) : buffers.scale;
  const { gradient, terms } = buffers;
  const logProbabilities = new Float64Array(classes);
  const target = new Float64Array(classes);

  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const offset = i * classes;
    if (!soft && labels[i] === ignoreIndex) {
      gradient.fill(0, offset, offset + classes);
      continue;
    }
    logSoftmaxRow(logits, offset, classes, logProbabilities);
    let mass = 0;
    let term = 0;
    for (let c = 0; c < classes; c++) {
      const hard = soft ? labels[offset + c]! : labels[i] === c ? 1 : 0;
      const u = smoothingDistribution === undefined ? 1 / classes : smoothingDistribution[c]!;
      let q = (1 - labelSmoothing) * hard + labelSmoothing * u;
      if (classWeights !== undefined) q *= classWeights[c]!;
      target[c] = q;
      mass += q;
      if (q !== 0) term -= q * logProbabilities[c]!;
    }
    const weight = weights === undefined ? 1 : weights[i]!;
    term *= weight;
    sum += term;
    if (terms !== undefined) terms[i] = term;
    for (let c = 0; c < classes; c++) {
      gradient[offset + c] = (mass * Math.exp(logProbabilities[c]!) - target[c]!) * weight * scale;
    }
  }
  return closeLoss(
    'crossEntropyLoss',
    sum,
    { gradient, terms, scale },
    ['labels', labels],
    ['smoothingDistribution', smoothingDistribution],
  );
}

export interface SoftmaxFocalOptions extends LossOptions {
  /** C of N×C logits. */
  readonly classes: number;
  /** One factor for every label (there is no 1 − alpha here). Default 0.25. */
  readonly alpha?: number;
  /** Default 2. */
  readonly gamma?: number;
  /** Adds `polyEpsilon · (1 − p_y)^(gamma + 1)`: with alpha 1 and gamma 0 Poly-1 cross-entropy. Default 0. */
  readonly polyEpsilon?: number;
  /** A weight a class, taken by the label. */
  readonly classWeights?: ArrayLike<number>;
  /** Samples with this label count for nothing, as do those with a negative one. */
  readonly ignoreIndex?: number;
}

/**
 * Softmax focal loss −Σ_c q_c·α·w_c·(1 − p_c)^γ·ln p_c of N×C logits. `'mean'` divides by N.
 *
 * `labels`: N class indices (q is 1 at the label; a negative one counts for nothing), or N×C probabilities q.
 * Source: mmcv `softmax_focal_loss`; Leng et al., "PolyLoss", ICLR 2022, for `polyEpsilon`.
 */
export function softmaxFocalLoss(
  logits: FloatArray,
  labels: ArrayLike<number>,
  options: SoftmaxFocalOptions,
): LossResult {
  const { classes, alpha = 0.25, gamma = 2, polyEpsilon = 0, classWeights, weights, ignoreIndex } = options;
  const samples = sampleCount('logits', logits.length, classes);
  const soft = labels.length === logits.length && classes > 1;
  const ignored = (label: number): boolean => label < 0 || label === ignoreIndex;
  if (!soft) {
    checkLabels(
      Array.from(labels, (label) => (ignored(label) ? -1 : label)),
      samples,
      classes,
      -1,
    );
  }
  expectLength('classWeights', classWeights, classes);
  expectLength('weights', weights, samples);
  expectFinite('softmaxFocalLoss', ['logits', logits], ['weights', weights], ['classWeights', classWeights]);
  const buffers = openLoss(logits, samples, options);
  const { gradient, terms, scale } = buffers;
  const logProbabilities = new Float64Array(classes);
  const slopes = new Float64Array(classes); // d term / d ln p

  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const offset = i * classes;
    if (!soft && ignored(labels[i]!)) {
      gradient.fill(0, offset, offset + classes);
      continue;
    }
    logSoftmaxRow(logits, offset, classes, logProbabilities);
    const weight = alpha * (weights === undefined ? 1 : weights[i]!);
    let term = 0;
    let total = 0;
    for (let c = 0; c < classes; c++) {
      const q = soft ? labels[offset + c]! : labels[i] === c ? 1 : 0;
      slopes[c] = 0;
      if (q === 0) continue;
      const factor = weight * q * (classWeights === undefined ? 1 : classWeights[c]!);
      const logP = logProbabilities[c]!;
      const p = Math.exp(logP);
      const miss = -Math.expm1(logP);
      const modulation = power(miss, gamma);
      term += factor * modulation * (polyEpsilon * miss - logP);
      slopes[c] =
        factor * (powerSlope(miss, gamma) * p * logP - modulation * (1 + polyEpsilon * (gamma + 1) * p));
      total += slopes[c]!;
    }
    sum += term;
    if (terms !== undefined) terms[i] = term;
    for (let c = 0; c < classes; c++) {
      gradient[offset + c] = (slopes[c]! - total * Math.exp(logProbabilities[c]!)) * scale;
    }
  }
  return closeLoss('softmaxFocalLoss', sum, buffers, ['labels', labels]);
}
