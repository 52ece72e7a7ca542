/** The best column of each row (and the best row of each column) without a matrix in memory. */
import type { BoxArray } from '../boxes/types.ts';
import {
  type Batch,
  type Comparison,
  comparison,
  type IouOptions,
  imagesOf,
  tileLength,
  tileOf,
} from './comparison.ts';
import { withRoom } from './pack.ts';

/** Arrays to write into, each with room for its results. */
export interface BestMatchOut {
  readonly values: BoxArray;
  readonly indices: Int32Array;
  readonly secondValues?: BoxArray;
  readonly secondIndices?: Int32Array;
  readonly columnValues?: BoxArray;
  readonly columnIndices?: Int32Array;
}

export interface BestMatchOptions extends IouOptions {
  /** Also the second best column of each row. */
  readonly secondBest?: boolean;
  /** Also the best row of each column. */
  readonly columnBest?: boolean;
  readonly out?: BestMatchOut;
  /** Boxes of several images in one call: only boxes of the same image are compared. Indices count in all of a or b. */
  readonly batch?: Batch;
}

/** One value and one index a row (or a column); -Infinity and -1 where there is nothing to match. */
export interface BestMatch {
  /** N similarities. */
  readonly values: BoxArray;
  /** N indices into b. */
  readonly indices: Int32Array;
  /** N similarities with the second best column (equal to the first at a tie). */
  readonly secondValues?: BoxArray;
  readonly secondIndices?: Int32Array;
  /** M similarities. */
  readonly columnValues?: BoxArray;
  /** M indices into a. */
  readonly columnIndices?: Int32Array;
}

/**
 * For each box of `a`, the box of `b` most similar to it (torch `box_iou(a, b).max(dim=1)`), ties to the lower index.
 *
 * `a` 4·N, `b` 4·M → `values` (N) and `indices` (N, into b), and what `secondBest` and `columnBest` ask for. Time N·M,
 * memory N + M. A box that is not finite matches nothing; a row with nothing to match has -Infinity and -1.
 *
 * @example
 * bestMatch(new Float32Array([0, 0, 10, 10]), new Float32Array([0, 0, 5, 10, 0, 0, 10, 9]));
 * // { values: [0.9], indices: [1] }
 */
export function bestMatch(a: BoxArray, b: BoxArray, options: BestMatchOptions = {}): BestMatch {
  comparison.prepare(a, b, options);
  const { rows, columns } = comparison;
  const result = outputsOf(comparison, options);
  const { batch } = options;
  result.columnValues?.fill(Number.NEGATIVE_INFINITY, 0, columns);
  result.columnIndices?.fill(-1, 0, columns);
  if (batch === undefined) {
    comparison.run(() => match(0, rows, 0, columns, result));
    return result;
  }
  const images = imagesOf(batch, rows, columns);
  comparison.run(() => {
    for (let k = 0; k < images; k++) {
      if (!match(batch.a[k]!, batch.a[k + 1]!, batch.b[k]!, batch.b[k + 1]!, result)) return false;
    }
    return true;
  });
  return result;
}

function outputsOf(of: Comparison, options: BestMatchOptions): BestMatch {
  const { rows, columns } = of;
  const { out, secondBest = false, columnBest = false } = options;
  return {
    values: of.output(rows, out?.values),
    indices: indicesOf(rows, out?.indices),
    ...(secondBest && {
      secondValues: of.output(rows, out?.secondValues),
      secondIndices: indicesOf(rows, out?.secondIndices),
    }),
    ...(columnBest && {
      columnValues: of.output(columns, out?.columnValues),
      columnIndices: indicesOf(columns, out?.columnIndices),
    }),
  };
}

function indicesOf(length: number, out: Int32Array | undefined): Int32Array {
  return withRoom(out ?? new Int32Array(length), length, Int32Array, Int32Array);
}

/** False when the kernel refuses. */
function match(aFrom: number, aTo: number, bFrom: number, bTo: number, result: BestMatch): boolean {
  const { kernel, metric } = comparison;
  const { values, indices, secondValues, columnValues } = result;
  if (
    kernel !== null &&
    secondValues === undefined &&
    columnValues === undefined &&
    values instanceof Float32Array &&
    bTo > bFrom
  ) {
    const a = comparison.a.subarray(4 * aFrom, 4 * aTo) as Float32Array;
    const b = comparison.b.subarray(4 * bFrom, 4 * bTo) as Float32Array;
    return kernel.best(a, b, metric.implementation.single!.parameters, bFrom, values, indices, aFrom);
  }
  if (!comparison.pack()) return false;
  const tile = tileOf(values instanceof Float32Array);
  for (let i = aFrom; i < aTo; i++) {
    let best = Number.NEGATIVE_INFINITY;
    let bestIndex = -1;
    if (secondValues !== undefined) {
      secondValues[i] = best;
      result.secondIndices![i] = bestIndex;
    }
    for (let from = bFrom; from < bTo; from += tileLength) {
      const to = Math.min(from + tileLength, bTo);
      comparison.row(i, from, to, tile, 0);
      for (let k = 0; k < to - from; k++) {
        const similarity = tile[k]!;
        if (similarity > best) {
          best = similarity;
          bestIndex = from + k;
        }
      }
      if (columnValues !== undefined) raiseColumns(tile, i, from, to, columnValues, result.columnIndices!);
      if (secondValues !== undefined) keepSecond(tile, i, from, to, from === bFrom, result);
    }
    values[i] = best;
    indices[i] = bestIndex;
  }
  return true;
}

/** Lets row i compete for each column of a tile. */
function raiseColumns(
  tile: ArrayLike<number>,
  i: number,
  from: number,
  to: number,
  columnValues: BoxArray,
  columnIndices: Int32Array,
): void {
  for (let j = from; j < to; j++) {
    const similarity = tile[j - from]!;
    if (similarity > columnValues[j]!) {
      columnValues[j] = similarity;
      columnIndices[j] = i;
    }
  }
}

let first = 0;

/** Second best of row i so far; `first` is the best so far. */
function keepSecond(
  tile: ArrayLike<number>,
  i: number,
  from: number,
  to: number,
  fresh: boolean,
  result: BestMatch,
): void {
  let best = fresh ? Number.NEGATIVE_INFINITY : first;
  let second = fresh ? Number.NEGATIVE_INFINITY : result.secondValues![i]!;
  let bestIndex = fresh ? -1 : firstIndex;
  let secondIndex = fresh ? -1 : result.secondIndices![i]!;
  for (let j = from; j < to; j++) {
    const similarity = tile[j - from]!;
    if (similarity > best) {
      second = best;
      secondIndex = bestIndex;
      best = similarity;
      bestIndex = j;
    } else if (similarity > second) {
      second = similarity;
      secondIndex = j;
    }
  }
  first = best;
  firstIndex = bestIndex;
  result.secondValues![i] = second;
  result.secondIndices![i] = secondIndex;
}

let firstIndex = -1;
