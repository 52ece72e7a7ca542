/**
 * Overlap of rotated boxes: the exact IoU of the two rectangles, and similarities of the Gaussians that stand for them.
 *
 * A rotated box is its unrotated rectangle `x1,y1,x2,y2` and an angle about its centre, as in `Detections`. All in
 * float64; everything is relative to the second box's centre, so that large coordinates lose nothing.
 */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { countBoxes } from './pack.ts';
import { probIou, type RotatedSimilarity } from './rotated-gaussian.ts';

/** How angles are counted. */
export interface AngleOptions {
  /** Default radians (mmcv, Ultralytics); detectron2 counts in degrees. */
  readonly angleUnit?: 'radian' | 'degree';
  /** On the screen, y down. Default clockwise (mmcv, Ultralytics); detectron2 turns counter-clockwise. */
  readonly direction?: 'clockwise' | 'counterclockwise';
}

export interface RotatedOptions extends AngleOptions {
  /**
   * `'polygon'`: exact; `'iof'`: intersection over the first box; `'probiou'`: as Ultralytics (identical boxes give
   * 0.9995); or one of `boxops/rotated`: GWD, KLD, KFIoU. Default `'polygon'`.
   */
  readonly overlap?: 'polygon' | 'iof' | 'probiou' | RotatedSimilarity;
}

/** Overlap of box i of a with box j of b. */
export type RotatedOverlap = (i: number, j: number) => number;

/**
 * Overlaps of every rotated box of `a` with every one of `b`: N×M float64, row-major. A box without area, or with a
 * number that is not finite, has overlap 0 (the exact kinds); the Gaussian kinds have NaN for what is not finite.
 *
 * `a` 4·N and `b` 4·M as unrotated `x1,y1,x2,y2`, angles N and M. Source of the exact kinds: detectron2 and mmcv
 * `box_iou_rotated`; of ProbIoU Murrugarra-Llerena et al., arXiv 2106.06072, with Ultralytics' eps.
 */
export function rotatedIou(
  a: BoxArray,
  aAngles: BoxArray,
  b: BoxArray,
  bAngles: BoxArray,
  options: RotatedOptions = {},
): Float64Array<ArrayBuffer> {
  const overlap = rotatedOverlap(a, aAngles, b, bAngles, options);
  const rows = a.length / 4;
  const columns = b.length / 4;
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[i * columns + j] = overlap(i, j);
  return out;
}

/** The overlap as a function of two indices, its options checked once. */
export function rotatedOverlap(
  a: BoxArray,
  aAngles: BoxArray,
  b: BoxArray,
  bAngles: BoxArray,
  options: RotatedOptions = {},
): RotatedOverlap {
  const { overlap = 'polygon' } = options;
  checkRotated('a', a, aAngles);
  checkRotated('b', b, bAngles);
  const turn = radiansClockwise(options);
  const [aTurns, bTurns] = [turnsOf(aAngles, turn), turnsOf(bAngles, turn)];
  if (overlap === 'polygon' || overlap === 'iof') {
    return (i, j) => exact(a, i, aTurns, b, j, bTurns, overlap === 'iof');
  }
  const similarity = overlap === 'probiou' ? probIou : overlap;
  if (typeof similarity !== 'function') {
    throw new OptionError(`overlap: expected a name or a function of boxops/rotated, got ${String(overlap)}`);
  }
  return (i, j) => similarity(a, i, aTurns, b, j, bTurns);
}

/** Cosine and sine of each angle times `factor`. */
function turnsOf(angles: BoxArray, factor: number): Float64Array {
  const turns = new Float64Array(2 * angles.length);
  for (let i = 0; i < angles.length; i++) {
    turns[2 * i] = Math.cos(factor * angles[i]!);
    turns[2 * i + 1] = Math.sin(factor * angles[i]!);
  }
  return turns;
}

/** Number of boxes; throws {@link ShapeError} unless there is an angle for each. */
export function checkRotated(name: string, boxes: BoxArray, angles: BoxArray): number {
  const count = countBoxes(boxes, name);
  if (angles?.length !== count || !ArrayBuffer.isView(angles)) {
    throw new ShapeError(`expected ${count} float angles of ${name}, got ${angles?.length}`, {
      name,
      expected: count,
    });
  }
  return count;
}

/** What an angle is multiplied by to be radians, clockwise on the screen. */
export function radiansClockwise({ angleUnit = 'radian', direction = 'clockwise' }: AngleOptions): number {
  choiceOption('angleUnit', angleUnit, ['radian', 'degree']);
  choiceOption('direction', direction, ['clockwise', 'counterclockwise']);
  return (direction === 'clockwise' ? 1 : -1) * (angleUnit === 'radian' ? 1 : Math.PI / 180);
}

/** A polygon of at most eight corners, x and y in turn, and room for the next. */
let polygon = new Float64Array(32);
let clipped = new Float64Array(32);

function exact(
  a: BoxArray,
  i: number,
  aTurns: Float64Array,
  b: BoxArray,
  j: number,
  bTurns: Float64Array,
  overFirst: boolean,
): number {
  const p = 4 * i;
  const q = 4 * j;
  const aWidth = a[p + 2]! - a[p]!;
  const aHeight = a[p + 3]! - a[p + 1]!;
  const bWidth = b[q + 2]! - b[q]!;
  const bHeight = b[q + 3]! - b[q + 1]!;
  const aArea = aWidth * aHeight;
  const bArea = bWidth * bHeight;
  if (!(aWidth > 0 && aHeight > 0 && bWidth > 0 && bHeight > 0)) return 0;
  const dx = (a[p]! - b[q]! + (a[p + 2]! - b[q + 2]!)) / 2;
  const dy = (a[p + 1]! - b[q + 1]! + (a[p + 3]! - b[q + 3]!)) / 2;
  if (dx * dx + dy * dy > (Math.hypot(aWidth, aHeight) + Math.hypot(bWidth, bHeight)) ** 2 / 4) return 0;
  // The first box as b's own axes see it: there b is an upright rectangle about 0.
  const aCos = aTurns[2 * i]!;
  const aSin = aTurns[2 * i + 1]!;
  const cos = bTurns[2 * j]!;
  const sin = bTurns[2 * j + 1]!;
  const centreX = dx * cos + dy * sin;
  const centreY = dy * cos - dx * sin;
  const betweenCos = aCos * cos + aSin * sin;
  const betweenSin = aSin * cos - aCos * sin;
  const ux = (betweenCos * aWidth) / 2;
  const uy = (betweenSin * aWidth) / 2;
  const vx = (-betweenSin * aHeight) / 2;
  const vy = (betweenCos * aHeight) / 2;
  for (let k = 0; k < 4; k++) {
    const u = k === 1 || k === 2 ? 1 : -1;
    const v = k > 1 ? 1 : -1;
    polygon[2 * k] = centreX + u * ux + v * vx;
    polygon[2 * k + 1] = centreY + u * uy + v * vy;
  }
  let count = 4;
  count = clip(count, 0, 1, bWidth / 2);
  count = clip(count, 0, -1, bWidth / 2);
  count = clip(count, 1, 1, bHeight / 2);
  count = clip(count, 1, -1, bHeight / 2);
  const intersection = Math.min(area(count), aArea, bArea);
  if (!(intersection > 0)) return 0;
  return overFirst ? intersection / aArea : intersection / (aArea + bArea - intersection);
}

/** Keeps the part of the polygon with sign · coordinate <= limit (Sutherland and Hodgman); returns its corners. */
function clip(count: number, axis: 0 | 1, sign: 1 | -1, limit: number): number {
  let kept = 0;
  for (let k = 0; k < count; k++) {
    const at = 2 * k;
    const next = 2 * ((k + 1) % count);
    const from = limit - sign * polygon[at + axis]!;
    const to = limit - sign * polygon[next + axis]!;
    if (from >= 0) {
      clipped[kept++] = polygon[at]!;
      clipped[kept++] = polygon[at + 1]!;
    }
    if (from >= 0 !== to >= 0) {
      const t = from / (from - to);
      clipped[kept++] = polygon[at]! + t * (polygon[next]! - polygon[at]!);
      clipped[kept++] = polygon[at + 1]! + t * (polygon[next + 1]! - polygon[at + 1]!);
    }
  }
  [polygon, clipped] = [clipped, polygon];
  return kept / 2;
}

function area(count: number): number {
  let twice = 0;
  for (let k = 0; k < count; k++) {
    const at = 2 * k;
    const next = 2 * ((k + 1) % count);
    twice += polygon[at]! * polygon[next + 1]! - polygon[next]! * polygon[at + 1]!;
  }
  return Math.abs(twice) / 2;
}
