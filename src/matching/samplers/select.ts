/** Positives and negatives of an assignment, how many of each are wanted, and seeded choices among them. */
import { type Random, shuffleFront } from '../../anchors/random.ts';
import { OptionError, ShapeError } from '../../errors.ts';
import { checkCount, checkNumber } from '../results.ts';
import type { Sampled, SampleOptions } from './types.ts';

export function positivesOf({ gtIndices }: Sampled): Int32Array<ArrayBuffer> {
  return where(gtIndices, (gt) => gt >= 0);
}

export function negativesOf({ gtIndices }: Sampled): Int32Array<ArrayBuffer> {
  return where(gtIndices, (gt) => gt === -1);
}

function where(values: Int32Array, test: (value: number) => boolean): Int32Array<ArrayBuffer> {
  let count = 0;
  for (const value of values) if (test(value)) count++;
  const indices = new Int32Array(count);
  for (let j = 0, at = 0; j < values.length; j++) if (test(values[j]!)) indices[at++] = j;
  return indices;
}

/** How many positives are wanted at most. */
export function wantedPositives({ count = 256, positiveFraction = 0.5 }: SampleOptions): number {
  checkCount('count', count, 0);
  checkNumber('positiveFraction', positiveFraction, 0, 1);
  return Math.trunc(count * positiveFraction);
}

/** How many negatives are wanted beside so many positives. */
export function wantedNegatives(
  { count = 256, negativesPerPositive }: SampleOptions,
  positives: number,
): number {
  const rest = count - positives;
  if (negativesPerPositive === undefined) return rest;
  checkNumber('negativesPerPositive', negativesPerPositive, 0);
  return Math.min(rest, Math.trunc(negativesPerPositive * Math.max(1, positives)));
}

/** `count` of the indices at random, ascending; all of them when there are no more. The list is reordered. */
export function choose(
  indices: Int32Array<ArrayBuffer>,
  count: number,
  random: Random,
): Int32Array<ArrayBuffer> {
  const chosen = shuffleFront(indices, indices.length, Math.max(0, count), random);
  return indices.slice(0, chosen).sort();
}

/** The `count` indices of greatest value, ascending; equal values: the lower index. NaN counts as lowest. */
export function greatest(
  indices: Int32Array<ArrayBuffer>,
  values: ArrayLike<number>,
  count: number,
): Int32Array<ArrayBuffer> {
  if (indices.length <= count) return indices;
  const value = (j: number): number => (Number.isNaN(values[j]!) ? Number.NEGATIVE_INFINITY : values[j]!);
  const order = indices.slice().sort((a, b) => (value(a) === value(b) ? a - b : value(b) - value(a)));
  return order.slice(0, Math.max(0, count)).sort();
}

/** Throws unless there is one value a prior. */
export function checkLength(name: string, values: ArrayLike<number>, { gtIndices }: Sampled): void {
  if (values === undefined) throw new OptionError(`this sampler needs ${name}`, { name });
  if (values.length !== gtIndices.length) {
    throw new ShapeError(`expected ${gtIndices.length} ${name}, got ${values.length}`, {
      name,
      expected: gtIndices.length,
      got: values.length,
    });
  }
}
