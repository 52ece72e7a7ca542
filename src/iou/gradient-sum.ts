/**
 * The sum of similarities and their scaled gradient in one pass: all that a plain IoU loss needs. Where a SIMD kernel
 * takes the call nothing else goes over the boxes; elsewhere the answer is null, and {@link iouGradient} does it.
 */
import type { BoxArray } from '../boxes/types.ts';
import { useSimd } from '../kernels/backend.ts';
import { pairGradientKernel } from '../kernels/pair-gradient.ts';
import { guardsFor } from './conventions.ts';
import { defaultGuards } from './formula/guards.ts';
import { generatedGradients } from './generated/gradients.ts';
import { scalars } from './generated-metric.ts';
import { iouGradient } from './gradient.ts';
import type { Metric, MetricConventions } from './types.ts';

/** Fewer pairs are not worth a copy into the kernel's memory. */
const fewest = 16;

/**
 * Sum over aligned xyxy pairs of a loss's similarity, its gradient times `scale` written to `gradient`; null, with nothing
 * written, where no kernel takes it. NaN where a coordinate is not finite.
 */
export function summedIouGradient(
  prediction: BoxArray,
  target: BoxArray,
  gradient: BoxArray,
  scale: number,
  metric: Metric,
  conventions: Omit<MetricConventions, 'usage'>,
): number | null {
  if (metric !== 'giou' && metric !== 'ciou') return null;
  const { length } = prediction;
  if (
    !(
      prediction instanceof Float32Array &&
      target instanceof Float32Array &&
      gradient instanceof Float32Array
    ) ||
    length % 4 !== 0 ||
    length < 4 * fewest ||
    target.length !== length ||
    !useSimd()
  ) {
    return null;
  }
  const guards = scalars(generatedGradients[metric].parameters, {
    ...defaultGuards,
    ...guardsFor(metric, { ...conventions, usage: 'loss' }),
  });
  return pairGradientKernel({
    metric,
    count: length / 4,
    a: prediction,
    b: target,
    guards,
    scale,
    values: null,
    gradient,
    otherwise(from, to) {
      const slopes = gradient.subarray(4 * from, 4 * to);
      const part = iouGradient(prediction.subarray(4 * from, 4 * to), target.subarray(4 * from, 4 * to), {
        metric,
        ...conventions,
        out: { values: new Float32Array(to - from), gradient: slopes },
      });
      for (let k = 0; k < slopes.length; k++) slopes[k]! *= scale;
      return part.values.reduce((total, value) => total + value, 0);
    },
  });
}
