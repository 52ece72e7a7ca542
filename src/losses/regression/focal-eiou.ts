/** Focal-EIoU: the EIoU loss weighted by IoU^γ, so that good boxes count more. */
import type { BoxArray } from '../../boxes/types.ts';
import { iouGradient } from '../../iou/gradient.ts';
import { choiceOption } from '../../options.ts';
import { closeLoss, type LossOptions, type LossResult, openLoss } from '../common.ts';
import { weightsPerBox } from './iou-loss.ts';

export interface FocalEiouOptions extends LossOptions {
  /** Default 0.5. */
  readonly gamma?: number;
  /** `'mean'` divides by Σ IoU^γ (paper, Eq. 11) or by N (common ports). Default `'weights'`. */
  readonly normalizer?: 'weights' | 'count';
}

/**
 * IoU^γ·(1 − EIoU), the weight detached. 4·N predicted and 4·N target boxes, xyxy.
 *
 * Source: Zhang et al., "Focal and Efficient IOU Loss", 2021 (arXiv 2101.08158), Eq. 10–11.
 */
export function focalEiouLoss(
  prediction: BoxArray,
  target: BoxArray,
  options: FocalEiouOptions = {},
): LossResult {
  const { gamma = 0.5, normalizer = 'weights' } = options;
  choiceOption('normalizer', normalizer, ['weights', 'count']);
  const a = Float64Array.from(prediction);
  const b = Float64Array.from(target);
  const { values, gradient: slopes } = iouGradient(a, b, { metric: 'eiou', eps: 0 });
  const ious = iouGradient(a, b, { eps: 0 }).values;
  const count = values.length;
  const perBox = weightsPerBox(options.weights, count);
  const focus = ious.map((iou) => iou ** gamma);
  const total = focus.reduce((x, y) => x + y, 0);
  const byWeights =
    normalizer === 'weights' && options.avgFactor === undefined && (options.reduction ?? 'mean') === 'mean';
  const buffers = openLoss(prediction, count, options);
  const { gradient, terms } = buffers;
  const scale = byWeights ? (total === 0 ? 0 : 1 / total) : buffers.scale;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const weight = (perBox === undefined ? 1 : perBox[i]!) * focus[i]!;
    sum += weight * (1 - values[i]!);
    if (terms !== undefined) terms[i] = weight * (1 - values[i]!);
    for (let k = 4 * i; k < 4 * i + 4; k++) gradient[k] = -weight * slopes[k]! * scale;
  }
  return closeLoss(
    'focalEiouLoss',
    sum,
    { gradient, terms, scale },
    ['prediction', prediction],
    ['target', target],
    ['weights', options.weights],
  );
}
