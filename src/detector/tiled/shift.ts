/** Detections of a tile as detections of the picture it was cut from. */
import type { Detections } from '../../boxes/detections.ts';
import type { Size } from '../../boxes/types.ts';
import { UnsupportedError } from '../../errors.ts';

/**
 * A copy moved by `x`, `y` pixels into an image of `imageSize`. Masks move as logits; masks that already are runs are an
 * {@link UnsupportedError}.
 */
export function shiftDetections(found: Detections, x: number, y: number, imageSize: Size): Detections {
  if (found.maskRuns !== undefined && found.count > 0) {
    throw new UnsupportedError(
      'tiles can move masks that are logits, not masks that are run lengths already',
    );
  }
  const { boxes, keypoints, maskLogits } = found;
  const places = maskLogits?.places.slice();
  if (places !== undefined) {
    for (let at = 0; at < places.length; at += 9) {
      for (const k of [0, 2, 4]) places[at + k] += x;
      for (const k of [1, 3, 5]) places[at + k] += y;
    }
  }
  return found.with({
    boxes: boxes.map((value, i) => value + (i % 2 === 0 ? x : y)),
    ...(keypoints && { keypoints: keypoints.map((value, i) => value + [x, y, 0][i % 3]) }),
    ...(maskLogits && places && { maskLogits: { ...maskLogits, places } }),
    imageSize,
  });
}
