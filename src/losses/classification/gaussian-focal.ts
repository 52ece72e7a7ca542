/** Gaussian focal loss of heatmap detectors (CornerNet, CenterNet). */
import { choiceOption } from '../../options.ts';
import {
  closeLoss,
  expectFinite,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
} from '../common.ts';
import { power, powerSlope, sigmoid } from './logistic.ts';

export interface GaussianFocalOptions extends LossOptions {
  /** Focusing exponent. Default 2. */
  readonly alpha?: number;
  /** Exponent that spares negatives near a centre. Default 4. */
  readonly gamma?: number;
  /** Added inside the logarithms. Default 1e-12 (mmdetection). */
  readonly eps?: number;
  /** `'probabilities'` where the prediction went through a sigmoid already. Default `'logits'`. */
  readonly input?: 'logits' | 'probabilities';
}

/**
 * Positives (heatmap exactly 1): −ln(p + ε)·(1 − p)^α; all others: −ln(1 − p + ε)·p^α·(1 − Y)^γ.
 *
 * `heatmap`: as long as the prediction, values in 0–1. Usual divisor: `avgFactor` = max(1, number of positives).
 * Source: Law and Deng, "CornerNet", ECCV 2018, Eq. 1; mmdetection `gaussian_focal_loss`.
 */
export function gaussianFocalLoss(
  prediction: FloatArray,
  heatmap: ArrayLike<number>,
  options: GaussianFocalOptions = {},
): LossResult {
  const { alpha = 2, gamma = 4, eps = 1e-12, weights } = options;
  expectLength('heatmap', heatmap, prediction.length);
  expectLength('weights', weights, prediction.length);
  expectFinite('gaussianFocalLoss', ['prediction', prediction]);
  const fromLogits = choiceOption('input', options.input, ['logits', 'probabilities']) === 'logits';
  const buffers = openLoss(prediction, prediction.length, options);
  const { gradient, terms, scale } = buffers;
  let sum = 0;
  for (let i = 0; i < prediction.length; i++) {
    const x = prediction[i]!;
    const p = fromLogits ? sigmoid(x) : x;
    const q = fromLogits ? sigmoid(-x) : 1 - x;
    const y = heatmap[i]!;
    let term: number;
    let slope: number; // d term / d p
    if (y === 1) {
      const log = Math.log(p + eps);
      term = -log * power(q, alpha);
      slope = -power(q, alpha) / (p + eps) + log * powerSlope(q, alpha);
    } else {
      const spare = (1 - y) ** gamma;
      const log = Math.log(q + eps);
      term = -log * power(p, alpha) * spare;
      slope = spare * (power(p, alpha) / (q + eps) - log * powerSlope(p, alpha));
    }
    const weight = weights === undefined ? 1 : weights[i]!;
    sum += weight * term;
    if (terms !== undefined) terms[i] = weight * term;
    gradient[i] = weight * slope * (fromLogits ? p * q : 1) * scale;
  }
  return closeLoss('gaussianFocalLoss', sum, buffers, ['heatmap', heatmap], ['weights', weights]);
}
