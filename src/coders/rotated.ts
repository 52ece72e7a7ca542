/** Delta-xywha: the coder of rotated R-CNN and RetinaNet. A rotated box is its unrotated rectangle and an angle. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { type DeltaCoderOptions, deltaCoder } from './delta.ts';
import { aboutPriors, checkAngles, type RotatedBoxes, turnBack } from './rotated-boxes.ts';

export interface RotatedCoderOptions extends DeltaCoderOptions {
  /** Divides the encoded angle, in radians. Default 1 (detectron2's weights: 1); mmrotate π·`norm_factor`·std. */
  readonly angleStd?: number;
  /** Default radians (mmcv, Ultralytics); detectron2 counts in degrees. */
  readonly angleUnit?: 'radian' | 'degree';
  /**
   * Where differences of angles and decoded angles lie: within half a turn of 0 (`'full'`: detectron2), −90° ≤ a < 90°
   * (`'le90'`), −45° ≤ a < 135° (`'le135'`), or as they come (`'oc'`: mmrotate leaves them). Default `'full'`.
   */
  readonly angleRange?: 'full' | 'le90' | 'le135' | 'oc';
  /** Counts the shift of the centre along the prior's own axes, angles clockwise (mmrotate `proj_xy`). Default false. */
  readonly projected?: boolean;
  /**
   * Exchanges width and height where the box is then turned less; decoded boxes have the longer side as their width
   * (mmrotate `edge_swap`). Default false.
   */
  readonly edgeSwap?: boolean;
}

/** mmrotate's coder as its detectors configure it (`DeltaXYWHAOBBoxCoder`, RetinaNet and RoI heads of le90). */
export const rotatedDeltaPresets = {
  mmrotate: {
    sizeClamp: 'both',
    sizeLimit: Math.abs(Math.log(16 / 1000)),
    angleRange: 'le90',
    edgeSwap: true,
    projected: true,
  },
} as const satisfies Record<string, RotatedCoderOptions>;

export interface RotatedCoder {
  /** Boxes to 5·N targets dx, dy, dw, dh, dangle. */
  encode(boxes: RotatedBoxes, priors: RotatedBoxes): BoxArray;
  /** 5·N targets to boxes; angles come out within the range. */
  decode(encoded: BoxArray, priors: RotatedBoxes): RotatedBoxes;
  /** Carries d/d(decoded boxes and angles) back to d/d(encoded). Clamped numbers get 0. */
  decodeGradient(gradient: RotatedBoxes, encoded: BoxArray, priors: RotatedBoxes): BoxArray;
}

/** First angle and length of a range, in turns; null: angles stay as they are. */
const angleRanges = { full: [-1 / 2, 1], le90: [-1 / 4, 1 / 2], le135: [-1 / 8, 1 / 2], oc: null } as const;

/**
 * The delta coder on the unrotated rectangles and the difference of the angles, in radians.
 *
 * Sources: detectron2 `Box2BoxTransformRotated` (angles in degrees, weights 1/std); mmrotate `DeltaXYWHAOBBoxCoder`.
 */
export function rotatedDeltaCoder(options: RotatedCoderOptions = {}): RotatedCoder {
  const { angleStd = 1, angleUnit = 'radian', angleRange = 'full' } = options;
  const { projected = false, edgeSwap = false, ...rest } = options;
  if (!(angleStd > 0)) throw new OptionError(`angleStd must be > 0, got ${angleStd}`, { angleStd });
  choiceOption('angleUnit', angleUnit, ['radian', 'degree']);
  if (!(angleRange in angleRanges)) {
    throw new OptionError(`angleRange: expected ${Object.keys(angleRanges).join(', ')}, got ${angleRange}`);
  }
  const delta = deltaCoder(rest);
  const unit = angleUnit === 'degree' ? Math.PI / 180 : 1;
  const turn = (2 * Math.PI) / unit;
  const range = angleRanges[angleRange];
  const wrap = (angle: number): number =>
    range === null ? angle : angle - turn * range[1] * Math.floor((angle / turn - range[0]) / range[1]);

  return {
    encode(own, priors) {
      checkAngles('boxes', own.boxes, own.angles);
      checkAngles('priors', priors.boxes, priors.angles);
      const { angles } = own;
      const differences = Float64Array.from(angles, (angle, i) => wrap(angle - priors.angles[i]!));
      let { boxes } = own;
      if (edgeSwap) {
        boxes = boxes.slice();
        for (let i = 0; i < angles.length; i++) {
          const turned = wrap(angles[i]! - priors.angles[i]! + turn / 4);
          if (Math.abs(differences[i]!) < Math.abs(turned)) continue;
          differences[i] = turned;
          exchangeSides(boxes, i);
        }
      }
      const sides = delta.encode(projected ? aboutPriors(boxes, priors, unit, -1) : boxes, priors.boxes);
      const encoded = new (sides.constructor as typeof Float64Array)(5 * angles.length);
      for (let i = 0; i < angles.length; i++) {
        encoded.set(sides.subarray(4 * i, 4 * i + 4), 5 * i);
        encoded[5 * i + 4] = (differences[i]! * unit) / angleStd;
      }
      return encoded;
    },
    decode(encoded, priors) {
      const shifted = delta.decode(sidesOf(encoded, priors), priors.boxes);
      const boxes = projected ? aboutPriors(shifted, priors, unit, 1) : shifted;
      const angles = new (boxes.constructor as typeof Float64Array)(priors.angles.length);
      for (let i = 0; i < angles.length; i++) {
        let angle = wrap((encoded[5 * i + 4]! * angleStd) / unit + priors.angles[i]!);
        if (edgeSwap && !isWide(boxes, i)) {
          exchangeSides(boxes, i);
          angle = wrap(angle + turn / 4);
        }
        angles[i] = angle;
      }
      return { boxes, angles };
    },
    decodeGradient(gradient, encoded, priors) {
      checkAngles('gradient', gradient.boxes, gradient.angles);
      const sides = sidesOf(encoded, priors);
      const boxGradient = Float64Array.from(gradient.boxes);
      if (edgeSwap) {
        const boxes = delta.decode(sides, priors.boxes);
        for (let i = 0; i < priors.angles.length; i++) if (!isWide(boxes, i)) exchangeSides(boxGradient, i);
      }
      if (projected)
        for (let i = 0; i < priors.angles.length; i++) turnBack(boxGradient, i, priors.angles[i]! * unit);
      const out = delta.decodeGradient(boxGradient, sides, priors.boxes);
      const result = new (out.constructor as typeof Float64Array)(encoded.length);
      for (let i = 0; i < priors.angles.length; i++) {
        result.set(out.subarray(4 * i, 4 * i + 4), 5 * i);
        result[5 * i + 4] = (gradient.angles[i]! * angleStd) / unit;
      }
      return result;
    },
  };
}

/** Whether the width is the longer side. */
function isWide(boxes: BoxArray, i: number): boolean {
  return boxes[4 * i + 2]! - boxes[4 * i]! > boxes[4 * i + 3]! - boxes[4 * i + 1]!;
}

/**
 * Width and height exchanged about the centre. Of a gradient: carried from the exchanged box to the box, the centre's
 * share stays and the sides' shares change places, which are the same sums and differences.
 */
function exchangeSides(boxes: BoxArray, i: number): void {
  const [x1, y1, x2, y2] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
  boxes[4 * i] = (x1 + x2 - (y2 - y1)) / 2;
  boxes[4 * i + 1] = (y1 + y2 - (x2 - x1)) / 2;
  boxes[4 * i + 2] = (x1 + x2 + (y2 - y1)) / 2;
  boxes[4 * i + 3] = (y1 + y2 + (x2 - x1)) / 2;
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
