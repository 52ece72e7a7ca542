/**
 * The loop of the losses that take a number at a time: a rule gives the terms and their slopes, a run at a time, so that
 * engines compile each rule with a loop of its own.
 */
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

/**
 * Writes the terms of predictions x and targets t from `from` to `to`, and d term / d x, to the beginning of `terms` and
 * `slopes`.
 */
export type ElementRule = (
  x: FloatArray,
  t: ArrayLike<number>,
  from: number,
  to: number,
  terms: Float64Array,
  slopes: Float64Array,
) => void;

const RUN = 512;
const runTerms = /* @__PURE__ */ new Float64Array(RUN);
const runSlopes = /* @__PURE__ */ new Float64Array(RUN);

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
  let sum = 0;
  for (let from = 0; from < x.length; from += RUN) {
    const to = Math.min(from + RUN, x.length);
    rule(x, target[1], from, to, runTerms, runSlopes);
    for (let i = from; i < to; i++) {
      const weight = stride === 0 ? 1 : weights![stride === 1 ? (i / dimensions) | 0 : i]!;
      const term = weight * runTerms[i - from]!;
      sum += term;
      if (terms !== undefined) terms[i] = term;
      gradient[i] = weight * runSlopes[i - from]! * scale;
    }
  }
  return closeLoss(name, sum, buffers, prediction, target, ['weights', weights]);
}
