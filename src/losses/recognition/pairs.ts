/**
 * Distances and similarities of all pairs of a batch, and the way back: a loss fills H = dL/d(pair value), this turns it
 * into the gradient of the features.
 */
import { ShapeError } from '../../errors.ts';
import type { FloatArray } from '../common.ts';
import { type NormalisedRows, normaliseRows, rowCount, throughNormalisation } from './rows.ts';

export type PairDistance = 'squared' | 'euclidean' | 'angle' | 'cosine';

export interface PairMatrix {
  readonly count: number;
  /** n×n values of the kind asked for. */
  readonly values: Float64Array;
  /** The vectors compared: the features, or their directions. */
  readonly vectors: FloatArray;
  readonly normalised: NormalisedRows | undefined;
  readonly kind: PairDistance;
}

/** All pairs of N×d features; `'angle'` and `'cosine'` always normalise. Cosine is a similarity, the others distances. */
export function pairMatrix(
  features: FloatArray,
  dimensions: number,
  kind: PairDistance,
  normalise: boolean,
): PairMatrix {
  const count = rowCount('features', features, dimensions);
  const normalised =
    normalise || kind === 'angle' || kind === 'cosine' ? normaliseRows(features, dimensions) : undefined;
  const vectors = normalised?.unit ?? features;
  const values = new Float64Array(count * count);
  const dot = kind === 'angle' || kind === 'cosine';
  for (let i = 0; i < count; i++) {
    for (let j = i; j < count; j++) {
      let sum = 0;
      for (let k = 0; k < dimensions; k++) {
        const a = vectors[i * dimensions + k]!;
        const b = vectors[j * dimensions + k]!;
        sum += dot ? a * b : (a - b) * (a - b);
      }
      let value = sum;
      if (kind === 'euclidean') value = Math.sqrt(sum);
      else if (kind === 'angle') value = Math.acos(Math.min(1, Math.max(-1, sum)));
      values[i * count + j] = value;
      values[j * count + i] = value;
    }
  }
  return { count, values, vectors, normalised, kind };
}

/**
 * Adds the gradient of the features to `out` (which starts as zeros), given H, n×n. Where a distance has no slope (equal
 * vectors under `'euclidean'`, parallel ones under `'angle'`) the pair contributes nothing.
 */
export function pairGradient(matrix: PairMatrix, H: Float64Array, dimensions: number, out: FloatArray): void {
  const { count, values, vectors, normalised, kind } = matrix;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const h = H[i * count + j]! + H[j * count + i]!;
      if (h === 0) continue;
      const value = values[i * count + j]!;
      const a = i * dimensions;
      const b = j * dimensions;
      if (kind === 'squared' || kind === 'euclidean') {
        const factor = kind === 'squared' ? 2 * h : value > 0 ? h / value : 0;
        for (let k = 0; k < dimensions; k++) {
          const step = factor * (vectors[a + k]! - vectors[b + k]!);
          out[a + k]! += step;
          out[b + k]! -= step;
        }
      } else {
        const sine = kind === 'angle' ? Math.sin(value) : 1;
        const factor = kind === 'cosine' ? h : sine > 1e-9 ? -h / sine : 0;
        for (let k = 0; k < dimensions; k++) {
          out[a + k]! += factor * vectors[b + k]!;
          out[b + k]! += factor * vectors[a + k]!;
        }
      }
    }
  }
  if (normalised !== undefined) throughNormalisation(out, normalised, dimensions);
}

/** ShapeError unless there is a label a feature. */
export function expectLabels(labels: ArrayLike<number>, count: number): void {
  if (labels.length !== count) {
    throw new ShapeError(`labels must hold ${count} numbers, got ${labels.length}`, {
      expected: count,
      got: labels.length,
    });
  }
}
