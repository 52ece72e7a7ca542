/**
 * Greedy suppression against a plain list of kept boxes: the reference path, and the fast one for a few hundred boxes.
 *
 * float32 boxes are compared in float32 arithmetic, each step rounded, as torchvision's C++ does: on the same input
 * the keep list is the same, box for box. An intersection of 0 means IoU 0, also for two boxes without area.
 */
import type { BoxArray } from '../boxes/types.ts';

const { fround } = Math;

/**
 * Marks in `kept` the ranks of `members` that survive; stops after `limit`. `ranks[i]` is the place of `members[i]` in
 * the score order, `members` is sorted by it.
 */
export function greedyPlain(
  boxes: BoxArray,
  members: Uint32Array,
  from: number,
  to: number,
  threshold: number,
  inclusive: boolean,
  limit: number,
  mark: (position: number) => void,
): void {
  const float32 = boxes instanceof Float32Array;
  const capacity = Math.min(to - from, limit);
  const Columns = float32 ? Float32Array : Float64Array;
  const x1s = new Columns(capacity);
  const y1s = new Columns(capacity);
  const x2s = new Columns(capacity);
  const y2s = new Columns(capacity);
  const areas = new Columns(capacity);
  const above = float32 ? anyIouAboveFloat32 : anyIouAboveFloat64;
  let size = 0;
  for (let position = from; position < to && size < limit; position++) {
    const at = 4 * members[position]!;
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    const area = float32 ? fround(fround(x2 - x1) * fround(y2 - y1)) : (x2 - x1) * (y2 - y1);
    if (above(x1s, y1s, x2s, y2s, areas, 0, size, x1, y1, x2, y2, area, threshold, inclusive)) continue;
    x1s[size] = x1;
    y1s[size] = y1;
    x2s[size] = x2;
    y2s[size] = y2;
    areas[size] = area;
    size++;
    mark(position);
  }
}

/** Whether any of the boxes `from..to` of the columns has a float32 IoU with the box above (or at) the threshold. */
export function anyIouAboveFloat32(
  x1s: BoxArray,
  y1s: BoxArray,
  x2s: BoxArray,
  y2s: BoxArray,
  areas: BoxArray,
  from: number,
  to: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  area: number,
  threshold: number,
  inclusive: boolean,
): boolean {
  if (threshold < 0 || (inclusive && threshold <= 0)) return to > from;
  for (let i = from; i < to; i++) {
    const right = x2s[i]!;
    const left = x1s[i]!;
    const width = fround((right < x2 ? right : x2) - (left > x1 ? left : x1));
    if (!(width > 0)) continue;
    const bottom = y2s[i]!;
    const top = y1s[i]!;
    const height = fround((bottom < y2 ? bottom : y2) - (top > y1 ? top : y1));
    if (!(height > 0)) continue;
    const intersection = fround(width * height);
    const iou = fround(intersection / fround(fround(areas[i]! + area) - intersection));
    if (iou > threshold || (inclusive && iou === threshold)) return true;
  }
  return false;
}

/** The same in float64. */
export function anyIouAboveFloat64(
  x1s: BoxArray,
  y1s: BoxArray,
  x2s: BoxArray,
  y2s: BoxArray,
  areas: BoxArray,
  from: number,
  to: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  area: number,
  threshold: number,
  inclusive: boolean,
): boolean {
  if (threshold < 0 || (inclusive && threshold <= 0)) return to > from;
  for (let i = from; i < to; i++) {
    const right = x2s[i]!;
    const left = x1s[i]!;
    const width = (right < x2 ? right : x2) - (left > x1 ? left : x1);
    if (!(width > 0)) continue;
    const bottom = y2s[i]!;
    const top = y1s[i]!;
    const height = (bottom < y2 ? bottom : y2) - (top > y1 ? top : y1);
    if (!(height > 0)) continue;
    const intersection = width * height;
    const iou = intersection / (areas[i]! + area - intersection);
    if (iou > threshold || (inclusive && iou === threshold)) return true;
  }
  return false;
}
