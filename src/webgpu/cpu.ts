/** The same jobs on the CPU, with results in the same float32 arrays. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { alignedIou, type Batch, bestMatch, type IouOptions, pairwiseIou } from '../iou/index.ts';
import type { GpuBestMatch, JobKind } from './types.ts';

type CpuOptions = IouOptions & { readonly batch?: Batch };

/** What the core's functions take of a call's options. */
function coreOptions({ metric, preset, eps, format, pixelOffset, batch }: CpuOptions): CpuOptions {
  return {
    ...(metric !== undefined && { metric }),
    ...(preset !== undefined && { preset }),
    ...(eps !== undefined && { eps }),
    ...(format !== undefined && { format }),
    ...(pixelOffset !== undefined && { pixelOffset }),
    ...(batch !== undefined && { batch }),
  };
}

export function similaritiesOnCpu(
  kind: JobKind,
  a: BoxArray,
  b: BoxArray,
  options: CpuOptions,
  out: Float32Array,
): Float32Array {
  if (kind === 'aligned') alignedIou(a, b, { ...coreOptions(options), out });
  else pairwiseIou(a, b, { ...coreOptions(options), out });
  return out;
}

export function bestMatchOnCpu(
  a: BoxArray,
  b: BoxArray,
  options: CpuOptions,
  out: GpuBestMatch,
): GpuBestMatch {
  bestMatch(a, b, { ...coreOptions(options), out });
  return out;
}

export function newMatch(rows: number): GpuBestMatch {
  return { values: new Float32Array(rows), indices: new Int32Array(rows) };
}

/** A match as the GPU lays it out: value and index, row by row. */
export function interleave({ values, indices }: GpuBestMatch): ArrayBuffer {
  const words = new Int32Array(2 * values.length);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    words[2 * i] = bits[i]!;
    words[2 * i + 1] = indices[i]!;
  }
  return words.buffer;
}

/** Throws {@link OptionError} for an `out` that cannot take the result. */
export function checkOut(
  array: unknown,
  kind: typeof Float32Array | typeof Int32Array,
  length: number,
): void {
  if (array instanceof kind && array.length >= length) return;
  const got = ArrayBuffer.isView(array) ? `${(array as Float32Array).length}` : String(array);
  throw new OptionError(`out must be a ${kind.name} of at least ${length} numbers, got ${got}`, {
    expected: length,
    got,
  });
}
