/**
 * Greedy NMS by the SIMD kernel: the plain IoU of float32 boxes itself, and any metric that bounds it.
 *
 * For another metric the kernel finds the pairs whose plain IoU lets the metric pass (`minIou`), and only those, about
 * one a suppressed box, are computed, in float64 as the loops do. So DIoU-NMS costs little more than NMS.
 */
import type { BoxArray } from '../boxes/types.ts';
import { resolveMetric } from '../iou/resolve.ts';
import { useSimd } from '../kernels/backend.ts';
import { type NmsKernelInput, nmsKernel } from '../kernels/nms.ts';
import type { ComparisonOptions } from './compare.ts';
import type { ScoreArray } from './types.ts';

type Limits = Pick<NmsKernelInput, 'maxCandidates' | 'maxDetections' | 'classIds'> & {
  readonly scoreThreshold: number;
};

/** Kept indices, or null where the JavaScript loops have to run. */
export function nmsSimd(
  boxes: BoxArray,
  scores: ScoreArray,
  { metric = 'iou', preset, threshold, inclusive }: ComparisonOptions,
  { scoreThreshold, ...limits }: Limits,
): Uint32Array<ArrayBuffer> | null {
  if (!(boxes instanceof Float32Array && scores instanceof Float32Array) || !useSimd()) return null;
  const input = { ...limits, boxes, scores, scoreFloor: Math.fround(scoreThreshold) };
  if (metric === 'iou') return nmsKernel({ ...input, iouThreshold: threshold, inclusive });
  const resolved = resolveMetric(metric, preset === undefined ? {} : { preset });
  const bound = resolved.minIou(threshold);
  if (bound === null || !(bound > 0) || resolved.implementation.single !== undefined || !isModerate(boxes)) {
    return null;
  }
  const confirm = (index: number, kept: number): boolean => {
    const i = 4 * index;
    const k = 4 * kept;
    const similarity = resolved.pair(
      boxes[i]!,
      boxes[i + 1]!,
      boxes[i + 2]!,
      boxes[i + 3]!,
      boxes[k]!,
      boxes[k + 1]!,
      boxes[k + 2]!,
      boxes[k + 3]!,
    );
    return similarity > threshold || (inclusive && similarity === threshold);
  };
  return nmsKernel({ ...input, iouThreshold: Math.min(bound, 1), inclusive: true, confirm });
}

/** Whether float32 sides and areas neither overflow nor lose digits; boxes that are not finite do not matter. */
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
    if ((width > 0 && width < 1e-12) || (height > 0 && height < 1e-12)) return false;
  }
  return true;
}
