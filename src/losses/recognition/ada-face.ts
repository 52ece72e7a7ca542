/** AdaFace: a margin that follows image quality, told by the feature's length within its batch. */
import type { FloatArray } from '../common.ts';
import type { ScaledMarginOptions } from './margin-losses.ts';
import { type MarginSoftmaxResult, marginSoftmax } from './margin-softmax.ts';
import { adaptive } from './margins.ts';

/** Moving mean and standard deviation of the features' lengths. */
export interface AdaFaceState {
  readonly mean: number;
  readonly standardDeviation: number;
}

export interface AdaFaceOptions extends ScaledMarginOptions {
  /** Default 0.4. */
  readonly margin?: number;
  /** Concentration h. Default 0.333. */
  readonly concentration?: number;
  /** Share of the batch in the moving statistics: 1 in the code (default), 0.01 in the paper. */
  readonly updateRate?: number;
  /** State of the previous call. Default mean 20, deviation 100. */
  readonly state?: AdaFaceState;
  /** Keeps angles this far from 0 and π. Default 1e-3. */
  readonly eps?: number;
}

/**
 * Target logit s·(cos(θ − m·k) − (m + m·k)), k = clip((‖f‖ − μ)/(σ + 10⁻³)·h, −1, 1); the length is detached.
 *
 * Lengths are clipped to 0.001–100 first; σ is the unbiased deviation, and 0 for a single sample.
 * Source: Kim et al., "AdaFace", CVPR 2022.
 */
export function adaFaceLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: AdaFaceOptions,
): MarginSoftmaxResult & { readonly state: AdaFaceState } {
  const { margin = 0.4, concentration = 0.333, updateRate = 1, eps = 1e-3 } = options;
  let state = options.state ?? { mean: 20, standardDeviation: 100 };
  const clip = (norm: number): number => Math.min(Math.max(norm, 1e-3), 100);
  const result = marginSoftmax(features, classWeights, labels, options, {
    name: 'adaFaceLoss',
    scale: options.scale ?? 64,
    rule: ({ norms }) => {
      const lengths = norms.map(clip);
      const mean = lengths.reduce((a, b) => a + b, 0) / Math.max(1, lengths.length);
      const squares = lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0);
      const deviation = lengths.length > 1 ? Math.sqrt(squares / (lengths.length - 1)) : 0;
      state = {
        mean: updateRate * mean + (1 - updateRate) * state.mean,
        standardDeviation: updateRate * deviation + (1 - updateRate) * state.standardDeviation,
      };
      const qualityOf = (norm: number): number =>
        Math.min(
          Math.max(((clip(norm) - state.mean) / (state.standardDeviation + 1e-3)) * concentration, -1),
          1,
        );
      return adaptive(margin, qualityOf, eps);
    },
  });
  return { ...result, state };
}
