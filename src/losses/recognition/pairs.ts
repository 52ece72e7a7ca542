/**
 * Distances and similarities of all pairs of a batch, and the way back: a loss fills H = dL/d(pair value), this turns it
 * into the gradient of the features.
 *
 * All of it runs in float64, for differences of near features and angles near 0 need it. Only the cosines of a large
 * float32 batch, which have no such trouble, go to the SIMD matrix kernel with their gradient.
 */

import { OptionError } from '../../errors.ts';
import { useSimd } from '../../kernels/backend.ts';
import { choiceOption } from '../../options.ts';
import { expectLength, type FloatArray } from '../common.ts';
import { addProduct, multiplyTransposed } from './matrix.ts';
import { type NormalisedRows, normaliseRows, rowCount, throughNormalisation } from './rows.ts';

export type PairDistance = 'squared' | 'euclidean' | 'angle' | 'cosine';

export interface PairMatrix {
  readonly count: number;
  /** n×n values of the kind asked for. */
  readonly values: Float64Array;
  /** The vectors compared: the features, or their directions; float32 where the kernel takes them. */
  readonly vectors: FloatArray;
  readonly normalised: NormalisedRows | undefined;
  readonly kind: PairDistance;
}

/** Products n·n·d from which a float32 batch goes to the kernel; below, float64 costs a few milliseconds. */
const LARGE = 2 ** 22;

/** All pairs of N×d features; `'angle'` and `'cosine'` always normalise. Cosine is a similarity, the others distances. */
export function pairMatrix(
  features: FloatArray,
  dimensions: number,
  kind: PairDistance,
  normalise: boolean,
): PairMatrix {
  choiceOption('distance', kind, ['squared', 'euclidean', 'angle', 'cosine']);
  const count = rowCount('features', features, dimensions);
  const byKernel =
    kind === 'cosine' && features instanceof Float32Array && count * count * dimensions >= LARGE && useSimd();
  const precise = byKernel ? features : Float64Array.from(features);
  const dot = kind === 'angle' || kind === 'cosine';
  const normalised = normalise || dot ? normaliseRows(precise, dimensions) : undefined;
  const vectors = normalised?.unit ?? precise;
  if (byKernel) {
    const cosines = new Float32Array(count * count);
    multiplyTransposed(vectors, vectors, count, count, dimensions, cosines);
    return { count, values: Float64Array.from(cosines), vectors, normalised, kind };
  }
  const values = new Float64Array(count * count);
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
 * Writes the gradient of the features to `out`, given H, n×n. Where a distance has no slope (equal vectors under
 * `'euclidean'`, parallel ones under `'angle'`) the pair contributes nothing.
 */
export function pairGradient(matrix: PairMatrix, H: Float64Array, dimensions: number, out: FloatArray): void {
  const { count, values, vectors, normalised, kind } = matrix;
  const gradient =
    vectors instanceof Float32Array ? new Float32Array(out.length) : new Float64Array(out.length);
  if (vectors instanceof Float32Array) {
    const slopes = new Float32Array(count * count);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) slopes[i * count + j] = H[i * count + j]! + H[j * count + i]!;
      slopes[i * count + i] = 0;
    }
    addProduct(slopes, vectors, count, count, dimensions, gradient);
  } else {
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
            gradient[a + k]! += step;
            gradient[b + k]! -= step;
          }
        } else {
          const sine = kind === 'angle' ? Math.sin(value) : 1;
          const factor = kind === 'cosine' ? h : sine > 1e-9 ? -h / sine : 0;
          for (let k = 0; k < dimensions; k++) {
            gradient[a + k]! += factor * vectors[b + k]!;
            gradient[b + k]! += factor * vectors[a + k]!;
          }
        }
      }
    }
  }
  if (normalised !== undefined) throughNormalisation(gradient, normalised, dimensions);
  out.set(gradient);
}

/** Throws unless there is a whole number a feature; which numbers does not matter. */
export function expectLabels(labels: ArrayLike<number>, count: number): void {
  expectLength('labels', labels, count);
  for (let i = 0; i < count; i++) {
    if (!Number.isInteger(labels[i]!)) {
      throw new OptionError(`labels[${i}] must be a whole number, got ${labels[i]}`, { index: i });
    }
  }
}
