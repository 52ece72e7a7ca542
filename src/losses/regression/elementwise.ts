/**
 * Regression losses of the difference d = prediction − target, an element at a time.
 *
 * A loss is a term and its slope, chosen once outside the loop.
 */
import { OptionError } from '../../errors.ts';
import { checkNumber } from '../../options.ts';
import type { FloatArray, LossOptions, LossResult } from '../common.ts';
import { elementLoss } from '../elements.ts';

export interface RegressionOptions extends LossOptions {
  /** Numbers a sample (4 for boxes), where `weights` holds one a sample. Default 1. */
  readonly dimensions?: number;
}

function regress(
  name: string,
  prediction: FloatArray,
  target: ArrayLike<number>,
  options: RegressionOptions,
  rule: (d: number, pair: Float64Array) => void,
): LossResult {
  const inputs = [['prediction', prediction] as const, ['target', target] as const] as const;
  const pair = new Float64Array(2);
  return elementLoss(name, ...inputs, options, options.dimensions ?? 1, (x, t, from, to, terms, slopes) => {
    for (let i = from; i < to; i++) {
      rule(x[i]! - t[i]!, pair);
      terms[i - from] = pair[0]!;
      slopes[i - from] = pair[1]!;
    }
  });
}

/** |d| of each number, d = prediction − target, both of one length; slope 0 at 0. Source: torch `l1_loss`. */
export function l1Loss(
  prediction: FloatArray,
  target: ArrayLike<number>,
  options: RegressionOptions = {},
): LossResult {
  return regress('l1Loss', prediction, target, options, (d, pair) => {
    pair[0] = Math.abs(d);
    pair[1] = Math.sign(d);
  });
}

export interface MseOptions extends RegressionOptions {
  /** Factor on d²: 1 as torch's MSE, ½ as TensorFlow's `l2_loss`. Default 1. */
  readonly factor?: 1 | 0.5;
}

/** factor·d² of each number, d = prediction − target. Source: torch `mse_loss`; with factor ½ TensorFlow `l2_loss`. */
export function mseLoss(
  prediction: FloatArray,
  target: ArrayLike<number>,
  options: MseOptions = {},
): LossResult {
  const factor = options.factor ?? 1;
  return regress('mseLoss', prediction, target, options, (d, pair) => {
    pair[0] = factor * d * d;
    pair[1] = 2 * factor * d;
  });
}

export interface SmoothL1Options extends RegressionOptions {
  /** Where the parabola meets the line; below 1e-5 the loss is L1. Default 1. */
  readonly beta?: number;
  /** py-faster-rcnn's σ, the same loss with beta = 1/σ². Not together with `beta`. */
  readonly sigma?: number;
}

/** |d| < β: d²/(2β), else |d| − β/2. Source: Girshick, "Fast R-CNN", ICCV 2015, Eq. 3; torch and fvcore `smooth_l1_loss`. */
export function smoothL1Loss(
  prediction: FloatArray,
  target: ArrayLike<number>,
  options: SmoothL1Options = {},
): LossResult {
  const { sigma } = options;
  if (sigma !== undefined && options.beta !== undefined)
    throw new OptionError('give beta or sigma, not both');
  const beta = sigma === undefined ? (options.beta ?? 1) : 1 / (sigma * sigma);
  checkNumber('beta', beta, 0);
  if (beta < 1e-5) return l1Loss(prediction, target, options);
  return regress('smoothL1Loss', prediction, target, options, (d, pair) => {
    const size = Math.abs(d);
    const inside = size < beta;
    pair[0] = inside ? (d * d) / (2 * beta) : size - beta / 2;
    pair[1] = inside ? d / beta : Math.sign(d);
  });
}

export interface HuberOptions extends RegressionOptions {
  /** Default 1. */
  readonly delta?: number;
}

/** |d| ≤ δ: d²/2, else δ(|d| − δ/2); δ times smooth-L1 with β = δ. Source: torch `huber_loss`. */
export function huberLoss(
  prediction: FloatArray,
  target: ArrayLike<number>,
  options: HuberOptions = {},
): LossResult {
  const delta = options.delta ?? 1;
  if (!(delta > 0)) throw new OptionError(`delta must be > 0, got ${delta}`, { delta });
  return regress('huberLoss', prediction, target, options, (d, pair) => {
    const size = Math.abs(d);
    const inside = size <= delta;
    pair[0] = inside ? (d * d) / 2 : delta * (size - delta / 2);
    pair[1] = inside ? d : delta * Math.sign(d);
  });
}

export interface BalancedL1Options extends RegressionOptions {
  /** Default 0.5. */
  readonly alpha?: number;
  /** Slope beyond beta. Default 1.5. */
  readonly gamma?: number;
  /** Default 1. */
  readonly beta?: number;
}

/** Balanced L1 with b = e^(γ/α) − 1. Source: Pang et al., "Libra R-CNN", CVPR 2019, Eq. 10–12; mmdetection. */
export function balancedL1Loss(
  prediction: FloatArray,
  target: ArrayLike<number>,
  options: BalancedL1Options = {},
): LossResult {
  const { alpha = 0.5, gamma = 1.5, beta = 1 } = options;
  if (!(beta > 0 && alpha > 0)) throw new OptionError(`alpha and beta must be > 0, got ${alpha} and ${beta}`);
  const b = Math.exp(gamma / alpha) - 1;
  return regress('balancedL1Loss', prediction, target, options, (d, pair) => {
    const size = Math.abs(d);
    if (size < beta) {
      const log = Math.log((b * size) / beta + 1);
      pair[0] = (alpha / b) * (b * size + 1) * log - alpha * size;
      // derivative of the printed formula; α·ln(b|d|/β + 1) when β = 1
      pair[1] = Math.sign(d) * (alpha * log + (alpha * (b * size + 1)) / (b * size + beta) - alpha);
    } else {
      pair[0] = gamma * size + gamma / b - alpha * beta;
      pair[1] = gamma * Math.sign(d);
    }
  });
}
