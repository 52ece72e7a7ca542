/**
 * Greedy NMS by the SIMD kernel: the plain IoU of float32 boxes itself, and any metric that bounds it.
 *
 * For another metric the kernel finds the pairs whose plain IoU lets the metric pass (`minIou`), and only those, about
 * one a suppressed box, are computed, in float64 as the loops do. So DIoU-NMS costs little more than NMS.
 */
import type { BoxArray } from '../boxes/types.ts';
import { type ResolvedMetric, resolveMetric } from '../iou/resolve.ts';
import { useSimd } from '../kernels/backend.ts';
import { type Confirm, floatBelow, type NmsKernelLimits, nmsKernel } from '../kernels/nms.ts';
import type { ComparisonOptions } from './compare.ts';
import type { ScoreArray } from './types.ts';

/** Kept indices, or null where the JavaScript loops have to run. */
export function nmsSimd(
  boxes: BoxArray,
  scores: ScoreArray,
  compare: ComparisonOptions,
  limits: NmsKernelLimits,
): Uint32Array<ArrayBuffer> | null {
  if (!(boxes instanceof Float32Array && scores instanceof Float32Array) || !useSimd()) return null;
  const { metric = 'iou', preset, threshold, inclusive } = compare;
  let bound = threshold;
  let confirm: Confirm | undefined;
  if (metric !== 'iou') {
    const resolved = resolveMetric(metric, preset === undefined ? {} : { preset });
    bound = resolved.minIou(threshold) ?? 0;
    if (!(bound > 0) || resolved.implementation.single !== undefined || !isModerate(boxes)) {
      return null;
    }
    confirm = confirmBy(resolved, boxes, threshold, inclusive);
  }
  return nmsKernel(
    boxes,
    scores,
    limits,
    bound,
    floatBelow(bound, inclusive || confirm !== undefined),
    confirm,
  );
}

/** Decides one pair as the loops do, from columns and per-box terms of all boxes. */
function confirmBy(
  metric: ResolvedMetric,
  boxes: Float32Array,
  threshold: number,
  inclusive: boolean,
): Confirm {
  const count = boxes.length / 4;
  const [x1, y1, x2, y2] = [0, 1, 2, 3].map((c) => {
    const column = new Float64Array(count);
    for (let i = 0; i < count; i++) column[i] = boxes[4 * i + c]!;
    return column;
  }) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const terms = metric.createTerms(x1, count);
  metric.fillTerms(x1, y1, x2, y2, 0, count, terms);
  const out = new Float64Array(1);
  return (i, kept) => {
    metric.row(x1[i]!, y1[i]!, x2[i]!, y2[i]!, x1, y1, x2, y2, kept, kept + 1, out, 0, terms);
    return out[0]! > threshold || (inclusive && out[0] === threshold);
  };
}

/**
 * Whether float32 sides and areas neither overflow nor lose digits, and no box is inside out (a metric's bound does not
 * speak of those); boxes that are not finite do not matter.
 */
function isModerate(boxes: Float32Array): boolean {
  for (let at = 0; at < boxes.length; at += 4) {
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    const width = x2 - x1;
    const height = y2 - y1;
    const reach = Math.abs(x1) + Math.abs(y1) + Math.abs(x2) + Math.abs(y2);
    if (reach > 1e15 && reach < Number.POSITIVE_INFINITY) return false;
    if ((width !== 0 && width < 1e-12) || (height !== 0 && height < 1e-12)) return false;
  }
  return true;
}
