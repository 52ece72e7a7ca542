/**
 * Output tensors → `Detections` of one picture, in two steps that know nothing of each other: {@link decodeCandidates}
 * (tensors → candidates) and {@link finishCandidates} (candidates → suppression → image pixels).
 */
import { Detections } from '../boxes/detections.ts';
import type { FrameTransform } from '../boxes/frame-transform.ts';
import type { Size } from '../boxes/types.ts';
import { NumericError, OptionError } from '../errors.ts';
import { decode } from '../heads/registry.ts';
import type { Candidates, ModelOutputs } from '../heads/types.ts';
import { nms } from '../nms/nms.ts';
import { presetDefaults } from '../nms/preset-rules.ts';
import { presetNms } from '../nms/presets.ts';
import { rotatedNms } from '../nms/rotated-nms.ts';
import { carryColumns } from './carry.ts';
import type { DetectorPlan } from './plan.ts';
import type { ResolvedOptions } from './run-options.ts';

/**
 * Detections of picture `image` of a batch, best first, boxes in image pixels.
 *
 * Rows with NaN or infinity are left out. Where nothing else is left, the model gave no answer, and that is a
 * {@link NumericError}, not an empty result.
 */
export function postprocess(
  outputs: ModelOutputs,
  image: number,
  transform: FrameTransform,
  plan: DetectorPlan,
  options: ResolvedOptions,
): Detections {
  const candidates = decodeCandidates(outputs, image, plan, options);
  return finishCandidates(candidates, transform, plan.classNames, options);
}

/** Candidates of one picture in pixels of the model input. Throws {@link NumericError} where all rows are NaN. */
export function decodeCandidates(
  outputs: ModelOutputs,
  image: number,
  plan: Pick<DetectorPlan, 'head' | 'decoding'> & { readonly preprocessing: { readonly size: Size } },
  { scoreThreshold, classes, multiLabel }: ResolvedOptions,
): Candidates {
  const candidates = decode(plan.head, outputs, {
    ...plan.decoding,
    input: plan.preprocessing.size,
    image,
    scoreThreshold,
    multiLabel,
    ...(classes === undefined ? {} : { classes }),
  });
  if (candidates.count === 0 && candidates.dropped > 0) {
    throw new NumericError(
      `The model gave nothing but NaN or infinity above the threshold (${candidates.dropped} rows).`,
      { dropped: candidates.dropped },
    );
  }
  return candidates;
}

/** What is kept of the candidates, with every column they have, in pixels of the picture. */
export function finishCandidates(
  candidates: Candidates,
  transform: FrameTransform,
  classNames: readonly string[],
  options: ResolvedOptions,
): Detections {
  const clipFirst =
    options.clip && options.preset !== undefined && presetDefaults[options.preset].clip === 'before';
  const entering =
    clipFirst && candidates.angles === undefined
      ? { ...candidates, boxes: clipToContent(candidates.boxes, transform) }
      : candidates;
  const keep = suppress(entering, options);
  return Detections.from(carryColumns(entering, keep, transform, classNames, options));
}

/** Indices kept, best first. A head without need of NMS is only sorted and limited. */
function suppress(candidates: Candidates, options: ResolvedOptions): Uint32Array {
  const { boxes, scores, classIds, angles, nmsFree, count } = candidates;
  const { preset, nms: asked } = options;
  if (!nmsFree && asked !== false) {
    if (preset !== undefined) {
      const { scope, iouThreshold, maxCandidates, maxDetections } = asked;
      // scores passed the threshold when they were decoded
      return presetNms({ boxes, scores, classIds, ...(angles && { angles }) }, preset, {
        scoreThreshold: -1,
        iouThreshold,
        maxCandidates,
        maxDetections,
        agnostic: scope === 'agnostic',
      });
    }
    const { metric, rotated = 'polygon', ...shared } = asked;
    if (angles === undefined) return nms(boxes, scores, { ...shared, ...(metric && { metric }), classIds });
    if ((metric ?? 'iou') !== 'iou') {
      throw new OptionError(
        `nms.metric: rotated boxes are compared by their own overlap (nms.rotated), got ${String(metric)}`,
      );
    }
    return rotatedNms(boxes, angles, scores, { ...shared, overlap: rotated, classIds });
  }
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  order.sort((a, b) => scores[b] - scores[a] || a - b);
  if (asked === false) return order;
  const limit = asked.maxDetections ?? (preset && presetDefaults[preset].maxDetections);
  return limit === undefined ? order : order.subarray(0, limit);
}

/** Boxes cut at the rectangle the picture fills in the model input. */
function clipToContent(boxes: Float32Array, transform: FrameTransform): Float32Array<ArrayBuffer> {
  const { contentX, contentY, contentWidth, contentHeight } = transform;
  return Float32Array.from(boxes, (value, i) =>
    i % 2 === 0
      ? Math.min(Math.max(value, contentX), contentX + contentWidth)
      : Math.min(Math.max(value, contentY), contentY + contentHeight),
  );
}
