/** Gaussian focal loss of heatmap detectors (CornerNet, CenterNet). */
import { choiceOption } from '../../options.ts';
import { expectFinite, type FloatArray, type LossOptions, type LossResult } from '../common.ts';
import { elementLoss } from '../elements.ts';
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
  const { alpha = 2, gamma = 4, eps = 1e-12 } = options;
  expectFinite('gaussianFocalLoss', ['prediction', prediction]);
  const fromLogits = choiceOption('input', options.input, ['logits', 'probabilities']) === 'logits';
  const inputs = [['prediction', prediction] as const, ['heatmap', heatmap] as const] as const;
  return elementLoss('gaussianFocalLoss', ...inputs, options, 1, (xs, ys, from, to, terms, slopes) => {
    for (let i = from; i < to; i++) {
      const x = xs[i]!;
      const y = ys[i]!;
      const p = fromLogits ? sigmoid(x) : x;
      const q = fromLogits ? sigmoid(-x) : 1 - x;
      // what is right and wrong there, by how much it counts, and the way the slope goes
      const right = y === 1 ? p : q;
      const wrong = y === 1 ? q : p;
      const share = y === 1 ? 1 : (1 - y) ** gamma;
      const way = y === 1 ? -1 : 1;
      const log = Math.log(right + eps);
      const modulation = power(wrong, alpha);
      terms[i - from] = -log * modulation * share;
      const slope = way * share * (modulation / (right + eps) - log * powerSlope(wrong, alpha));
      slopes[i - from] = slope * (fromLogits ? p * q : 1);
    }
  });
}
