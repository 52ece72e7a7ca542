/** Delta-xywha: the coder of rotated R-CNN and RetinaNet. A rotated box is its unrotated rectangle and an angle. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';
import { type DeltaCoderOptions, deltaCoder } from './delta.ts';

export interface RotatedCoderOptions extends DeltaCoderOptions {
  /** Divides the encoded angle, in radians. Default 1 (detectron2's weights: 1). */
  readonly angleStd?: number;
  /** Default radians (mmcv, Ultralytics); detectron2 counts in degrees. */
  readonly angleUnit?: 'radian' | 'degree';
}

export interface RotatedBoxes {
  /** 4·N unrotated rectangles `x1,y1,x2,y2`. */
  readonly boxes: BoxArray;
  /** N angles about their centres. */
  readonly angles: BoxArray;
}

export interface RotatedCoder {
  /** Boxes to 5·N targets dx, dy, dw, dh, dangle. */
  encode(boxes: RotatedBoxes, priors: RotatedBoxes): BoxArray;
  /** 5·N targets to boxes; angles come out within half a turn of 0. */
  decode(encoded: BoxArray, priors: RotatedBoxes): RotatedBoxes;
  /** Carries d/d(decoded boxes and angles) back to d/d(encoded). */
  decodeGradient(gradient: RotatedBoxes, encoded: BoxArray, priors: RotatedBoxes): BoxArray;
}

/**
 * The delta coder on the unrotated rectangles and the difference of the angles, brought into [−½, ½) turns, in radians.
 *
 * Source: detectron2 `Box2BoxTransformRotated` (angles in degrees, weights 1/std).
 */
export function rotatedDeltaCoder(options: RotatedCoderOptions = {}): RotatedCoder {
  const { angleStd = 1, angleUnit = 'radian', ...rest } = options;
  const delta = deltaCoder(rest);
  const unit = angleUnit === 'degree' ? Math.PI / 180 : 1;
  const turn = (2 * Math.PI) / unit;
  const wrap = (angle: number): number => angle - turn * Math.floor((angle + turn / 2) / turn);

  return {
    encode({ boxes, angles }, priors) {
      checkAngles('boxes', boxes, angles);
      checkAngles('priors', priors.boxes, priors.angles);
      const sides = delta.encode(boxes, priors.boxes);
      const encoded = new (sides.constructor as typeof Float64Array)(5 * angles.length);
      for (let i = 0; i < angles.length; i++) {
        encoded.set(sides.subarray(4 * i, 4 * i + 4), 5 * i);
        encoded[5 * i + 4] = (wrap(angles[i]! - priors.angles[i]!) * unit) / angleStd;
      }
      return encoded;
    },
    decode(encoded, priors) {
      const sides = sidesOf(encoded, priors);
      const boxes = delta.decode(sides, priors.boxes);
      const angles = new (boxes.constructor as typeof Float64Array)(priors.angles.length);
      for (let i = 0; i < angles.length; i++) {
        angles[i] = wrap((encoded[5 * i + 4]! * angleStd) / unit + priors.angles[i]!);
      }
      return { boxes, angles };
    },
    decodeGradient(gradient, encoded, priors) {
      checkAngles('gradient', gradient.boxes, gradient.angles);
      const sides = delta.decodeGradient(gradient.boxes, sidesOf(encoded, priors), priors.boxes);
      const result = new (sides.constructor as typeof Float64Array)(encoded.length);
      for (let i = 0; i < priors.angles.length; i++) {
        result.set(sides.subarray(4 * i, 4 * i + 4), 5 * i);
        result[5 * i + 4] = (gradient.angles[i]! * angleStd) / unit;
      }
      return result;
    },
  };
}

function checkAngles(name: string, boxes: BoxArray, angles: BoxArray): void {
  if (boxes.length !== 4 * angles.length) {
    throw new ShapeError(`expected ${boxes.length / 4} angles of ${name}, got ${angles.length}`, {
      name,
      expected: boxes.length / 4,
      got: angles.length,
    });
  }
}

/** The first four of every five numbers. */
function sidesOf(encoded: BoxArray, priors: RotatedBoxes): BoxArray {
  checkAngles('priors', priors.boxes, priors.angles);
  if (encoded.length !== 5 * priors.angles.length) {
    throw new ShapeError(`expected ${5 * priors.angles.length} encoded numbers, got ${encoded.length}`, {
      expected: 5 * priors.angles.length,
      got: encoded.length,
    });
  }
  return encoded.filter((_, i) => i % 5 < 4);
}
