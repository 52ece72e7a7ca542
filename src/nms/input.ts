/**
 * What every suppression function does first: check the arrays and options, drop what may never be kept (a NaN or
 * infinite score or coordinate, a score at or below the threshold), sort by score, cut to the candidate limit.
 */
import { boxCount, expectLength, kindOf, requireFloats } from '../boxes/check.ts';
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { orderByScore } from './order.ts';
import type { ScoreArray } from './types.ts';

export { requireFloats } from '../boxes/check.ts';

/** Number of boxes; throws {@link ShapeError} when boxes and scores do not belong together. */
export function countBoxes(boxes: BoxArray, scores: ScoreArray): number {
  requireFloats('boxes', boxes);
  requireFloats('scores', scores);
  const count = boxCount(boxes);
  expectLength('scores', scores.length, count);
  return count;
}

/** Throws unless `classIds` is undefined or one id a box. */
export function requireClassIds(classIds: Int32Array | undefined, count: number): void {
  if (classIds === undefined) return;
  if (classIds instanceof Int32Array && classIds.length === count) return;
  const got = `${kindOf(classIds)} of ${classIds?.length}`;
  throw new ShapeError(`classIds: expected an Int32Array of ${count} (one a box), got ${got}`, {
    boxes: count,
  });
}

/** A number option, or its default; NaN and non-numbers throw {@link OptionError}. */
export function numberOption(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new OptionError(`${name}: expected a number, got ${String(value)}`, { name, value: String(value) });
  }
  return value;
}

/** A limit option: a non-negative integer or Infinity; undefined is Infinity. */
export function limitOption(name: string, value: number | undefined): number {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (!Number.isInteger(value) || value < 0) {
    throw new OptionError(`${name}: expected an integer >= 0, got ${String(value)}`, {
      name,
      value: String(value),
    });
  }
  return value;
}

/** Whether boxes of different classes suppress each other; throws when `'class'` is asked for without classes. */
export function isClassAware(
  scope: 'class' | 'agnostic' | undefined,
  classIds: Int32Array | undefined,
): boolean {
  if (scope === undefined) return classIds !== undefined;
  choiceOption('scope', scope, ['class', 'agnostic']);
  if (scope === 'class' && classIds === undefined) throw new OptionError("scope 'class' needs classIds");
  return scope === 'class';
}

/**
 * Indices that may be kept, best score first, ties by lower index, at most `maxCandidates` of them.
 *
 * float32 scores are compared with the threshold rounded to float32, as torch and numpy do: a score stored from 0.3 is
 * not above a threshold of 0.3.
 */
export function selectCandidates(
  boxes: BoxArray,
  scores: ScoreArray,
  scoreThreshold: number,
  maxCandidates: number,
): Uint32Array<ArrayBuffer> {
  const count = scores.length;
  const floor = scores instanceof Float32Array ? Math.fround(scoreThreshold) : scoreThreshold;
  const found = new Uint32Array(count);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const score = scores[i]!;
    if (!(score > floor) || score === Number.POSITIVE_INFINITY) continue;
    const at = 4 * i;
    // Finite minus itself is 0; NaN and both infinities give NaN, which the sum keeps.
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    if (x1 - x1 + (y1 - y1) + (x2 - x2) + (y2 - y2) !== 0) continue;
    found[size++] = i;
  }
  const ordered = orderByScore(scores, size === count ? found : found.slice(0, size));
  return size > maxCandidates ? ordered.slice(0, maxCandidates) : ordered;
}

/** A number option above zero, or its default. */
export function positiveOption(name: string, value: number | undefined, fallback: number): number {
  const number = numberOption(name, value, fallback);
  if (!(number > 0))
    throw new OptionError(`${name}: expected a number > 0, got ${number}`, { name, value: number });
  return number;
}
