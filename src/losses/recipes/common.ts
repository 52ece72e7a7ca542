/** What a detector's total loss is made of, and small tools the recipes share. */
import type { FloatArray } from '../common.ts';
import { checkLabels, expectFinite, expectLength, sameType } from '../common.ts';

/** A total with its parts (already weighted and normalised) and the gradient of each network output. */
export interface DetectorLoss<Part extends string, Output extends string> {
  readonly value: number;
  readonly parts: Readonly<Record<Part, number>>;
  readonly gradients: Readonly<Record<Output, FloatArray>>;
}

/** Throws unless each output has its width in every row, and finite numbers alone: in rows that do not count, too. */
export function checkOutputs(
  loss: string,
  rows: number,
  ...outputs: readonly (readonly [name: string, values: FloatArray, width: number])[]
): void {
  for (const [name, values, width] of outputs) {
    expectLength(name, values, rows * width);
    expectFinite(loss, [name, values]);
  }
}

/** Throws unless each of `rows` labels is a class or negative. */
export function checkClasses(labels: Int32Array, rows: number, classes: number): void {
  checkLabels(
    labels.map((label) => Math.max(label, -1)),
    rows,
    classes,
    -1,
  );
}

/** Rows `rows` of an array with `width` numbers a row. */
export function pick<T extends FloatArray>(values: T, rows: ArrayLike<number>, width: number): T {
  return pickInto(sameType(values, rows.length * width) as T, values, rows, width);
}

/** The same of targets in any array, in float64. */
export function pickTargets(values: ArrayLike<number>, rows: ArrayLike<number>, width: number): Float64Array {
  return pickInto(new Float64Array(rows.length * width), values, rows, width);
}

function pickInto<T extends FloatArray>(
  out: T,
  values: ArrayLike<number>,
  rows: ArrayLike<number>,
  width: number,
): T {
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
