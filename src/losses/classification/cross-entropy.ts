/** Softmax cross-entropy and softmax focal loss, on logits. */
import { OptionError } from '../../errors.ts';
import {
  closeLoss,
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
  /** What `'mean'` divides by: the summed class weights of counted samples (torch), or all N samples (mmdetection). Default `'counted'`. */
  readonly averageOver?: 'counted' | 'all';
}

/** Throws unless every label is a class or the ignored index. */
function checkLabels(labels: ArrayLike<number>, classes: number, ignoreIndex: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label !== ignoreIndex && !(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new OptionError(`labels[${i}] must be a class index from 0 to ${classes - 1}, got ${label}`, {
        index: i,
      });
    }
  }
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
  if (!soft) {
    expectLength('labels', labels, samples);
    checkLabels(labels, classes, ignoreIndex);
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new OptionError(`labelSmoothing must lie in 0–1, got ${labelSmoothing}`, { labelSmoothing });
  }
  if (smoothingDistribution !== undefined)
    expectLength('smoothingDistribution', smoothingDistribution, classes);
  if (classWeights !== undefined) expectLength('classWeights', classWeights, classes);
  if (weights !== undefined) expectLength('weights', weights, samples);

  let divisor = samples;
  if (!soft && options.averageOver !== 'all') {
    divisor = 0;
    for (let i = 0; i < samples; i++) {
      if (labels[i] !== ignoreIndex) divisor += classWeights === undefined ? 1 : classWeights[labels[i]!]!;
    }
  }
  const buffers = openLoss(logits, samples, options);
  const scale =
    options.reduction === undefined || options.reduction === 'mean'
      ? options.avgFactor === undefined
        ? divisor === 0
          ? 0
          : 1 / divisor
        : buffers.scale
      : buffers.scale;
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
    ['logits', logits],
    ['labels', labels],
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
}

/**
 * Softmax focal loss −α·w_y·(1 − p_y)^γ·ln p_y of N×C logits; a negative label counts for nothing. `'mean'` divides by N.
 *
 * Source: mmcv `softmax_focal_loss`; Leng et al., "PolyLoss", ICLR 2022, for `polyEpsilon`.
 */
export function softmaxFocalLoss(
  logits: FloatArray,
  labels: ArrayLike<number>,
  options: SoftmaxFocalOptions,
): LossResult {
  const { classes, alpha = 0.25, gamma = 2, polyEpsilon = 0, classWeights, weights } = options;
  const samples = sampleCount('logits', logits.length, classes);
  expectLength('labels', labels, samples);
  if (classWeights !== undefined) expectLength('classWeights', classWeights, classes);
  if (weights !== undefined) expectLength('weights', weights, samples);
  const buffers = openLoss(logits, samples, options);
  const { gradient, terms, scale } = buffers;
  const logProbabilities = new Float64Array(classes);

  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const offset = i * classes;
    const label = labels[i]!;
    if (label < 0) {
      gradient.fill(0, offset, offset + classes);
      continue;
    }
    if (!Number.isInteger(label) || label >= classes) {
      throw new OptionError(`labels[${i}] must be a class index below ${classes}, got ${label}`, {
        index: i,
      });
    }
    logSoftmaxRow(logits, offset, classes, logProbabilities);
    const logP = logProbabilities[label]!;
    const p = Math.exp(logP);
    const miss = -Math.expm1(logP);
    let factor = alpha * (classWeights === undefined ? 1 : classWeights[label]!);
    if (weights !== undefined) factor *= weights[i]!;
    const modulation = power(miss, gamma);
    const term = factor * modulation * (polyEpsilon * miss - logP);
    // d term / d ln p
    const slope =
      factor * (powerSlope(miss, gamma) * p * logP - modulation * (1 + polyEpsilon * (gamma + 1) * p));
    sum += term;
    if (terms !== undefined) terms[i] = term;
    for (let c = 0; c < classes; c++) {
      gradient[offset + c] = slope * ((c === label ? 1 : 0) - Math.exp(logProbabilities[c]!)) * scale;
    }
  }
  return closeLoss(
    'softmaxFocalLoss',
    sum,
    buffers,
    ['logits', logits],
    ['labels', labels],
    ['weights', weights ?? []],
  );
}
