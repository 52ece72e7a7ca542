/** Which priors a ground truth may take at all: those whose centre lies in it or near its centre. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkClass } from './hungarian.ts';
import type { PriorColumns } from './prior-columns.ts';
import { Reach } from './reach.ts';
import type { Predictions } from './types.ts';

const reach = new Reach();

/**
 * Calls `visit` with every prior whose centre may lie in the region, ascending; more than those on generated anchors,
 * all of them on plain arrays. The caller looks closely.
 */
export function visitAround(
  { levels, count }: PriorColumns,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  visit: (prior: number) => void,
): void {
  if (levels === null) reach.all(count);
  else reach.find(levels, x1, y1, x2, y2);
  for (let k = 0; k < reach.length; k += 2) {
    for (let j = reach.runs[k]!; j < reach.runs[k + 1]!; j++) visit(j);
  }
}

/** Checks predictions and gives the number of classes. */
export function classCountOf(
  predictions: Predictions | undefined,
  count: number,
  groundTruthClasses: ArrayLike<number> | undefined,
): number {
  if (predictions === undefined || groundTruthClasses === undefined) {
    throw new OptionError('this matcher needs predictions and groundTruthClasses');
  }
  const { boxes, scores } = predictions;
  if (boxes.length !== 4 * count) {
    throw new ShapeError(`expected predicted boxes of ${count} priors, got ${boxes.length / 4}`, {
      expected: count,
      got: boxes.length / 4,
    });
  }
  if (scores.length === 0 || scores.length % count !== 0) {
    if (count === 0) return 0;
    throw new ShapeError(`expected scores of ${count}·classes numbers, got ${scores.length}`, {
      expected: count,
      got: scores.length,
    });
  }
  const classes = scores.length / count;
  for (let g = 0; g < groundTruthClasses.length; g++) checkClass(groundTruthClasses[g]!, classes);
  return classes;
}

/** The smallest of a point's distances to the sides of a box, negative outside; in float32 steps. */
export function depth(boxes: BoxArray, i: number, x: number, y: number): number {
  const { fround } = Math;
  const horizontal = Math.min(fround(x - boxes[4 * i]!), fround(boxes[4 * i + 2]! - x));
  return Math.min(horizontal, fround(y - boxes[4 * i + 1]!), fround(boxes[4 * i + 3]! - y));
}

/** Centre of prior j along an axis, in float32 steps. */
export function centreOf(boxes: BoxArray, j: number, axis: 0 | 1): number {
  return Math.fround(Math.fround(boxes[4 * j + axis]! + boxes[4 * j + axis + 2]!) / 2);
}
