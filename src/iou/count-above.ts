/** How many columns each row exceeds a threshold with, without a matrix in memory. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { type Batch, comparison, type IouOptions, imagesOf, tileLength, tileOf } from './comparison.ts';
import { withRoom } from './pack.ts';

export interface CountAboveOptions extends IouOptions {
  readonly threshold: number;
  /** `'>'` counts similarities strictly above the threshold, `'>='` also equal ones. Default `'>'`. */
  readonly comparator?: '>' | '>=';
  readonly out?: Uint32Array;
  /** Boxes of several images in one call: only boxes of the same image are compared. */
  readonly batch?: Batch;
}

/**
 * Number of boxes of `b` whose similarity with each box of `a` exceeds a threshold.
 *
 * `a` 4·N, `b` 4·M → N counts. Boxes that are not finite count nowhere. Throws {@link OptionError} for a NaN threshold.
 *
 * @example
 * countAbove(new Float32Array([0, 0, 10, 10]), new Float32Array([0, 0, 5, 10, 0, 0, 10, 9]), { threshold: 0.5 }); // [1]
 */
export function countAbove(a: BoxArray, b: BoxArray, options: CountAboveOptions): Uint32Array {
  const { threshold, comparator, batch } = options ?? {};
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw new OptionError(`threshold must be a number, got ${threshold}`, { threshold });
  }
  comparison.prepare(a, b, options);
  const { rows, columns } = comparison;
  const out = withRoom(options.out ?? new Uint32Array(rows), rows, Uint32Array, Uint32Array);
  const inclusive = choiceOption('comparator', comparator, ['>', '>=']) === '>=';
  comparison.pack();
  if (batch === undefined) {
    count(0, rows, 0, columns, threshold, inclusive, out);
  } else {
    const images = imagesOf(batch, rows, columns);
    for (let k = 0; k < images; k++) {
      count(batch.a[k]!, batch.a[k + 1]!, batch.b[k]!, batch.b[k + 1]!, threshold, inclusive, out);
    }
  }
  return out;
}

function count(
  aFrom: number,
  aTo: number,
  bFrom: number,
  bTo: number,
  threshold: number,
  inclusive: boolean,
  out: Uint32Array,
): void {
  const tile = tileOf(comparison.float32);
  for (let i = aFrom; i < aTo; i++) {
    let above = 0;
    for (let from = bFrom; from < bTo; from += tileLength) {
      const to = Math.min(from + tileLength, bTo);
      comparison.row(i, from, to, tile, 0);
      for (let k = 0; k < to - from; k++) {
        const similarity = tile[k]!;
        if (similarity > threshold || (inclusive && similarity === threshold)) above++;
      }
    }
    out[i] = above;
  }
}
