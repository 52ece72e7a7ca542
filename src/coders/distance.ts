/**
 * Distances from a point to the four sides of a box (l, t, r, b): the coder of FCOS, ATSS, YOLOv8 and RTMDet.
 *
 * The point is the prior's centre, and the prior's size is the unit where distances are normalised: a point prior is a
 * square of its stride's size.
 */
import type { BoxArray } from '../boxes/types.ts';
import { type BoxCoder, coderOut } from './types.ts';

export interface DistanceCoderOptions {
  /** Divides distances by the prior's width and height (the stride of a point prior). Default false. */
  readonly normalise?: boolean;
  /** Clamps encoded distances to 0 … this (reg_max − 1 − 0.01 of YOLOv8, reg_max − 0.1 of mmdetection). Default none. */
  readonly maximum?: number;
}

/** Coders of the detectors. */
export const distancePresets = {
  /** torchvision FCOS (`BoxLinearCoder`), mmdetection FCOS with `norm_on_bbox`. */
  fcos: { normalise: true },
  /** YOLOv8: in strides, below the last of 16 bins. */
  yolov8: { normalise: true, maximum: 15 - 0.01 },
  /** Generalised focal loss: in strides, up to reg_max 16. */
  gfl: { normalise: true, maximum: 16 - 0.1 },
} as const satisfies Record<string, DistanceCoderOptions>;

/** Source: Tian et al., "FCOS", ICCV 2019, Eq. 1; mmdetection `DistancePointBBoxCoder`; torchvision `BoxLinearCoder`; ultralytics `bbox2dist`. */
export function distanceCoder(options: DistanceCoderOptions = {}): BoxCoder {
  const { normalise = false, maximum } = options;
  const unit = (priors: BoxArray, i: number, axis: number): number =>
    normalise ? priors[i + axis + 2]! - priors[i + axis]! : 1;
  const centre = (priors: BoxArray, i: number, axis: number): number =>
    (priors[i + axis]! + priors[i + axis + 2]!) / 2;
  return {
    encode(boxes, priors, out) {
      const result = coderOut('distanceCoder.encode', boxes, priors, out);
      for (let i = 0; i < boxes.length; i += 4) {
        for (let axis = 0; axis < 2; axis++) {
          const point = centre(priors, i, axis);
          const size = unit(priors, i, axis);
          let low = (point - boxes[i + axis]!) / size;
          let high = (boxes[i + axis + 2]! - point) / size;
          if (maximum !== undefined) {
            low = Math.min(Math.max(low, 0), maximum);
            high = Math.min(Math.max(high, 0), maximum);
          }
          result[i + axis] = low;
          result[i + axis + 2] = high;
        }
      }
      return result;
    },
    decode(encoded, priors, out) {
      const result = coderOut('distanceCoder.decode', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        for (let axis = 0; axis < 2; axis++) {
          const point = centre(priors, i, axis);
          const size = unit(priors, i, axis);
          const low = encoded[i + axis]! * size;
          const high = encoded[i + axis + 2]! * size;
          result[i + axis] = point - low;
          result[i + axis + 2] = point + high;
        }
      }
      return result;
    },
    decodeGradient(boxGradient, encoded, priors, out) {
      const result = coderOut('distanceCoder.decodeGradient', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        for (let axis = 0; axis < 2; axis++) {
          const size = unit(priors, i, axis);
          result[i + axis] = -boxGradient[i + axis]! * size;
          result[i + axis + 2] = boxGradient[i + axis + 2]! * size;
        }
      }
      return result;
    },
  };
}
