/** Positives and negatives of an assignment, how many of each are wanted, and seeded choices among them. */

import type { Random } from '../../anchors/random.ts';
import { OptionError, ShapeError } from '../../errors.ts';
import { checkCount, checkNumber } from '../../options.ts';
import { background } from '../types.ts';
import type { Sampled, SampleOptions } from './types.ts';

export function positivesOf({ gtIndices }: Sampled): Int32Array<ArrayBuffer> {
  return within(gtIndices, 0, Number.POSITIVE_INFINITY);
}

export function negativesOf({ gtIndices }: Sampled): Int32Array<ArrayBuffer> {
  return within(gtIndices, background, background);
}

/** Indices of values from `least` to `most`, ascending. */
function within(values: Int32Array, least: number, most: number): Int32Array<ArrayBuffer> {
  let count = 0;
  for (let j = 0; j < values.length; j++) if (values[j]! >= least && values[j]! <= most) count++;
  const indices = new Int32Array(count);
  for (let j = 0, at = 0; at < count; j++) if (values[j]! >= least && values[j]! <= most) indices[at++] = j;
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

/** `count` of the indices at random, ascending; all of them when there are no more. */
export function choose(indices: Int32Array, count: number, random: Random): Int32Array<ArrayBuffer> {
  return chooseRanks(indices.length, count, random)
    .map((rank) => indices[rank]!)
    .sort();
}

/**
 * `count` of the numbers below `length` at random, ascending: a shuffle (Fisher and Yates) that keeps only what it moved,
 * so that the work goes with `count`.
 */
export function chooseRanks(length: number, count: number, random: Random): Int32Array<ArrayBuffer> {
  const chosen = new Int32Array(Math.min(Math.max(0, count), length));
  const moved = new Map<number, number>();
  for (let i = 0; i < chosen.length; i++) {
    const j = i + random.below(length - i);
    chosen[i] = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
  }
  return chosen.sort();
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
