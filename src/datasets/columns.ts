/** Typed arrays that grow, and gathers of rows of different lengths. */
import type { Ragged } from './types.ts';

type Kind =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** A column whose length is not known beforehand; doubles as it fills. */
export class Column<T extends Kind> {
  #values: T;
  readonly #make: (length: number) => T;
  length = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(256);
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow(this.length + 1);
    this.#values[this.length++] = value;
  }

  append(values: ArrayLike<number>): void {
    if (this.length + values.length > this.#values.length) this.#grow(this.length + values.length);
    this.#values.set(values, this.length);
    this.length += values.length;
  }

  /** Keeps the memory for what comes next. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for `count` values and gives it to be filled; valid until the column grows again. */
  extend(count: number): T {
    if (this.length + count > this.#values.length) this.#grow(this.length + count);
    this.length += count;
    return this.#values.subarray(this.length - count, this.length) as T;
  }

  /** The values from `start` on, as a view: valid until the column grows. */
  from(start: number): T {
    return this.#values.subarray(start, this.length) as T;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  /** The values, in an array of exactly their length. */
  take(): T {
    return this.#values.slice(0, this.length) as T;
  }

  /** The values like {@link take}; the column is empty then and its memory free. */
  release(): T {
    const values = this.take();
    this.#values = this.#make(0);
    this.length = 0;
    return values;
  }

  #grow(least: number): void {
    const grown = this.#make(Math.max(least, 2 * this.#values.length));
    grown.set(this.#values);
    this.#values = grown;
  }
}

export const float64Column = () => new Column((length) => new Float64Array(length));
export const float32Column = () => new Column((length) => new Float32Array(length));
export const int32Column = () => new Column((length) => new Int32Array(length));
export const uint8Column = () => new Column((length) => new Uint8Array(length));

/** `values[order[i]]` for every i, `width` numbers a row. */
export function gather<T extends Kind>(values: T, order: Int32Array, width = 1): T {
  const out = new (values.constructor as new (length: number) => T)(order.length * width);
  for (let i = 0; i < order.length; i++) {
    for (let k = 0; k < width; k++) out[i * width + k] = values[order[i]! * width + k]!;
  }
  return out;
}

/** Rows of different lengths in a new order. */
export function gatherRagged(ragged: Ragged, order: Int32Array): Ragged {
  const offsets = new Int32Array(order.length + 1);
  for (let i = 0; i < order.length; i++) {
    offsets[i + 1] = offsets[i]! + ragged.offsets[order[i]! + 1]! - ragged.offsets[order[i]!]!;
  }
  const values = new Float64Array(offsets[order.length]!);
  for (let i = 0; i < order.length; i++) {
    const row = ragged.values.subarray(ragged.offsets[order[i]!]!, ragged.offsets[order[i]! + 1]!);
    values.set(row, offsets[i]!);
  }
  return { values, offsets };
}
