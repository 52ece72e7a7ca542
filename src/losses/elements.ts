/** The loop of the losses that take a number at a time: a rule gives the term and its slope. */
import {
  closeLoss,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sampleCount,
  weightStride,
} from './common.ts';

/** Writes the term of prediction x and target t, element i, and d term / d x into `pair`. */
export type ElementRule = (x: number, t: number, pair: Float64Array, i: number) => void;

/** Terms and gradient by `rule`, with a weight an element, or one for every `dimensions` of them. */
export function elementLoss(
  name: string,
  prediction: readonly [name: string, values: FloatArray],
  target: readonly [name: string, values: ArrayLike<number>],
  options: LossOptions,
  dimensions: number,
  rule: ElementRule,
): LossResult {
  const { weights } = options;
  const [, x] = prediction;
  expectLength(...target, x.length);
  const stride = weightStride(weights, sampleCount(prediction[0], x.length, dimensions), x.length);
  const buffers = openLoss(x, x.length, options);
  const { gradient, terms, scale } = buffers;
  const pair = new Float64Array(2);
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    rule(x[i]!, target[1][i]!, pair, i);
    const weight = stride === 0 ? 1 : weights![stride === 1 ? (i / dimensions) | 0 : i]!;
    const term = weight * pair[0]!;
    sum += term;
    if (terms !== undefined) terms[i] = term;
    gradient[i] = weight * pair[1]! * scale;
  }
  return closeLoss(name, sum, buffers, prediction, target, ['weights', weights]);
}
