/** Sigmoid focal loss and binary cross-entropy, on logits. */
import { OptionError } from '../../errors.ts';
import { useSimd } from '../../kernels/backend.ts';
import { focalKernel } from '../../kernels/losses.ts';
import { checkNumber } from '../../options.ts';
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
import { areLabels, denseTargets, weightsWithIgnored } from './targets.ts';

export interface SigmoidLossOptions extends LossOptions {
  /** C of N×C logits; needed where targets are class indices or weights are one a sample. Default 1. */
  readonly classes?: number;
  /**
   * Where targets are class indices: samples with this one count for nothing (mmdetection 255, detectron2 and
   * EfficientDet −1 or −2). `'mean'` still divides by all N·C, as mmdetection does; `avgFactor` divides otherwise.
   * Default none: C and every negative index are background.
   */
  readonly ignoreIndex?: number;
}

export interface SigmoidFocalOptions extends SigmoidLossOptions {
  /** Weight of positives, 1 − alpha of negatives; −1 turns it off. Default 0.25. */
  readonly alpha?: number;
  /** Focusing exponent ≥ 0. Default 2. */
  readonly gamma?: number;
  /** Adds `polyEpsilon · (1 − p_t)^(gamma + 1)` (Poly-1 focal loss). Default 0. */
  readonly polyEpsilon?: number;
}

/**
 * Focal loss α_t·(1 − p_t)^γ·BCE of N×C logits; the modulating factor is differentiated.
 *
 * `targets`: N×C numbers in 0–1 (soft targets allowed) or N class indices with `classes` (C or negative: background).
 * With `reduction: 'mean'` the sum is divided by N·C as torchvision does; other libraries' divisors come from
 * `lossNormalizer` through `avgFactor`. Exact limits: γ = 0, α = −1 is binary cross-entropy.
 *
 * Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, Eq. 5; torchvision `sigmoid_focal_loss`;
 * Poly: Leng et al., "PolyLoss", ICLR 2022.
 *
 * @example
 * sigmoidFocalLoss(Float32Array.of(2, -1), Float32Array.of(1, 0), { reduction: 'sum' }).value; // 0.0172…
 */
export function sigmoidFocalLoss(
  logits: FloatArray,
  targets: ArrayLike<number>,
  options: SigmoidFocalOptions = {},
): LossResult {
  const { alpha = 0.25, gamma = 2, polyEpsilon = 0, classes, ignoreIndex } = options;
  if (!(alpha === -1 || (alpha >= 0 && alpha <= 1))) {
    throw new OptionError(`alpha must be −1 or lie in 0–1, got ${alpha}`, { alpha });
  }
  checkNumber('gamma', gamma, 0);
  const columns = classes ?? 1;
  const samples = sampleCount('logits', logits.length, columns);
  const labels = areLabels(targets, logits.length, classes, ignoreIndex);
  const [weights, stride] = weightsWithIgnored(
    options.weights,
    targets,
    samples,
    logits.length,
    labels,
    ignoreIndex,
  );
  const buffers = openLoss(logits, logits.length, options);
  const { gradient, terms, scale } = buffers;
  const positive = alpha === -1 ? 1 : alpha;
  const negative = alpha === -1 ? 1 : 1 - alpha;
  // What a detector trains with; targets that the kernel's float32 would round stay with the loop.
  const exact = labels || targets instanceof Float32Array || targets instanceof Uint8Array;
  const common = gamma === 2 && polyEpsilon === 0 && stride === 0 && terms === undefined;
  if (common && logits instanceof Float32Array && exact && useSimd()) {
    const factors = { positive, negative, scale };
    const total = focalKernel({ logits, targets, labels, columns, ...factors, gradient });
    if (total !== null)
      return closeLoss('sigmoidFocalLoss', total, buffers, ['logits', logits], ['targets', targets]);
  }

  const dense = denseTargets(targets, logits.length, classes, ignoreIndex);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const x = logits[i]!;
    const t = dense[i]!;
    const e = Math.exp(x > 0 ? -x : x);
    const large = 1 / (1 + e);
    const small = e * large;
    const p = x > 0 ? large : small;
    const q = x > 0 ? small : large; // 1 − p without cancellation
    const crossEntropy = (x > 0 ? x : 0) - x * t + Math.log1p(e);
    const miss = p * (1 - t) + q * t; // 1 − p_t
    const missSlope = (1 - 2 * t) * p * q;
    const modulation = power(miss, gamma);
    let factor = positive * t + negative * (1 - t);
    if (stride !== 0) factor *= weights![stride === 1 ? (i / columns) | 0 : i]!;
    let term = modulation * crossEntropy;
    let slope = modulation * (p - t) + powerSlope(miss, gamma) * missSlope * crossEntropy;
    if (polyEpsilon !== 0) {
      term += polyEpsilon * modulation * miss;
      slope += polyEpsilon * (gamma + 1) * modulation * missSlope;
    }
    term *= factor;
    sum += term;
    if (terms !== undefined) terms[i] = term;
    gradient[i] = slope * factor * scale;
  }
  return closeLoss(
    'sigmoidFocalLoss',
    sum,
    buffers,
    ['logits', logits],
    ['targets', targets],
    ['weights', options.weights],
  );
}

export interface BinaryCrossEntropyOptions extends SigmoidLossOptions {
  /** Weight of the positive part of each class (torch `pos_weight`): C numbers. */
  readonly positiveWeights?: ArrayLike<number>;
  /** Pulls targets towards ½: t·(1 − ε) + ε/2 (YOLO's smoothing). Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * Binary cross-entropy of logits, max(x, 0) − x·t + ln(1 + e^−|x|).
 *
 * `targets`: N×C numbers in 0–1, or N class indices with `classes` (C or negative: background).
 * Source: torch `binary_cross_entropy_with_logits`; smoothing: YOLOv5 `smooth_BCE`.
 */
export function binaryCrossEntropyLoss(
  logits: FloatArray,
  targets: ArrayLike<number>,
  options: BinaryCrossEntropyOptions = {},
): LossResult {
  const { classes, ignoreIndex, positiveWeights, labelSmoothing = 0 } = options;
  const columns = classes ?? positiveWeights?.length ?? 1;
  const samples = sampleCount('logits', logits.length, columns);
  expectLength('positiveWeights', positiveWeights, columns);
  const dense = denseTargets(targets, logits.length, classes, ignoreIndex);
  const [weights, stride] = weightsWithIgnored(
    options.weights,
    targets,
    samples,
    logits.length,
    dense !== targets,
    ignoreIndex,
  );
  const buffers = openLoss(logits, logits.length, options);
  const { gradient, terms, scale } = buffers;

  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const x = logits[i]!;
    const t = dense[i]! * (1 - labelSmoothing) + labelSmoothing / 2;
    const e = Math.exp(x > 0 ? -x : x);
    const large = 1 / (1 + e);
    const p = x > 0 ? large : e * large;
    const softplus = Math.log1p(e);
    const boost = positiveWeights === undefined ? 1 : positiveWeights[i % columns]!;
    const weight = stride === 0 ? 1 : weights![stride === 1 ? (i / columns) | 0 : i]!;
    // t·boost·softplus(−x) + (1 − t)·softplus(x)
    const term =
      weight * (boost * t * (softplus + (x > 0 ? 0 : -x)) + (1 - t) * (softplus + (x > 0 ? x : 0)));
    sum += term;
    if (terms !== undefined) terms[i] = term;
    gradient[i] = weight * ((1 - t) * p - boost * t * (x > 0 ? e * large : large)) * scale;
  }
  return closeLoss(
    'binaryCrossEntropyLoss',
    sum,
    buffers,
    ['logits', logits],
    ['targets', targets],
    ['weights', options.weights],
    ['positiveWeights', positiveWeights],
  );
}
