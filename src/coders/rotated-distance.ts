/** Distances of a rotated box from a point to its sides, along its own axes: the coder of YOLOv8-obb. */
import type { BoxArray } from '../boxes/types.ts';
import { type DistanceCoderOptions, distanceCoder } from './distance.ts';
import { aboutPriors, checkAngles, type RotatedBoxes, turnBack } from './rotated-boxes.ts';

export interface RotatedDistanceCoder {
  /** Boxes to 4·N distances l, t, r, b. The angle is not encoded: a network gives it beside them. */
  encode(boxes: RotatedBoxes, priors: BoxArray): BoxArray;
  /** 4·N distances and N angles to boxes. */
  decode(encoded: BoxArray, angles: BoxArray, priors: BoxArray): RotatedBoxes;
  /** Carries d/d(decoded boxes and angles) back to d/d(encoded) and d/d(angles). */
  decodeGradient(
    gradient: RotatedBoxes,
    encoded: BoxArray,
    angles: BoxArray,
    priors: BoxArray,
  ): { readonly encoded: BoxArray; readonly angles: BoxArray };
}

/**
 * The distance coder in a frame that is turned with the box about the prior's centre; angles are radians, clockwise on
 * the screen.
 *
 * `encode` is the inverse of `decode` (ultralytics 8.4 `rbox2dist`). Ultralytics 8.3 trains on the distances of the
 * unrotated rectangle instead: that is `distanceCoder().encode(boxes, priors)`.
 *
 * Source: ultralytics `dist2rbox`, whose angles are (sigmoid(logit) − ¼)·π.
 */
export function rotatedDistanceCoder(options: DistanceCoderOptions = {}): RotatedDistanceCoder {
  const distance = distanceCoder(options);
  return {
    encode({ boxes, angles }, priors) {
      checkAngles('boxes', boxes, angles);
      return distance.encode(aboutPriors(boxes, { boxes: priors, angles }, 1, -1), priors);
    },
    decode(encoded, angles, priors) {
      checkAngles('encoded', encoded, angles);
      const boxes = aboutPriors(distance.decode(encoded, priors), { boxes: priors, angles }, 1, 1);
      return { boxes, angles };
    },
    decodeGradient(gradient, encoded, angles, priors) {
      checkAngles('gradient', gradient.boxes, gradient.angles);
      checkAngles('encoded', encoded, angles);
      const unrotated = distance.decode(encoded, priors);
      const own = Float64Array.from(gradient.boxes);
      const angleGradient = new (unrotated.constructor as typeof Float64Array)(angles.length);
      for (let i = 0; i < angles.length; i++) {
        const [cos, sin] = [Math.cos(angles[i]!), Math.sin(angles[i]!)];
        const [x, y] = [0, 1].map((k) => {
          const at = 4 * i + k;
          return (unrotated[at]! + unrotated[at + 2]! - priors[at]! - priors[at + 2]!) / 2;
        }) as [number, number];
        const sumX = own[4 * i]! + own[4 * i + 2]!;
        const sumY = own[4 * i + 1]! + own[4 * i + 3]!;
        angleGradient[i] = gradient.angles[i]! - sumX * (x * sin + y * cos) + sumY * (x * cos - y * sin);
        turnBack(own, i, angles[i]!);
      }
      const back = distance.decodeGradient(own, encoded, priors);
      return { encoded: back, angles: angleGradient };
    },
  };
}
