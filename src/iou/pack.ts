/**
 * Boxes as the caller has them to what the loops read: rows of `x1,y1,x2,y2` for a, columns for b, with the pixel offset
 * added. Scratch memory is kept and grown, so repeated calls allocate nothing.
 */
import { boxCount, kindOf, requireFloats } from '../boxes/check.ts';
import { convertBoxes, isNormalised } from '../boxes/formats.ts';
import type { BoxArray, BoxFormat } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import type { Column } from './loops.ts';

/** Number of boxes; throws {@link ShapeError} for what is no float array of 4·N numbers. */
export function countBoxes(boxes: BoxArray, name: string): number {
  requireFloats(name, boxes);
  return boxCount(boxes, name);
}

type OutKind = new (length: number) => unknown;

/** `out` itself, or throws {@link OptionError} where it is of neither kind or too short. */
export function withRoom<T extends BoxArray | Int32Array | Uint32Array>(
  out: T,
  length: number,
  Kind: OutKind = Float32Array,
  Other: OutKind = Float64Array,
): T {
  if ((out instanceof Kind || out instanceof Other) && out.length >= length) return out;
  throw new OptionError(
    `expected out: at least ${length} as ${Kind.name}, got ${out?.length} as ${kindOf(out)}`,
  );
}

/** What looking over the boxes of a call found. */
export interface BoxSurvey {
  /** Some coordinate is NaN or infinite: the box's similarities are NaN. */
  nonFinite: boolean;
  /** Float32 products of sides could overflow or lose their digits: the call runs in float64. */
  extreme: boolean;
}

const largest = 2 ** 60;
const smallest = 2 ** -50;

/** Looks over row-major corners. */
export function surveyBoxes(corners: Column, found: BoxSurvey): void {
  let { nonFinite, extreme } = found;
  for (let i = 0; i < corners.length; i += 4) {
    const x1 = corners[i]!;
    const y1 = corners[i + 1]!;
    const x2 = corners[i + 2]!;
    const y2 = corners[i + 3]!;
    const size = Math.abs(x1) + Math.abs(y1) + Math.abs(x2) + Math.abs(y2);
    const width = x2 - x1;
    const height = y2 - y1;
    if (!(size < largest)) {
      extreme = true;
      if (isNonFinite(corners, i)) nonFinite = true;
    }
    if ((width > 0 && width < smallest) || (height > 0 && height < smallest)) extreme = true;
  }
  found.nonFinite = nonFinite;
  found.extreme = extreme;
}

/**
 * Whether the largest coordinate is less than 2²⁶ times the smallest that is not 0, so that sums of a few of them are exact
 * in double precision. All must be finite.
 */
export function areNear(a: Column, b: Column): boolean {
  let largest = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const corners of [a, b]) {
    for (let i = 0; i < corners.length; i++) {
      const magnitude = Math.abs(corners[i]!);
      if (magnitude > largest) largest = magnitude;
      if (magnitude < smallest && magnitude > 0) smallest = magnitude;
    }
  }
  return largest < 2 ** 26 * smallest;
}

/** Whether a coordinate of the row-major box that begins at `i` is NaN or infinite. */
export function isNonFinite(corners: Column, i: number): boolean {
  return corners[i]! * 0 + corners[i + 1]! * 0 + corners[i + 2]! * 0 + corners[i + 3]! * 0 !== 0;
}

/** Memory that grows and is used again. */
class Scratch {
  private singles = new Float32Array(0);
  private doubles = new Float64Array(0);

  like<T extends BoxArray>(boxes: T): T {
    const { length } = boxes;
    if (boxes instanceof Float32Array) {
      if (this.singles.length < length)
        this.singles = new Float32Array(Math.max(length, 2 * this.singles.length));
      return this.singles.subarray(0, length) as T;
    }
    if (this.doubles.length < length)
      this.doubles = new Float64Array(Math.max(length, 2 * this.doubles.length));
    return this.doubles.subarray(0, length) as T;
  }
}

/** Turns boxes of any format into row-major corners: the array itself where nothing has to change. */
export class CornerStore {
  private readonly scratch = new Scratch();

  /** The result is valid until the next call. Its precision is the array's. */
  read(boxes: BoxArray, format: BoxFormat = 'xyxy', pixelOffset: 0 | 1 = 0): BoxArray {
    const corners = isNormalised(format) ? 'xyxyn' : 'xyxy';
    if (format === corners && pixelOffset === 0) return boxes;
    const out = convertBoxes(boxes, format, corners, { out: this.scratch.like(boxes) });
    if (pixelOffset === 1) {
      for (let i = 2; i < out.length; i += 4) {
        out[i]! += 1;
        out[i + 1]! += 1;
      }
    }
    return out;
  }
}

/** Columns of row-major corners, in the wanted precision. */
export class ColumnStore {
  x1s: Column = new Float64Array(0);
  y1s: Column = new Float64Array(0);
  x2s: Column = new Float64Array(0);
  y2s: Column = new Float64Array(0);

  fill(corners: Column, float32: boolean): void {
    const count = corners.length / 4;
    if (this.x1s.length < count || this.x1s instanceof Float32Array !== float32) {
      const Columns = float32 ? Float32Array : Float64Array;
      const capacity = Math.max(count, this.x1s.length, 16);
      this.x1s = new Columns(capacity);
      this.y1s = new Columns(capacity);
      this.x2s = new Columns(capacity);
      this.y2s = new Columns(capacity);
    }
    const { x1s, y1s, x2s, y2s } = this;
    for (let j = 0, i = 0; j < count; j++, i += 4) {
      x1s[j] = corners[i]!;
      y1s[j] = corners[i + 1]!;
      x2s[j] = corners[i + 2]!;
      y2s[j] = corners[i + 3]!;
    }
  }
}
