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
  for (let at = 0; at < prediction.length; at += 4) {
    for (let axis = 0; axis < 2; axis++) {
      const low = at + axis;
      const high = low + 2;
      const size = prediction[high]! - prediction[low]!;
      const wanted = target[high]! - target[low]!;
      const offset = (target[high]! - prediction[high]! + (target[low]! - prediction[low]!)) / 2;
      const distance = 2 * Math.abs(offset);
      const bound = (wanted - distance) / (wanted + distance + eps);
      const centre = 1 - Math.max(bound, 0);
      // d bound/d distance; distance moves by ∓1 with each edge
      const centreSlope =
        bound > 0 ? ((2 * wanted + eps) / (wanted + distance + eps) ** 2) * -Math.sign(offset) : 0;
      const shrink = wanted / (size + eps);
      const grow = size / (wanted + eps);
      const extent = 1 - Math.min(shrink, grow);
      const extentSlope = shrink < grow ? wanted / (size + eps) ** 2 : -1 / (wanted + eps);
      const [centreTerm, centreFactor] = smooth(centre, beta);
      const [extentTerm, extentFactor] = smooth(extent, beta);
      const centreWeight = stride === 0 ? 1 : weights![stride === 1 ? at / 4 : low]!;
      const extentWeight = stride === 0 ? 1 : weights![stride === 1 ? at / 4 : high]!;
      sum += centreWeight * centreTerm + extentWeight * extentTerm;
      if (terms !== undefined) {
        terms[low] = centreWeight * centreTerm;
        terms[high] = extentWeight * extentTerm;
      }
      const alongCentre = centreWeight * centreFactor * centreSlope * scale;
      const alongSize = extentWeight * extentFactor * extentSlope * scale;
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

/** Smooth-L1 of x ≥ 0 and its slope. */
function smooth(x: number, beta: number): readonly [number, number] {
  return x < beta ? [(x * x) / (2 * beta), x / beta] : [x - beta / 2, 1];
}
