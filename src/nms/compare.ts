/**
 * The comparison greedy suppression asks for: does any kept box overlap this one too much?
 *
 * Kept boxes lie in columns, and one call covers a run of them, so that the metric's arithmetic is inside the loop. A
 * float32 IoU rounds at each step as torchvision's C++ does; an intersection of 0 is IoU 0, also for two boxes without
 * area. (An intersection above 0 implies two areas at least as large, so the division below never sees 0/0.)
 */
import type { BoxArray } from '../boxes/types.ts';

const { fround } = Math;

/** Kept boxes, one array a coordinate. */
export interface KeptColumns {
  x1: BoxArray;
  y1: BoxArray;
  x2: BoxArray;
  y2: BoxArray;
  area: BoxArray;
}

/** Area as the reference computes it, in the precision of the boxes. */
export function areaOf(float32: boolean, x1: number, y1: number, x2: number, y2: number): number {
  return float32 ? fround(fround(x2 - x1) * fround(y2 - y1)) : (x2 - x1) * (y2 - y1);
}

/** Columns for `capacity` kept boxes in the precision of `boxes`. */
export function keptColumns(boxes: BoxArray, capacity: number): KeptColumns {
  const Columns = boxes instanceof Float32Array ? Float32Array : Float64Array;
  return {
    x1: new Columns(capacity),
    y1: new Columns(capacity),
    x2: new Columns(capacity),
    y2: new Columns(capacity),
    area: new Columns(capacity),
  };
}

/** Whether a kept box in `from..to` has a similarity above (inclusive: at or above) the threshold. */
export type AnyAbove = (
  kept: KeptColumns,
  from: number,
  to: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  area: number,
) => boolean;

/** How one call of `nms` compares: the loop, the bound it may prune by, the precision of its areas. */
export interface Comparison {
  readonly anyAbove: AnyAbove;
  /** No two boxes with a plain IoU below this pass; 0: no bound, every pair is compared. */
  readonly minIou: number;
}

/** The comparison of metric `'iou'` in the precision of the boxes. */
export function iouComparison(float32: boolean, threshold: number, inclusive: boolean): Comparison {
  const zeroPasses = threshold < 0 || (inclusive && threshold <= 0);
  if (zeroPasses) return { anyAbove: (_, from, to) => to > from, minIou: 0 };
  // `iou > threshold` for the largest number below the threshold is `iou >= threshold`.
  const strict = inclusive ? numberBelow(threshold) : threshold;
  return { anyAbove: float32 ? iouFloat32(strict) : iouFloat64(strict), minIou: threshold };
}

function numberBelow(value: number): number {
  const float = new Float64Array([value]);
  const bits = new BigInt64Array(float.buffer);
  bits[0] = bits[0]! - 1n; // value > 0
  return float[0]!;
}

function iouFloat32(threshold: number): AnyAbove {
  return (kept, from, to, x1, y1, x2, y2, area) => {
    const { x1: lefts, y1: tops, x2: rights, y2: bottoms, area: areas } = kept;
    for (let i = from; i < to; i++) {
      const right = rights[i]!;
      const left = lefts[i]!;
      const width = fround((right < x2 ? right : x2) - (left > x1 ? left : x1));
      if (!(width > 0)) continue;
      const bottom = bottoms[i]!;
      const top = tops[i]!;
      const height = fround((bottom < y2 ? bottom : y2) - (top > y1 ? top : y1));
      if (!(height > 0)) continue;
      const intersection = fround(width * height);
      if (fround(intersection / fround(fround(areas[i]! + area) - intersection)) > threshold) return true;
    }
    return false;
  };
}

function iouFloat64(threshold: number): AnyAbove {
  return (kept, from, to, x1, y1, x2, y2, area) => {
    const { x1: lefts, y1: tops, x2: rights, y2: bottoms, area: areas } = kept;
    for (let i = from; i < to; i++) {
      const right = rights[i]!;
      const left = lefts[i]!;
      const width = (right < x2 ? right : x2) - (left > x1 ? left : x1);
      if (!(width > 0)) continue;
      const bottom = bottoms[i]!;
      const top = tops[i]!;
      const height = (bottom < y2 ? bottom : y2) - (top > y1 ? top : y1);
      if (!(height > 0)) continue;
      const intersection = width * height;
      if (intersection / (areas[i]! + area - intersection) > threshold) return true;
    }
    return false;
  };
}
