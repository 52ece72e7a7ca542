/**
 * Greedy suppression of one class: walk the boxes by score, compare each with the kept ones only, in tiles where that
 * is exact (see `tiles.ts`) and worth it, else against the plain list.
 */
import type { BoxArray } from '../boxes/types.ts';
import { areaOf, type Comparison, keptColumns } from './compare.ts';
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
  const float32 = boxes instanceof Float32Array;
  const columns = keptColumns(boxes, Math.min(to - from, limit));
  const { anyAbove } = comparison;
  let size = 0;
  for (let position = from; position < to && size < limit; position++) {
    const at = 4 * members[position]!;
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    const area = areaOf(float32, x1, y1, x2, y2);
    if (anyAbove(columns, 0, size, x1, y1, x2, y2, area)) continue;
    columns.x1[size] = x1;
    columns.y1[size] = y1;
    columns.x2[size] = x2;
    columns.y2[size] = y2;
    columns.area[size] = area;
    size++;
    kept[position] = 1;
  }
  return size;
}
