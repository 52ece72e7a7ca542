/**
 * One rectangle has many names: sides and angle depend on a library's range of angles, its unit and its direction. Here
 * they are converted, turned into corners, and asked which points they contain.
 */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { type AngleOptions, checkRotated, radiansClockwise } from '../iou/rotated.ts';

/**
 * A range of angles, and so which side is the width. The ranges hold for the angle as it is counted (unit, direction):
 *
 * - `'le90'` (mmrotate): the width is the longer side, −90° ≤ angle < 90°
 * - `'le135'` (mmrotate): the width is the longer side, −45° ≤ angle < 135°
 * - `'opencv'` (OpenCV ≥ 4.5.1 `minAreaRect`, mmrotate's `oc`): 0° < angle ≤ 90°
 * - `'opencv-old'` (OpenCV before 4.5.1): −90° ≤ angle < 0°
 * - `'ultralytics'` (`regularize_rboxes`): the width is the longer side, 0° ≤ angle < 180°
 *
 * A square counts as higher than wide, as in mmrotate 1 and Ultralytics: it gets the other side's angle.
 */
export type AngleConvention = 'le90' | 'le135' | 'opencv' | 'opencv-old' | 'ultralytics';

export interface AngleFormat extends AngleOptions {
  /** Default: any angle; a conversion to it keeps width and height. */
  readonly convention?: AngleConvention;
}

export interface RotatedBoxes<T extends BoxArray = BoxArray> {
  /** 4·N, unrotated `x1,y1,x2,y2`. */
  readonly boxes: T;
  /** N. */
  readonly angles: T;
}

interface Range {
  /** Degrees; half open, closed at the start unless `openAtStart`. */
  readonly start: number;
  readonly longerWidth: boolean;
  readonly openAtStart?: boolean;
}

const ranges: Readonly<Record<AngleConvention, Range>> = {
  le90: { start: -90, longerWidth: true },
  le135: { start: -45, longerWidth: true },
  opencv: { start: 0, longerWidth: false, openAtStart: true },
  'opencv-old': { start: -90, longerWidth: false },
  ultralytics: { start: 0, longerWidth: true },
};

/**
 * The same rectangles in another convention, unit or direction of angles.
 *
 * `boxes` 4·N unrotated `x1,y1,x2,y2`, `angles` N → new arrays of the same kind (or `out`). What `from.convention` says
 * is not checked: any angle is read right. Boxes that are not finite stay so. Throws {@link ShapeError} for arrays that
 * do not fit, {@link OptionError} for an unknown name.
 *
 * @example
 * const boxes = new Float32Array([0, 0, 2, 4]);
 * convertRotatedBoxes(boxes, new Float32Array([0]), {}, { convention: 'le90', angleUnit: 'degree' });
 * // { boxes: [-1, 1, 3, 3], angles: [-90] }
 */
export function convertRotatedBoxes<T extends BoxArray>(
  boxes: T,
  angles: T,
  from: AngleFormat = {},
  to: AngleFormat = {},
  out?: RotatedBoxes<T>,
): RotatedBoxes<T> {
  const count = checkRotated('boxes', boxes, angles);
  const factor = radiansClockwise(from) / radiansClockwise(to);
  for (const { convention } of [from, to]) {
    if (convention !== undefined && !Object.hasOwn(ranges, convention)) {
      throw new OptionError(
        `convention: expected ${Object.keys(ranges).join(', ')}, got ${String(convention)}`,
        { convention },
      );
    }
  }
  const target = {
    boxes: out?.boxes ?? (boxes.slice() as T),
    angles: out?.angles ?? (angles.slice() as T),
  };
  if (target.boxes.length < boxes.length || target.angles.length < count) {
    throw new ShapeError(`expected out of ${boxes.length} and ${count} numbers`, { expected: count });
  }
  const range = to.convention === undefined ? null : ranges[to.convention];
  const single = target.angles instanceof Float32Array;
  const half = to.angleUnit === 'degree' ? 180 : Math.PI;
  const start = range === null ? 0 : (range.start / 180) * half;
  for (let i = 0; i < count; i++) {
    const k = 4 * i;
    const x1 = boxes[k]!;
    const y1 = boxes[k + 1]!;
    const x2 = boxes[k + 2]!;
    const y2 = boxes[k + 3]!;
    let angle = angles[i]! * factor;
    let swaps = false;
    if (range !== null) {
      if (range.longerWidth) {
        swaps = !(x2 - x1 > y2 - y1);
        angle = within(swaps ? angle + half / 2 : angle, start, half, false);
        // just below the end, which a float32 rounds to
        if (single && Math.fround(angle) >= Math.fround(start + half)) angle = start;
      } else {
        // A half turn changes nothing, a quarter turn swaps the sides.
        const open = range.openAtStart === true;
        angle = within(angle, start, half, open);
        swaps = open ? angle > start + half / 2 : angle >= start + half / 2;
        if (swaps) angle -= half / 2;
      }
    }
    target.angles[i] = angle;
    if (swaps) {
      const [cx, cy] = [x1 + (x2 - x1) / 2, y1 + (y2 - y1) / 2];
      const [w, h] = [(y2 - y1) / 2, (x2 - x1) / 2];
      target.boxes[k] = cx - w;
      target.boxes[k + 1] = cy - h;
      target.boxes[k + 2] = cx + w;
      target.boxes[k + 3] = cy + h;
    } else {
      target.boxes[k] = x1;
      target.boxes[k + 1] = y1;
      target.boxes[k + 2] = x2;
      target.boxes[k + 3] = y2;
    }
  }
  return target;
}

/** The angle in [start, start + length), or in (start, start + length]. */
function within(angle: number, start: number, length: number, openAtStart: boolean): number {
  const turns = Math.floor((angle - start) / length);
  let result = angle - turns * length;
  // Rounding may leave it at, or beyond, an end.
  if (result >= start + length) result -= length;
  if (result < start) result = start;
  return openAtStart && result === start ? start + length : result;
}

/**
 * Corners of rotated boxes: 8·N numbers, `x,y` of the four in the order top left, top right, bottom right, bottom left of
 * the unrotated box (mmrotate `obb2poly`; DOTA's format).
 */
export function rotatedCorners<T extends BoxArray>(
  boxes: T,
  angles: BoxArray,
  options: AngleOptions = {},
): T {
  const count = checkRotated('boxes', boxes, angles);
  const turn = radiansClockwise(options);
  const out = (
    boxes instanceof Float32Array ? new Float32Array(8 * count) : new Float64Array(8 * count)
  ) as T;
  for (let i = 0; i < count; i++) {
    const k = 4 * i;
    const [w, h] = [(boxes[k + 2]! - boxes[k]!) / 2, (boxes[k + 3]! - boxes[k + 1]!) / 2];
    const [cx, cy] = [boxes[k]! + w, boxes[k + 1]! + h];
    const [cos, sin] = [Math.cos(turn * angles[i]!), Math.sin(turn * angles[i]!)];
    for (let corner = 0; corner < 4; corner++) {
      const u = corner === 1 || corner === 2 ? w : -w;
      const v = corner >= 2 ? h : -h;
      out[8 * i + 2 * corner] = cx + u * cos - v * sin;
      out[8 * i + 2 * corner + 1] = cy + u * sin + v * cos;
    }
  }
  return out;
}

/**
 * Which points lie in which rotated boxes: P×N flags, row-major by point; the border counts as inside (Ultralytics'
 * rotated assigner). `points` 2·P as `x,y`. Nothing lies in a box, nor does a point, that is not finite.
 *
 * Throws {@link ShapeError} for arrays that do not fit and for an `out` that is too short.
 *
 * @example
 * pointsInRotatedBoxes(new Float32Array([1, 1, 9, 9]), new Float32Array([0, 0, 4, 2]), new Float32Array([0])); // [1, 0]
 */
export function pointsInRotatedBoxes(
  points: BoxArray,
  boxes: BoxArray,
  angles: BoxArray,
  options: AngleOptions & { readonly out?: Uint8Array } = {},
): Uint8Array {
  const count = checkRotated('boxes', boxes, angles);
  if (!(points instanceof Float32Array || points instanceof Float64Array) || points.length % 2 !== 0) {
    throw new ShapeError(`expected points of 2·P numbers, got ${(points as BoxArray | undefined)?.length}`);
  }
  const rows = points.length / 2;
  const turn = radiansClockwise(options);
  const out = options.out ?? new Uint8Array(rows * count);
  if (out.length < rows * count) {
    throw new ShapeError(`expected out of ${rows * count} flags, got ${out.length}`, {
      expected: rows * count,
      got: out.length,
    });
  }
  for (let j = 0; j < count; j++) {
    const k = 4 * j;
    const [w, h] = [boxes[k + 2]! - boxes[k]!, boxes[k + 3]! - boxes[k + 1]!];
    const [cos, sin] = [Math.cos(turn * angles[j]!), Math.sin(turn * angles[j]!)];
    for (let i = 0; i < rows; i++) {
      const twiceX = points[2 * i]! - boxes[k]! + (points[2 * i]! - boxes[k + 2]!);
      const twiceY = points[2 * i + 1]! - boxes[k + 1]! + (points[2 * i + 1]! - boxes[k + 3]!);
      const along = Math.abs(twiceX * cos + twiceY * sin);
      const across = Math.abs(twiceY * cos - twiceX * sin);
      out[i * count + j] = along <= w && across <= h && along + across < Number.POSITIVE_INFINITY ? 1 : 0;
    }
  }
  return out;
}
