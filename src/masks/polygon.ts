/**
 * Polygons and boxes as run-length masks, with pycocotools' rasterisation (`rleFrPoly`, `rleFrBbox`).
 *
 * The outline is walked on a grid five times finer than the pixels; wherever it crosses the middle column of a pixel,
 * that column changes between outside and inside at the pixel the crossing rounds up to. Sorting these changes gives
 * the runs, so overlapping parts of one polygon cancel (even-odd).
 */
import { convertBoxes } from '../boxes/formats.ts';
import type { BoxArray, BoxFormat } from '../boxes/types.ts';
import { NumericError, ShapeError } from '../errors.ts';
import { pixelCount } from './rle.ts';
import { mergeRle } from './rle-algebra.ts';
import type { Rle } from './types.ts';

const scale = 5;
/** Edges are walked step by step, so a stray coordinate must not make that endless. */
const largest = 1e6;

/**
 * Mask of one polygon x1, y1, x2, y2, … in pixels (pycocotools `frPyObjects`); parts outside the image are cut off.
 *
 * `size` is `[height, width]`. Throws {@link ShapeError} on a size that is none, fewer than three points or an odd number,
 * {@link NumericError} on a coordinate that is not finite or beyond ±10⁶.
 *
 * @example
 * rleFromPolygon([1, 1, 3, 1, 3, 3, 1, 3], [4, 4]).counts; // Uint32Array [5, 2, 2, 2, 5]
 */
export function rleFromPolygon(
  polygon: ArrayLike<number>,
  size: readonly [height: number, width: number],
): Rle {
  if (polygon.length < 6 || polygon.length % 2 !== 0) {
    throw new ShapeError(`expected a polygon of at least three x, y pairs, got ${polygon.length} numbers`, {
      got: polygon.length,
    });
  }
  return rasterise(polygon, size);
}

function rasterise(polygon: ArrayLike<number>, size: readonly [number, number]): Rle {
  const [height, width] = size;
  const pixels = pixelCount(size);
  for (let i = 0; i < polygon.length; i++) {
    if (!(Math.abs(polygon[i]) <= largest)) {
      throw new NumericError(`expected polygon coordinates within ±${largest}, got ${polygon[i]}`, {
        index: i,
        got: polygon[i],
      });
    }
  }
  const changes: number[] = [];
  const points = polygon.length / 2;
  const fine = (index: number, axis: 0 | 1) => Math.trunc(scale * polygon[2 * (index % points) + axis] + 0.5);
  let previousX = Number.NaN;
  let previousY = 0;
  const walkTo = (x: number, y: number): void => {
    if (x !== previousX && !Number.isNaN(previousX)) {
      const column = (Math.min(x, previousX) + 0.5) / scale - 0.5;
      if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
        const crossing = (Math.min(y, previousY) + 0.5) / scale - 0.5;
        changes.push(column * height + Math.ceil(Math.min(Math.max(crossing, 0), height)));
      }
    }
    previousX = x;
    previousY = y;
  };
  for (let j = 0; j < points; j++) walkEdge(fine(j, 0), fine(j, 1), fine(j + 1, 0), fine(j + 1, 1), walkTo);
  changes.push(pixels);
  changes.sort((a, b) => a - b);
  return { size: [height, width], counts: runsBetween(changes) };
}

/** Every grid point of one edge, by its longer axis; the shorter one is rounded from the smaller end, whichever way it is walked. */
function walkEdge(
  startX: number,
  startY: number,
  endX: number,
  endY: number,
  visit: (x: number, y: number) => void,
): void {
  const spanX = Math.abs(endX - startX);
  const spanY = Math.abs(endY - startY);
  const flat = spanX >= spanY;
  const steps = flat ? spanX : spanY;
  const backwards = flat ? startX > endX : startY > endY;
  const fromX = backwards ? endX : startX;
  const fromY = backwards ? endY : startY;
  const toX = backwards ? startX : endX;
  const toY = backwards ? startY : endY;
  const slope = steps === 0 ? 0 : flat ? (toY - fromY) / spanX : (toX - fromX) / spanY;
  for (let d = 0; d <= steps; d++) {
    const t = backwards ? steps - d : d;
    if (flat) visit(fromX + t, Math.trunc(fromY + slope * t + 0.5));
    else visit(Math.trunc(fromX + slope * t + 0.5), fromY + t);
  }
}

/** Run lengths between sorted positions of change; two changes at one place cancel. */
function runsBetween(changes: readonly number[]): Uint32Array<ArrayBuffer> {
  const counts: number[] = [];
  let start = 0;
  let i = 0;
  while (i < changes.length) {
    if (i > 0 && changes[i] === changes[i - 1] && counts.length > 0) {
      // the run that would be empty is left out, so the one before goes on
      i++;
      if (i < changes.length) counts[counts.length - 1] += changes[i] - changes[i - 1];
    } else {
      counts.push(changes[i] - start);
    }
    if (i < changes.length) start = changes[i];
    i++;
  }
  return Uint32Array.from(counts);
}

/** Union of several polygons, as a COCO annotation has them; no polygon gives an empty mask. */
export function rleFromPolygons(
  polygons: readonly ArrayLike<number>[],
  size: readonly [height: number, width: number],
): Rle {
  if (polygons.length === 0) return { size: [size[0], size[1]], counts: Uint32Array.of(pixelCount(size)) };
  return mergeRle(polygons.map((polygon) => rleFromPolygon(polygon, size)));
}

/** Masks of boxes, rasterised as polygons (pycocotools `frPyObjects` of boxes, which are `'xywh'` there). */
export function rleFromBoxes(
  boxes: BoxArray,
  size: readonly [height: number, width: number],
  options: { readonly format?: BoxFormat } = {},
): Rle[] {
  const corners = convertBoxes(boxes, options.format ?? 'xyxy', 'xyxy', { height: size[0], width: size[1] });
  return Array.from({ length: corners.length / 4 }, (_, i) => {
    const [x1, y1, x2, y2] = corners.subarray(4 * i, 4 * i + 4);
    return rasterise([x1, y1, x1, y2, x2, y2, x2, y1], size);
  });
}
