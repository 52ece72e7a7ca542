/** Wise-IoU: a plain IoU loss whose weight follows how far a box is from average; the average is state. */
import type { BoxArray } from '../../boxes/types.ts';
import { OptionError } from '../../errors.ts';
import { iouGradient } from '../../iou/gradient.ts';
import { checkNumber } from '../../options.ts';
import { closeLoss, type LossOptions, type LossResult, openLoss } from '../common.ts';
import { weightsPerBox } from './iou-loss.ts';

export interface WiseIouOptions extends LossOptions {
  /** 1: distance attention only; 2: monotonic focusing √β; 3: non-monotonic focusing β/(δ·α^(β − δ)). Default 3. */
  readonly version?: 1 | 2 | 3;
  /** Default 1.9. */
  readonly alpha?: number;
  /** Default 3. */
  readonly delta?: number;
  /** γ of version 2. Default 0.5. */
  readonly gamma?: number;
  /** Running mean of 1 − IoU from the previous call. Default 1. */
  readonly mean?: number;
  /** Share of this batch in the running mean; see {@link wiseIouMomentum}. Default 0: the mean stays. */
  readonly momentum?: number;
}

export interface WiseIouResult extends LossResult {
  /** Running mean to hand to the next call. */
  readonly mean: number;
}

/** m = 1 − base^(1/(t·n)) for n batches an epoch and t epochs until focusing slows; base 0.05 in the code, 0.5 in the paper. */
export function wiseIouMomentum(batches: number, epochs: number, base = 0.05): number {
  return 1 - base ** (1 / (batches * epochs));
}

/**
 * exp(ρ²/c²)·(1 − IoU), c² detached, times the focusing factor of β = (1 − IoU)/mean (detached).
 *
 * 4·N predicted and 4·N target boxes, xyxy. Two boxes without area have IoU 0.
 * Source: Tong et al., "Wise-IoU", 2023 (arXiv 2301.10051); the running mean is updated before use, as in its code.
 */
export function wiseIouLoss(
  prediction: BoxArray,
  target: BoxArray,
  options: WiseIouOptions = {},
): WiseIouResult {
  const { version = 3, alpha = 1.9, delta = 3, gamma = 0.5, momentum = 0 } = options;
  if (version !== 1 && version !== 2 && version !== 3)
    throw new OptionError(`version must be 1, 2 or 3, got ${version}`);
  const { values, gradient: slopes } = iouGradient(Float64Array.from(prediction), Float64Array.from(target), {
    eps: 0,
  });
  const count = values.length;
  const perBox = weightsPerBox(options.weights, count);
  const buffers = openLoss(prediction, count, options);
  const { gradient, terms, scale } = buffers;
  const batchMean = count === 0 ? 0 : values.reduce((total, iou) => total + 1 - iou, 0) / count;
  const previous = checkNumber('mean', options.mean ?? 1, 0);
  checkNumber('momentum', momentum, 0, 1);
  const mean = count === 0 ? previous : (1 - momentum) * previous + momentum * batchMean;

  let sum = 0;
  for (let i = 0; i < count; i++) {
    const at = 4 * i;
    const plain = 1 - values[i]!;
    const beta = plain === 0 ? 0 : plain / mean; // a perfect batch has a mean of 0
    const focus =
      version === 1 ? 1 : version === 2 ? beta ** gamma : beta / (delta * alpha ** (beta - delta));
    const dx = centreDifference(prediction, target, at);
    const dy = centreDifference(prediction, target, at + 1);
    const cw = Math.max(prediction[at + 2]!, target[at + 2]!) - Math.min(prediction[at]!, target[at]!);
    const ch =
      Math.max(prediction[at + 3]!, target[at + 3]!) - Math.min(prediction[at + 1]!, target[at + 1]!);
    const diagonal = cw * cw + ch * ch;
    const attention = diagonal > 0 ? Math.exp((dx * dx + dy * dy) / diagonal) : 1;
    const weight = (perBox === undefined ? 1 : perBox[i]!) * focus * attention;
    sum += weight * plain;
    if (terms !== undefined) terms[i] = weight * plain;
    // d/d edge of exp(ρ²/c²) with c² fixed: dx/c² on both x edges
    const pull = diagonal > 0 ? plain / diagonal : 0;
    for (let k = 0; k < 4; k++) {
      gradient[at + k] = weight * (pull * (k % 2 === 0 ? dx : dy) - slopes[at + k]!) * scale;
    }
  }
  const result = closeLoss(
    'wiseIouLoss',
    sum,
    buffers,
    ['prediction', prediction],
    ['target', target],
    ['weights', options.weights],
  );
  return { ...result, mean };
}

function centreDifference(a: BoxArray, b: BoxArray, at: number): number {
  return (a[at]! - b[at]! + (a[at + 2]! - b[at + 2]!)) / 2;
}
