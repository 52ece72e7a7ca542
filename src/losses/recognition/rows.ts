/** Row vectors: normalising them, and carrying a gradient back through the normalisation. */
import { checkCount } from '../../options.ts';
import { type FloatArray, sameType, sampleCount } from '../common.ts';

export interface NormalisedRows {
  /** Each row divided by its length. */
  readonly unit: FloatArray;
  /** Length of each row. A row of zeros counts as of length `minimum`, and so stays zero. */
  readonly norms: Float64Array;
}

const minimum = 1e-12; // torch's F.normalize

export function normaliseRows(rows: FloatArray, dimensions: number): NormalisedRows {
  const count = rows.length / dimensions;
  const unit = sameType(rows, rows.length);
  const norms = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let k = i * dimensions; k < (i + 1) * dimensions; k++) sum += rows[k]! * rows[k]!;
    const norm = Math.max(Math.sqrt(sum), minimum);
    norms[i] = norm;
    for (let k = i * dimensions; k < (i + 1) * dimensions; k++) unit[k] = rows[k]! / norm;
  }
  return { unit, norms };
}

/** Turns d/d(unit rows) into d/d(rows) in place: (g − (g·u)u)/‖row‖. */
export function throughNormalisation(
  gradient: FloatArray,
  { unit, norms }: NormalisedRows,
  dimensions: number,
): void {
  for (let i = 0; i < norms.length; i++) {
    const start = i * dimensions;
    let along = 0;
    for (let k = start; k < start + dimensions; k++) along += gradient[k]! * unit[k]!;
    for (let k = start; k < start + dimensions; k++)
      gradient[k] = (gradient[k]! - along * unit[k]!) / norms[i]!;
  }
}

/** Rows of `values`; ShapeError when `dimensions` does not divide its length. */
export function rowCount(name: string, values: FloatArray, dimensions: number): number {
  checkCount('dimensions', dimensions);
  return sampleCount(name, values.length, dimensions);
}
