/** Union, intersection, area and box of run-length masks, computed on the runs (pycocotools `merge`, `area`, `toBbox`). */
import { ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { checkRle } from './rle.ts';
import type { Rle } from './types.ts';

/** Throws {@link ShapeError} unless both masks have one size. */
export function expectSameSize(a: Rle, b: Rle): void {
  if (a.size[0] === b.size[0] && a.size[1] === b.size[1]) return;
  throw new ShapeError(
    `expected masks of one size (height × width), got ${a.size.join('×')} and ${b.size.join('×')}`,
    { first: [...a.size], second: [...b.size] },
  );
}

/**
 * Union or intersection of masks of one size (pycocotools `merge`).
 *
 * Throws {@link ShapeError} on no mask, on different sizes or runs that do not sum to them. O(runs).
 *
 * @example
 * mergeRle([left, right]);                                  // either
 * mergeRle([left, right], { operation: 'intersection' });   // both
 */
export function mergeRle(
  masks: readonly Rle[],
  options: { readonly operation?: 'union' | 'intersection' } = {},
): Rle {
  const operation = choiceOption('operation', options.operation, ['union', 'intersection']);
  masks.forEach(checkRle);
  const [first, ...rest] = masks;
  if (first === undefined) throw new ShapeError('expected at least one mask, got none', { got: 0 });
  let merged: Rle = { size: [first.size[0], first.size[1]], counts: first.counts.slice() };
  for (const mask of rest) {
    expectSameSize(merged, mask);
    merged = { size: merged.size, counts: mergeRuns(merged.counts, mask.counts, operation === 'union') };
  }
  return merged;
}

function mergeRuns(a: Uint32Array, b: Uint32Array, union: boolean): Uint32Array<ArrayBuffer> {
  const counts: number[] = [];
  let value = 0;
  let run = 0;
  let i = 0;
  let j = 0;
  let leftA = a[0];
  let leftB = b[0];
  while (i < a.length && j < b.length) {
    const step = Math.min(leftA, leftB);
    const next = (union ? i | j : i & j) & 1;
    if (step > 0) {
      if (next !== value) {
        counts.push(run);
        run = 0;
        value = next;
      }
      run += step;
    }
    leftA -= step;
    leftB -= step;
    if (leftA === 0) leftA = a[++i];
    if (leftB === 0) leftB = b[++j];
  }
  counts.push(run);
  return Uint32Array.from(counts);
}

/**
 * Pixels inside a mask (pycocotools `area`).
 *
 * @example
 * rleArea({ size: [4, 4], counts: new Uint32Array([5, 2, 2, 2, 5]) }); // 4
 */
export function rleArea(mask: Rle): number {
  let area = 0;
  for (let i = 1; i < mask.counts.length; i += 2) area += mask.counts[i];
  return area;
}

/**
 * The smallest box around each mask's pixels: 4·N, xyxy in pixels, so that a mask of one pixel has a box of area 1.
 *
 * pycocotools `toBbox` gives the same as x, y, width, height. A mask without pixels has the box 0, 0, 0, 0.
 */
export function rleToBoxes(masks: readonly Rle[]): Float32Array<ArrayBuffer> {
  const boxes = new Float32Array(4 * masks.length);
  masks.forEach((mask, index) => {
    const height = mask.size[0];
    let x1 = Number.POSITIVE_INFINITY;
    let y1 = Number.POSITIVE_INFINITY;
    let x2 = -1;
    let y2 = -1;
    let at = 0;
    for (let i = 0; i < mask.counts.length; i++) {
      const run = mask.counts[i];
      if (i % 2 === 1 && run > 0) {
        const last = at + run - 1;
        const firstColumn = Math.floor(at / height);
        const lastColumn = Math.floor(last / height);
        x1 = Math.min(x1, firstColumn);
        x2 = Math.max(x2, lastColumn);
        // a run over a column's end touches its bottom and the next one's top
        y1 = Math.min(y1, firstColumn < lastColumn ? 0 : at % height);
        y2 = Math.max(y2, firstColumn < lastColumn ? height - 1 : last % height);
      }
      at += run;
    }
    if (x2 >= 0) boxes.set([x1, y1, x2 + 1, y2 + 1], 4 * index);
  });
  return boxes;
}
