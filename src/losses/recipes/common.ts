/** What a detector's total loss is made of, and small tools the recipes share. */
import type { FloatArray } from '../common.ts';
import { sameType } from '../common.ts';

/** A total with its parts (already weighted and normalised) and the gradient of each network output. */
export interface DetectorLoss<Part extends string, Output extends string> {
  readonly value: number;
  readonly parts: Readonly<Record<Part, number>>;
  readonly gradients: Readonly<Record<Output, FloatArray>>;
}

/** Rows `rows` of an array with `width` numbers a row. */
export function pick<T extends FloatArray>(values: T, rows: ArrayLike<number>, width: number): T {
  const out = sameType(values, rows.length * width) as T;
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < width; k++) out[i * width + k] = values[rows[i]! * width + k]!;
  }
  return out;
}

/** The same of targets in any array, in float64. */
export function pickTargets(values: ArrayLike<number>, rows: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < width; k++) out[i * width + k] = values[rows[i]! * width + k]!;
  }
  return out;
}

/** Adds `factor`·values to the rows they were picked from. */
export function addTo(
  out: FloatArray,
  values: FloatArray,
  rows: ArrayLike<number>,
  width: number,
  factor = 1,
): void {
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < width; k++) out[rows[i]! * width + k]! += factor * values[i * width + k]!;
  }
}

/** Positions whose label passes. */
export function where(labels: ArrayLike<number>, passes: (label: number) => boolean): Int32Array {
  const found: number[] = [];
  for (let i = 0; i < labels.length; i++) if (passes(labels[i]!)) found.push(i);
  return Int32Array.from(found);
}

/** Multiplies in place. */
export function scaleBy(values: FloatArray, factor: number): FloatArray {
  if (factor !== 1) for (let i = 0; i < values.length; i++) values[i]! *= factor;
  return values;
}
