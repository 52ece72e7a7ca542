/** Bounded IoU: an upper bound of the IoU for each of centre x, centre y, width and height, under smooth-L1. */
import type { BoxArray } from '../../boxes/types.ts';
import {
  closeLoss,
  expectLength,
  type LossOptions,
  type LossResult,
  openLoss,
  sampleCount,
  weightStride,
} from '../common.ts';

export interface BoundedIouOptions extends LossOptions {
  /** β of smooth-L1. Default 0.2. */
  readonly beta?: number;
  /** Default 1e-3. */
  readonly eps?: number;
}

/**
 * Four terms a box: 1 − max((wg − 2|dx|)/(wg + 2|dx| + ε), 0), the same in y, 1 − min(wg/(wp + ε), wp/(wg + ε)), the same
 * in h; each through smooth-L1, each with a weight of its own where `weights` holds 4·N (dx, dy, dw, dh a box). `perElement` and the count of `'mean'` are over 4·N terms. xyxy boxes.
 *
 * Source: Tychsen-Smith and Petersson, CVPR 2018, Eq. 4–5; mmdetection `bounded_iou_loss`.
 */
export function boundedIouLoss(
  prediction: BoxArray,
  target: BoxArray,
  options: BoundedIouOptions = {},
): LossResult {
  const { beta = 0.2, eps = 1e-3 } = options;
  expectLength('target', target, prediction.length);
  const { weights } = options;
  const stride = weightStride(weights, sampleCount('prediction', prediction.length, 4), prediction.length);
  const buffers = openLoss(prediction, prediction.length, options);
  const { gradient, terms, scale } = buffers;
  let sum = 0;
  // term k by smooth-L1 of x ≥ 0; gives its share of the gradient
  const add = (k: number, x: number, slope: number): number => {
    const weight = stride === 0 ? 1 : weights![stride === 1 ? k >> 2 : k]!;
    const term = weight * (x < beta ? (x * x) / (2 * beta) : x - beta / 2);
    sum += term;
    if (terms !== undefined) terms[k] = term;
    return weight * (x < beta ? x / beta : 1) * slope * scale;
  };
  for (let at = 0; at < prediction.length; at += 4) {
    for (let low = at; low < at + 2; low++) {
      const high = low + 2;
      const size = prediction[high]! - prediction[low]!;
      const wanted = target[high]! - target[low]!;
      const offset = (target[high]! - prediction[high]! + (target[low]! - prediction[low]!)) / 2;
      const distance = 2 * Math.abs(offset);
      const reach = wanted + distance + eps;
      const bound = (wanted - distance) / reach;
      // d bound/d distance is −(1 + bound)/reach; distance moves by ∓1 with each edge
      const centreSlope = (shareOf(bound) * (1 + bound) * -Math.sign(offset)) / reach;
      const shrink = wanted / (size + eps);
      const grow = size / (wanted + eps);
      const extentSlope =
        (shareOf(grow - shrink) * shrink) / (size + eps) - shareOf(shrink - grow) / (wanted + eps);
      const alongCentre = add(low, 1 - Math.max(bound, 0), centreSlope);
      const alongSize = add(high, 1 - Math.min(shrink, grow), extentSlope);
      gradient[low] = alongCentre - alongSize;
      gradient[high] = alongCentre + alongSize;
    }
  }
  return closeLoss(
    'boundedIouLoss',
    sum,
    buffers,
    ['prediction', prediction],
    ['target', target],
    ['weights', weights],
  );
}

/** Share of the gradient of what leads by x in a minimum or maximum: half at a tie, as in torch. */
const shareOf = (x: number): number => (Math.sign(x) + 1) / 2;
