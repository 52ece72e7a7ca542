/**
 * Greedy suppression of one class: walk the boxes by score, compare each with the kept ones only, in tiles where that
 * is exact (see `tiles.ts`) and worth it, else against the plain list.
 */
import type { BoxArray } from '../boxes/types.ts';
import type { Comparison } from './compare.ts';
import { greedyTiles } from './tiles.ts';

/** Below this many boxes a plain list is faster than building a grid (measured: the two cross at 300–500). */
const TILE_MINIMUM = 400;

/**
 * Sets `kept[position] = 1` for every surviving position of `members[from..to]` (box indices, best first) and returns
 * how many survive; stops at `limit`.
 */
export function greedy(
  boxes: BoxArray,
  members: Uint32Array,
  from: number,
  to: number,
  comparison: Comparison,
  limit: number,
  kept: Uint8Array,
): number {
  if (to - from >= TILE_MINIMUM) {
    const count = greedyTiles(boxes, members, from, to, comparison, limit, kept);
    if (count >= 0) return count;
  }
  return greedyPlain(boxes, members, from, to, comparison, limit, kept);
}

function greedyPlain(
  boxes: BoxArray,
  members: Uint32Array,
  from: number,
  to: number,
  comparison: Comparison,
  limit: number,
  kept: Uint8Array,
): number {
  let capacity = Math.min(to - from, limit, 256);
  let columns = comparison.columns(capacity);
  let size = 0;
  for (let position = from; position < to && size < limit; position++) {
    const at = 4 * members[position]!;
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    if (comparison.anyAbove(columns, 0, size, x1, y1, x2, y2)) continue;
    if (size === capacity) {
      capacity *= 2;
      columns = comparison.columns(capacity, columns);
    }
    comparison.put(columns, size++, x1, y1, x2, y2);
    kept[position] = 1;
  }
  return size;
}
