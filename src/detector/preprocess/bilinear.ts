/**
 * Bilinear resizing without smoothing: for every destination pixel its two source pixels along each axis and their
 * weights, in 1/2048.
 *
 * These are the integers of `cv2.resize(…, INTER_LINEAR)` on 8-bit images (OpenCV's `INTER_RESIZE_COEF_BITS` is 11), so
 * that a model here sees the very pixels that it saw where it was trained or scored. Pixel centres lie at half integers
 * and nothing is smoothed when shrinking.
 */
import { roundHalfEven } from '../../boxes/letterbox.ts';
import type { Size } from '../../boxes/types.ts';
import type { Planes } from './planes.ts';
import type { PackedImage, ResizeCache } from './resize-cache.ts';

const { imul } = Math;

/** Weights of one destination pixel sum to this. */
const one = 2048;

/** Source positions of the pixels of one destination axis. */
export interface AxisTable {
  /** Offset of the source pixel at or before the position, times `step`. */
  readonly lower: Int32Array;
  /** Offset of the source pixel after it, times `step`; the same pixel at the borders. */
  readonly upper: Int32Array;
  /** Weight of `lower`, 0 to 2048. */
  readonly lowerWeight: Int32Array;
  /** Weight of `upper`, 0 to 2048. */
  readonly upperWeight: Int32Array;
}

/**
 * Table of an axis of `source` pixels resampled to `target`; offsets are multiplied by `step`.
 *
 * Outside the outermost centres a position holds one pixel twice. OpenCV then gives it the whole weight along a row, but
 * keeps both weights along a column (`split`), where their two roundings can differ by one grey level.
 */
export function axisTable(source: number, target: number, step: number, split: boolean): AxisTable {
  const lower = new Int32Array(target);
  const upper = new Int32Array(target);
  const lowerWeight = new Int32Array(target);
  const upperWeight = new Int32Array(target);
  const scale = 1 / (target / source);
  const last = source - 1;
  for (let i = 0; i < target; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const floor = Math.floor(position);
    const fraction = split || (floor >= 0 && floor < last) ? Math.fround(position - floor) : 0;
    lower[i] = Math.min(Math.max(floor, 0), last) * step;
    upper[i] = Math.min(Math.max(floor + 1, 0), last) * step;
    lowerWeight[i] = roundHalfEven(Math.fround(1 - fraction) * one);
    upperWeight[i] = roundHalfEven(fraction * one);
  }
  return { lower, upper, lowerWeight, upperWeight };
}

/** Resizes to `target` in one pass, straight into the tensor. */
export function resizeBilinear(source: PackedImage, target: Size, planes: Planes, cache: ResizeCache): void {
  const { data } = source;
  const { out, red, green, blue, redOffset, greenOffset, blueOffset, pixelStep, rowStep } = planes;
  const columns = cache.row(source.width, target.width);
  const rows = cache.column(source.height, target.height, source.width);
  const { lower: left, upper: right, lowerWeight: leftWeight, upperWeight: rightWeight } = columns;
  for (let y = 0; y < target.height; y++) {
    const top = rows.lower[y];
    const bottom = rows.upper[y];
    const v = rows.lowerWeight[y];
    const w = rows.upperWeight[y];
    let pixel = y * rowStep;
    for (let x = 0; x < target.width; x++) {
      const l = left[x];
      const r = right[x];
      const t = leftWeight[x];
      const u = rightWeight[x];
      const a = data[top + l];
      const b = data[top + r];
      const c = data[bottom + l];
      const d = data[bottom + r];
      // sums of a row are 19 bits, of which OpenCV drops 4, then 16 of the product with a column's weight
      let upper = (imul(a & 255, t) + imul(b & 255, u)) >> 4;
      let lower = (imul(c & 255, t) + imul(d & 255, u)) >> 4;
      out[redOffset + pixel] = red[((imul(v, upper) >> 16) + (imul(w, lower) >> 16) + 2) >> 2];
      upper = (imul((a >>> 8) & 255, t) + imul((b >>> 8) & 255, u)) >> 4;
      lower = (imul((c >>> 8) & 255, t) + imul((d >>> 8) & 255, u)) >> 4;
      out[greenOffset + pixel] = green[((imul(v, upper) >> 16) + (imul(w, lower) >> 16) + 2) >> 2];
      upper = (imul((a >>> 16) & 255, t) + imul((b >>> 16) & 255, u)) >> 4;
      lower = (imul((c >>> 16) & 255, t) + imul((d >>> 16) & 255, u)) >> 4;
      out[blueOffset + pixel] = blue[((imul(v, upper) >> 16) + (imul(w, lower) >> 16) + 2) >> 2];
      pixel += pixelStep;
    }
  }
}
