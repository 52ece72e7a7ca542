/** Columns of the candidates that were kept, in pixels of the picture: boxes, angles, keypoints and masks. */
import type { DetectionsInit } from '../boxes/detections.ts';
import type { FrameTransform } from '../boxes/frame-transform.ts';
import { clipBoxes } from '../boxes/geometry.ts';
import { createMaskLogits, decodeMaskLogits } from '../heads/mask-logits.ts';
import type { Candidates } from '../heads/types.ts';

/**
 * Columns at `keep`, in its order.
 *
 * A rotated box follows its centre and its width's direction; where a picture was stretched, its height is the one that
 * keeps the area (a stretched rectangle is no rectangle).
 */
export function carryColumns(
  candidates: Candidates,
  keep: Uint32Array,
  transform: FrameTransform,
  classNames: readonly string[],
  options: { readonly clip: boolean; readonly masks: boolean },
): DetectionsInit {
  const { angles, keypoints, keypointCount = 0, maskCoefficients, prototypes } = candidates;
  const scores = new Float32Array(keep.length);
  const classIds = new Int32Array(keep.length);
  for (let i = 0; i < keep.length; i++) {
    scores[i] = candidates.scores[keep[i]];
    classIds[i] = candidates.classIds[keep[i]];
  }
  const boxes = gather(candidates.boxes, 4, keep);
  const turned = angles && gather(angles, 1, keep);
  if (turned === undefined) transform.toImage(boxes, { out: boxes });
  else turnToImage(boxes, turned, transform);
  const init = { boxes, scores, classIds, classNames, imageSize: transform.source };
  const points = keypoints && gather(keypoints, 3 * keypointCount, keep);
  const masked = options.masks && maskCoefficients !== undefined && prototypes !== undefined;
  // a mask ends where the model's box does, also where that reaches over the border
  const maskLogits = masked
    ? createMaskLogits(prototypes, gather(maskCoefficients, prototypes.channels, keep), boxes, transform)
    : undefined;
  if (options.clip && turned === undefined) clipBoxes(boxes, transform.source, { out: boxes });
  return {
    ...init,
    ...(turned && { angles: turned }),
    ...(points && { keypoints: transform.pointsToImage(points, { stride: 3, out: points }), keypointCount }),
    ...(maskLogits && { maskLogits, maskDecoder: decodeMaskLogits }),
  };
}

function gather(column: Float32Array, width: number, keep: Uint32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(width * keep.length);
  for (let i = 0; i < keep.length; i++) {
    for (let k = 0; k < width; k++) out[width * i + k] = column[width * keep[i] + k];
  }
  return out;
}

/** Rotated boxes and their angles into the picture, in place. */
function turnToImage(boxes: Float32Array, angles: Float32Array, transform: FrameTransform): void {
  const { scaleX, scaleY, offsetX, offsetY } = transform;
  for (let i = 0; i < angles.length; i++) {
    const at = 4 * i;
    const centreX = ((boxes[at] + boxes[at + 2]) / 2 - offsetX) / scaleX;
    const centreY = ((boxes[at + 1] + boxes[at + 3]) / 2 - offsetY) / scaleY;
    const width = boxes[at + 2] - boxes[at];
    const height = boxes[at + 3] - boxes[at + 1];
    const alongX = Math.cos(angles[i]) / scaleX;
    const alongY = Math.sin(angles[i]) / scaleY;
    const stretch = Math.hypot(alongX, alongY);
    const halfWidth = (width * stretch) / 2;
    const halfHeight = height / (scaleX * scaleY * stretch) / 2;
    if (scaleX !== scaleY) angles[i] = Math.atan2(alongY, alongX);
    boxes[at] = centreX - halfWidth;
    boxes[at + 1] = centreY - halfHeight;
    boxes[at + 2] = centreX + halfWidth;
    boxes[at + 3] = centreY + halfHeight;
  }
}
