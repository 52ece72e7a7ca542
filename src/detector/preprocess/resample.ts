/**
 * The tables of bilinear resampling along one axis: for every destination pixel its two source pixels and their weights,
 * in 1/2048.
 *
 * These are the integers of `cv2.resize(…, INTER_LINEAR)` on 8-bit images (OpenCV's `INTER_RESIZE_COEF_BITS` is 11), so
 * that a model here sees the very pixels that it saw where it was trained or scored. Pixel centres lie at half integers
 * and nothing is smoothed when shrinking.
 */
import { roundHalfEven } from '../../boxes/letterbox.ts';

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
function axisTable(source: number, target: number, step: number, split: boolean): AxisTable {
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

/** Keeps the tables of the last few sizes: a video has one, a folder of photos a handful. */
export class AxisTableCache {
  readonly #tables = new Map<string, AxisTable>();
  readonly #limit: number;

  constructor(limit = 16) {
    this.#limit = limit;
  }

  /** The table of {@link axisTable} for a row of pixels, made or remembered. */
  row(source: number, target: number): AxisTable {
    return this.#get(source, target, 1, false);
  }

  /** The same for a column of an image whose rows are `step` pixels apart. */
  column(source: number, target: number, step: number): AxisTable {
    return this.#get(source, target, step, true);
  }

  #get(source: number, target: number, step: number, split: boolean): AxisTable {
    const key = `${source}:${target}:${step}:${split}`;
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    if (this.#tables.size >= this.#limit) {
      const oldest = this.#tables.keys().next().value;
      if (oldest !== undefined) this.#tables.delete(oldest);
    }
    const table = axisTable(source, target, step, split);
    this.#tables.set(key, table);
    return table;
  }
}
