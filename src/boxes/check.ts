/** Checks of arguments that every function on box columns shares. */
import { OptionError, ShapeError } from '../errors.ts';
import type { BoxArray, Size } from './types.ts';

/** Number of boxes in the array; throws {@link ShapeError} when its length is not a multiple of 4. */
export function boxCount(boxes: BoxArray, name = 'boxes'): number {
  const got = boxes?.length;
  if (got % 4 !== 0) throw new ShapeError(`expected ${name} of length 4·N, got ${got}`, { name, got });
  return got / 4;
}

/** Throws {@link ShapeError} unless the value is a Float32Array or Float64Array. */
export function requireFloats(name: string, value: unknown): asserts value is BoxArray {
  if (value instanceof Float32Array || value instanceof Float64Array) return;
  const got = kindOf(value);
  throw new ShapeError(`${name}: expected a Float32Array or Float64Array, got ${got}`, { name, got });
}

/** `'Array'`, `'Undefined'` …: a value's class in a message. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** `out` when it is given and fits, otherwise a new array of `like`'s kind. */
export function outputFor<T extends BoxArray>(like: T, length: number, out: T | undefined): T {
  if (out === undefined) {
    return (like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)) as T;
  }
  expectLength('out', out.length, length);
  return out;
}

/** Throws {@link ShapeError} unless an array has the length expected. */
export function expectLength(name: string, got: number, expected: number): void {
  if (got !== expected) {
    throw new ShapeError(`expected ${name} of length ${expected}, got ${got}`, { name, expected, got });
  }
}

/** Throws {@link OptionError} unless both sides are finite and above zero. */
export function checkSize(name: string, size: Size): void {
  const { width, height } = size ?? {};
  if (!(width > 0 && height > 0 && Number.isFinite(width) && Number.isFinite(height))) {
    throw new OptionError(`expected ${name} of finite width and height > 0, got ${width}×${height}`, {
      name,
      width,
      height,
    });
  }
}
