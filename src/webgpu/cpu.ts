/** The same jobs on the CPU, with results in the same float32 arrays. */
import type { BoxArray } from '../boxes/types.ts';
import { alignedIou, type Batch, bestMatch, type IouOptions, pairwiseIou } from '../iou/index.ts';
import { withRoom } from '../iou/pack.ts';
import { rotatedOverlap } from '../iou/rotated.ts';
import type { Images } from './tiles.ts';
import type { GpuBestMatch, JobKind, RotatedJob } from './types.ts';

type CpuOptions = IouOptions & { readonly batch?: Batch; readonly rotated?: RotatedJob };
type MatchOptions = CpuOptions & { readonly secondBest?: boolean; readonly columnBest?: boolean };

/** Rotated boxes as corners, as they are uploaded; so below. */
export function similaritiesOnCpu(
  kind: JobKind,
  a: BoxArray,
  b: BoxArray,
  options: CpuOptions,
  images: Images,
  out: Float32Array,
): Float32Array {
  if (options.rotated !== undefined) return rotatedOnCpu(kind, a, b, options.rotated, images, out);
  if (kind === 'aligned') alignedIou(a, b, { ...options, out });
  else pairwiseIou(a, b, { ...options, out });
  return out;
}

export function bestMatchOnCpu(
  a: BoxArray,
  b: BoxArray,
  options: MatchOptions,
  images: Images,
  out: GpuBestMatch,
): GpuBestMatch {
  if (options.rotated !== undefined) return rotatedMatchOnCpu(a, b, options.rotated, images, out);
  bestMatch(a, b, { ...options, out });
  return out;
}

/** ProbIoU of rotated boxes. */
function rotatedOnCpu(
  kind: JobKind,
  a: BoxArray,
  b: BoxArray,
  rotated: RotatedJob,
  images: Images,
  out: Float32Array,
): Float32Array {
  const overlap = probIouOf(a, b, rotated);
  if (kind === 'aligned') {
    for (let i = 0; i < a.length / 4; i++) out[i] = overlap(i, i);
    return out;
  }
  let at = 0;
  for (let k = 0; k + 1 < images.a.length; k++) {
    for (let i = images.a[k]!; i < images.a[k + 1]!; i++) {
      for (let j = images.b[k]!; j < images.b[k + 1]!; j++) out[at++] = overlap(i, j);
    }
  }
  return out;
}

function probIouOf(a: BoxArray, b: BoxArray, rotated: RotatedJob): (i: number, j: number) => number {
  const { aAngles, bAngles, ...angles } = rotated;
  return rotatedOverlap(a, aAngles, b, bAngles, { ...angles, overlap: 'probiou' });
}

/** The best matches of rotated boxes, compared in float32 as a matrix would hold them. */
function rotatedMatchOnCpu(
  a: BoxArray,
  b: BoxArray,
  rotated: RotatedJob,
  images: Images,
  out: GpuBestMatch,
): GpuBestMatch {
  const overlap = probIouOf(a, b, rotated);
  out.columnValues?.fill(Number.NEGATIVE_INFINITY, 0, b.length / 4);
  out.columnIndices?.fill(-1, 0, b.length / 4);
  for (let k = 0; k + 1 < images.a.length; k++) {
    for (let i = images.a[k]!; i < images.a[k + 1]!; i++) {
      let [best, index] = [Number.NEGATIVE_INFINITY, -1];
      let [second, secondIndex] = [Number.NEGATIVE_INFINITY, -1];
      for (let j = images.b[k]!; j < images.b[k + 1]!; j++) {
        const value = Math.fround(overlap(i, j));
        if (value > best) {
          [second, secondIndex, best, index] = [best, index, value, j];
        } else if (value > second) {
          [second, secondIndex] = [value, j];
        }
        if (out.columnValues !== undefined && value > out.columnValues[j]!) {
          out.columnValues[j] = value;
          out.columnIndices![j] = i;
        }
      }
      out.values[i] = best;
      out.indices[i] = index;
      if (out.secondValues !== undefined) {
        out.secondValues[i] = second;
        out.secondIndices![i] = secondIndex;
      }
    }
  }
  return out;
}

/** New arrays for a match. */
export function newMatch(
  rows: number,
  columns = 0,
  { secondBest, columnBest }: MatchOptions = {},
): GpuBestMatch {
  return {
    values: new Float32Array(rows),
    indices: new Int32Array(rows),
    ...(secondBest === true && {
      secondValues: new Float32Array(rows),
      secondIndices: new Int32Array(rows),
    }),
    ...(columnBest === true && {
      columnValues: new Float32Array(columns),
      columnIndices: new Int32Array(columns),
    }),
  };
}

/** A match as the GPU lays it out: value and index, and those of the second, row by row. */
export function interleave({ values, indices, secondValues, secondIndices }: GpuBestMatch): ArrayBuffer {
  const width = secondValues === undefined ? 2 : 4;
  const integers = new Int32Array(width * values.length);
  const floats = new Float32Array(integers.buffer);
  for (let i = 0; i < values.length; i++) {
    const at = width * i;
    floats[at] = values[i]!;
    integers[at + 1] = indices[i]!;
    if (secondValues === undefined) continue;
    floats[at + 2] = secondValues[i]!;
    integers[at + 3] = secondIndices![i]!;
  }
  return integers.buffer;
}

/** Throws {@link OptionError} where a match's arrays cannot take the results. */
export function checkMatch(out: GpuBestMatch, rows: number, columns: number, options: MatchOptions): void {
  const check = (values: unknown, indices: unknown, length: number): void => {
    checkOut(values, Float32Array, length);
    checkOut(indices, Int32Array, length);
  };
  check(out.values, out.indices, rows);
  if (options.secondBest === true) check(out.secondValues, out.secondIndices, rows);
  if (options.columnBest === true) check(out.columnValues, out.columnIndices, columns);
}

/** Throws {@link OptionError} for an `out` that cannot take the result. */
export function checkOut(
  array: unknown,
  kind: typeof Float32Array | typeof Int32Array,
  length: number,
): void {
  withRoom(array as Float32Array, length, kind, kind);
}
