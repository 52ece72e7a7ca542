/** What resizing keeps from picture to picture, so that steady work allocates nothing. */
import type { Size } from '../../boxes/types.ts';
import { type FilterTable, filterTable } from './antialias.ts';
import { type AxisTable, axisTable } from './bilinear.ts';

/** A picture of one number a pixel: red in the low byte, then green and blue; the high byte is not read. */
export interface PackedImage extends Size {
  readonly data: Uint32Array;
}

/** Keeps the tables of the last few sizes (a video has one, a folder of photos a handful) and the rows in work. */
export class ResizeCache {
  readonly #axes: Recent<AxisTable>;
  readonly #filters: Recent<FilterTable>;
  #rows = new Uint32Array(0);

  constructor(limit = 16) {
    this.#axes = new Recent(limit);
    this.#filters = new Recent(limit);
  }

  /** The table of {@link axisTable} for a row of pixels, made or remembered. */
  row(source: number, target: number): AxisTable {
    return this.#axes.get(`${source}:${target}`, () => axisTable(source, target, 1, false));
  }

  /** The same for a column of an image whose rows are `step` pixels apart. */
  column(source: number, target: number, step: number): AxisTable {
    return this.#axes.get(`${source}:${target}:${step}`, () => axisTable(source, target, step, true));
  }

  /** The table of {@link filterTable}, made or remembered. */
  filter(source: number, target: number, ring: boolean): FilterTable {
    return this.#filters.get(`${source}:${target}:${ring}`, () => filterTable(source, target, ring));
  }

  /** Room for `length` pixels; what it holds is left from the picture before. */
  rows(length: number): Uint32Array {
    if (this.#rows.length < length) this.#rows = new Uint32Array(length);
    return this.#rows;
  }
}

/** The values made last, oldest forgotten first. */
class Recent<T> {
  readonly #values = new Map<string, T>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, make: () => T): T {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= this.#limit) {
      const oldest = this.#values.keys().next().value;
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    const value = make();
    this.#values.set(key, value);
    return value;
  }
}
