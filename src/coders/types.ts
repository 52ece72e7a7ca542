/** The seam between boxes and what a network regresses. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';

/**
 * Boxes ↔ regression targets, relative to priors. All arrays are 4·N, row-major; boxes and priors xyxy; float64 out
 * where either input is float64.
 */
export interface BoxCoder {
  /** Boxes to targets. */
  encode(boxes: BoxArray, priors: BoxArray, out?: BoxArray): BoxArray;
  /** Targets (or a network's output) to boxes. */
  decode(encoded: BoxArray, priors: BoxArray, out?: BoxArray): BoxArray;
  /** Carries d/d(decoded boxes) back to d/d(encoded). Clamped numbers get 0. */
  decodeGradient(boxGradient: BoxArray, encoded: BoxArray, priors: BoxArray, out?: BoxArray): BoxArray;
}

/** `out`, or a new array in the wider precision of `a` and `b`; throws where lengths do not belong together. */
export function coderOut(name: string, a: BoxArray, b: BoxArray, out: BoxArray | undefined): BoxArray {
  if (a.length % 4 !== 0 || a.length !== b.length) {
    throw new ShapeError(`${name}: expected two arrays of 4·N numbers, got ${a.length} and ${b.length}`, {
      first: a.length,
      second: b.length,
    });
  }
  if (out !== undefined) {
    if (out.length !== a.length)
      throw new ShapeError(`${name}: out must hold ${a.length} numbers, got ${out.length}`);
    return out;
  }
  return widerArray(a, b, a.length);
}

/** A new array in the wider precision of `a` and `b`. */
export function widerArray(a: BoxArray, b: BoxArray, length: number): BoxArray {
  return a instanceof Float64Array || b instanceof Float64Array
    ? new Float64Array(length)
    : new Float32Array(length);
}
