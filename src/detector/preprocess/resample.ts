/**
 * The tables of bilinear resampling along one axis: for every destination pixel its two source pixels and the weight
 * between them.
 *
 * Pixel centres lie at half integers and nothing is smoothed when shrinking, as `cv2.resize(…, INTER_LINEAR)` and
 * `torch.nn.functional.interpolate(…, mode='bilinear', align_corners=False, antialias=False)` do. (OpenCV rounds the
 * weights of 8-bit images to 11 bits and the result to a whole number; here neither is rounded.)
 */

/** Source positions of the pixels of one destination axis. */
export interface AxisTable {
  /** Offset of the source pixel at or before the position, times `step`. */
  readonly lower: Int32Array;
  /** Offset of the source pixel after it, times `step`; the same pixel at the borders. */
  readonly upper: Int32Array;
  /** Weight of `upper`, in [0, 1). */
  readonly weight: Float64Array;
}

/** Table of an axis of `source` pixels resampled to `target`; offsets are multiplied by `step`. */
export function axisTable(source: number, target: number, step: number): AxisTable {
  const lower = new Int32Array(target);
  const upper = new Int32Array(target);
  const weight = new Float64Array(target);
  const scale = source / target;
  for (let i = 0; i < target; i++) {
    const position = (i + 0.5) * scale - 0.5;
    const floor = Math.floor(position);
    if (floor < 0) continue;
    if (floor >= source - 1) {
      lower[i] = upper[i] = (source - 1) * step;
      continue;
    }
    lower[i] = floor * step;
    upper[i] = (floor + 1) * step;
    weight[i] = position - floor;
  }
  return { lower, upper, weight };
}

/** Keeps the tables of the last few sizes: a video has one, a folder of photos a handful. */
export class AxisTableCache {
  readonly #tables = new Map<string, AxisTable>();
  readonly #limit: number;

  constructor(limit = 16) {
    this.#limit = limit;
  }

  /** The table of {@link axisTable}, made or remembered. */
  get(source: number, target: number, step: number): AxisTable {
    const key = `${source}:${target}:${step}`;
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    if (this.#tables.size >= this.#limit) {
      const oldest = this.#tables.keys().next().value;
      if (oldest !== undefined) this.#tables.delete(oldest);
    }
    const table = axisTable(source, target, step);
    this.#tables.set(key, table);
    return table;
  }
}
