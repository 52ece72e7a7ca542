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
  const { classes, labelSmoothing = 0, smoothingDistribution, classWeights, ignoreIndex = -100 } = options;
  checkNumber('labelSmoothing', labelSmoothing, 0, 1);
  expectLength('smoothingDistribution', smoothingDistribution, classes);
  expectFinite('crossEntropyLoss', ['smoothingDistribution', smoothingDistribution]);
  const averageOver = options.averageOver ?? (options.preset === 'mmdetection' ? 'all' : 'counted');
  choiceOption('averageOver', averageOver, ['counted', 'all']);
  const ignored = (label: number): boolean => label === ignoreIndex;
  let counted = 0;
  for (let i = 0; i < labels.length; i++)
    if (!ignored(labels[i]!)) counted += classWeights?.[labels[i]!] ?? 1;
  return softmaxLoss('crossEntropyLoss', logits, labels, options, {
    ignored,
    target: (hard, c) =>
      (1 - labelSmoothing) * hard + labelSmoothing * (smoothingDistribution?.[c] ?? 1 / classes),
    gamma: 0,
    polyEpsilon: 0,
    ...(averageOver === 'counted' ? { divisor: counted } : {}),
  });
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
  const { alpha = 0.25, gamma = 2, polyEpsilon = 0, ignoreIndex } = options;
  return softmaxLoss('softmaxFocalLoss', logits, labels, options, {
    ignored: (label) => label < 0 || label === ignoreIndex,
    target: (hard) => alpha * hard,
    gamma,
    polyEpsilon,
  });
}

interface SoftmaxRule {
  /** Whether samples with this label count for nothing. */
  readonly ignored: (label: number) => boolean;
  /** q of class c, given 1 at the label or what a soft target says. */
  readonly target: (given: number, c: number) => number;
  readonly gamma: number;
  readonly polyEpsilon: number;
  /** What a plain mean divides by where labels are indices. Default the number of samples. */
  readonly divisor?: number;
}

/** −Σ_c w_c·q_c·(1 − p_c)^γ·(ln p_c − ε·(1 − p_c)) a sample: with γ and ε 0 the cross-entropy. */
function softmaxLoss(
  name: string,
  logits: FloatArray,
  labels: ArrayLike<number>,
  options: LossOptions & { readonly classes: number; readonly classWeights?: ArrayLike<number> },
  { ignored, target, gamma, polyEpsilon, divisor }: SoftmaxRule,
): LossResult {
  const { classes, classWeights, weights } = options;
  const samples = sampleCount('logits', logits.length, classes);
  const soft = labels.length === logits.length && classes > 1;
  if (!soft) {
    checkLabels(
      Array.from(labels, (label) => (ignored(label) ? 0 : label)),
      samples,
      classes,
    );
  }
  expectLength('classWeights', classWeights, classes);
  expectLength('weights', weights, samples);
  expectFinite(name, ['logits', logits], ['weights', weights], ['classWeights', classWeights]);
  const buffers = openLoss(logits, samples, options);
  const plainMean = (options.reduction ?? 'mean') === 'mean' && options.avgFactor === undefined;
  const scale = !plainMean || soft || divisor === undefined ? buffers.scale : divisor === 0 ? 0 : 1 / divisor;
  const { gradient, terms } = buffers;
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
    let term = 0;
    let total = 0;
    for (let c = 0; c < classes; c++) {
      const q = target(soft ? labels[offset + c]! : labels[i] === c ? 1 : 0, c);
      slopes[c] = 0;
      if (q === 0) continue;
      const factor = q * (weights?.[i] ?? 1) * (classWeights?.[c] ?? 1);
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
  return closeLoss(name, sum, { gradient, terms, scale }, ['labels', labels]);
}
