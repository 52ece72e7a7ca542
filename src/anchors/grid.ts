/** Base anchors repeated over every cell of feature maps, in the float32 steps of the Python generators. */
import { checkSize } from '../boxes/check.ts';
import type { Size } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import type { AnchorImage, AnchorLevel, Anchors } from './types.ts';

const { fround } = Math;

/** Strides of feature pyramid levels P3 to P7. */
export const pyramidStrides = [8, 16, 32, 64, 128] as const;

/** One level for {@link gridAnchors}. */
export interface LevelSpec {
  readonly stride: number;
  /** Cells along x and y. */
  readonly map: Size;
  /** Corners of the anchors of a cell whose shift is 0: 4·perCell numbers. */
  readonly base: ArrayLike<number>;
  /** Default: the stride. */
  readonly pitchX?: number;
  readonly pitchY?: number;
  /** Shift of cell (0, 0) in pixels. Default 0. */
  readonly offsetX?: number;
  readonly offsetY?: number;
  /** Sums are of float64 numbers and rounded once, as numpy has them. Default false. */
  readonly double?: boolean;
}

/**
 * Anchors of several levels: box = base + (offset + cell·pitch), each sum rounded to float32, as the Python generators
 * have it. Levels follow each other in the order given; cells go row by row, the anchors of a cell together.
 */
export function gridAnchors(specs: readonly LevelSpec[]): Anchors {
  const levels: AnchorLevel[] = [];
  let total = 0;
  for (const { stride, map, base, pitchX = stride, pitchY = stride, offsetX = 0, offsetY = 0 } of specs) {
    if (base.length === 0 || base.length % 4 !== 0) {
      throw new OptionError(`expected base anchors of 4·n numbers, got ${base.length}`, { got: base.length });
    }
    if (!(pitchX > 0 && pitchY > 0)) {
      throw new OptionError(`expected a stride > 0, got ${pitchX}×${pitchY}`, { pitchX, pitchY });
    }
    const perCell = base.length / 4;
    const count = map.width * map.height * perCell;
    levels.push({
      stride,
      pitchX,
      pitchY,
      width: map.width,
      height: map.height,
      perCell,
      start: total,
      count,
      hull: hullOf(base, offsetX, offsetY),
    });
    total += count;
  }
  const boxes = new Float32Array(4 * total);
  let at = 0;
  specs.forEach(({ base, offsetX = 0, offsetY = 0, double = false }, k) => {
    const { width, height, pitchX, pitchY } = levels[k]!;
    const round = double ? Number : fround;
    const corners = (double ? Float64Array : Float32Array).from(base);
    for (let y = 0; y < height; y++) {
      const shiftY = round(offsetY + y * pitchY);
      for (let x = 0; x < width; x++) {
        const shiftX = round(offsetX + x * pitchX);
        for (let i = 0; i < corners.length; i += 4, at += 4) {
          boxes[at] = shiftX + corners[i]!;
          boxes[at + 1] = shiftY + corners[i + 1]!;
          boxes[at + 2] = shiftX + corners[i + 2]!;
          boxes[at + 3] = shiftY + corners[i + 3]!;
        }
      }
    }
  });
  return { boxes, levels };
}

/** Smallest box around base anchors, shifted. */
export function hullOf(
  base: ArrayLike<number>,
  offsetX: number,
  offsetY: number,
): readonly [number, number, number, number] {
  const hull: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < base.length; i += 4) {
    hull[0] = Math.min(hull[0], base[i]! + offsetX);
    hull[1] = Math.min(hull[1], base[i + 1]! + offsetY);
    hull[2] = Math.max(hull[2], base[i + 2]! + offsetX);
    hull[3] = Math.max(hull[3], base[i + 3]! + offsetY);
  }
  return hull;
}

/** The feature maps of an image: those given, or image / stride rounded up. Throws where they do not fit the strides. */
export function mapsOf({ image, maps }: AnchorImage, strides: readonly number[]): readonly Size[] {
  checkSize('image', image);
  for (const stride of strides) {
    if (!(stride > 0 && Number.isFinite(stride))) {
      throw new OptionError(`expected strides > 0, got ${stride}`, { stride });
    }
  }
  if (maps === undefined) {
    return strides.map((stride) => ({
      width: Math.ceil(image.width / stride),
      height: Math.ceil(image.height / stride),
    }));
  }
  if (maps.length !== strides.length) {
    throw new OptionError(`expected ${strides.length} feature maps, one a stride, got ${maps.length}`, {
      expected: strides.length,
      got: maps.length,
    });
  }
  for (const { width, height } of maps) {
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw new OptionError(`expected feature maps of whole cells, got ${width}×${height}`, {
        width,
        height,
      });
    }
  }
  return maps;
}

/** Numbers for each level: one list a level, or the same list for all. */
export function perLevel(
  name: string,
  lists: readonly number[] | readonly (readonly number[])[],
  count: number,
): readonly (readonly number[])[] {
  if (!Array.isArray(lists[0])) return Array.from({ length: count }, () => lists as readonly number[]);
  if (lists.length !== count) {
    throw new OptionError(`expected ${name} for ${count} levels, got ${lists.length}`, {
      expected: count,
      got: lists.length,
    });
  }
  return lists as readonly (readonly number[])[];
}
