/** Seesaw loss of long-tailed classification. */
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
import { logSoftmaxRow } from './softmax.ts';

export interface SeesawOptions extends LossOptions {
  /** C of N×C logits. */
  readonly classes: number;
  /** Samples seen of each class so far, this batch included: C numbers. The caller keeps them. */
  readonly sampleCounts: ArrayLike<number>;
  /** Samples with this label count for nothing. Default −100. */
  readonly ignoreIndex?: number;
  /** Exponent of the mitigation factor (fewer punishments for rare classes). Default 0.8. */
  readonly p?: number;
  /** Exponent of the compensation factor (more for misclassified samples). Default 2. */
  readonly q?: number;
  /** Lower bound of the label's probability in the compensation. Default 0.01. */
  readonly eps?: number;
}

/**
 * Cross-entropy whose logits of other classes are raised by ln(M·C): M_yj = min(1, N_j/N_y)^p, C_yj = max(1, σ_j/σ_y)^q,
 * both detached. The objectness branch of the paper is an ordinary 2-class cross-entropy beside it.
 *
 * Source: Wang et al., "Seesaw Loss", CVPR 2021; mmdetection `seesaw_ce_loss`.
 */
export function seesawLoss(
  logits: FloatArray,
  labels: ArrayLike<number>,
  options: SeesawOptions,
): LossResult {
  const { classes, sampleCounts, ignoreIndex = -100, p = 0.8, q = 2, eps = 0.01, weights } = options;
  const samples = sampleCount('logits', logits.length, classes);
  checkLabels(labels, samples, classes, ignoreIndex);
  expectLength('sampleCounts', sampleCounts, classes);
  expectLength('weights', weights, samples);
  expectFinite('seesawLoss', ['logits', logits], ['sampleCounts', sampleCounts], ['weights', weights]);
  const buffers = openLoss(logits, samples, options);
  const { gradient, terms, scale } = buffers;
  const raw = new Float64Array(classes);
  const shifted = new Float64Array(classes);
  const logProbabilities = new Float64Array(classes);
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const offset = i * classes;
    const label = labels[i]!;
    if (label === ignoreIndex) {
      gradient.fill(0, offset, offset + classes);
      continue;
    }
    logSoftmaxRow(logits, offset, classes, raw);
    const own = Math.max(Math.exp(raw[label]!), eps);
    const ownCount = Math.max(sampleCounts[label]!, 1);
    for (let c = 0; c < classes; c++) {
      const ratio = Math.max(sampleCounts[c]!, 1) / ownCount;
      const mitigation = p > 0 && ratio < 1 ? p * Math.log(ratio) : 0;
      const excess = Math.exp(raw[c]!) / own;
      const compensation = q > 0 && excess > 1 ? q * Math.log(excess) : 0;
      shifted[c] = logits[offset + c]! + (c === label ? 0 : mitigation + compensation);
    }
    logSoftmaxRow(shifted, 0, classes, logProbabilities);
    const weight = weights === undefined ? 1 : weights[i]!;
    const term = -weight * logProbabilities[label]!;
    sum += term;
    if (terms !== undefined) terms[i] = term;
    for (let c = 0; c < classes; c++) {
      gradient[offset + c] = weight * (Math.exp(logProbabilities[c]!) - (c === label ? 1 : 0)) * scale;
    }
  }
  return closeLoss('seesawLoss', sum, buffers);
}
