/**
 * The priors whose centres lie closest to a point, level by level. On a regular grid only the cells around the point are
 * looked at; the window grows until no cell outside can be as close.
 */
import type { AnchorLevel } from '../anchors/types.ts';
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import type { PriorColumns } from './prior-columns.ts';

/** Consecutive priors that are ranked together. */
export interface PriorLevel {
  readonly start: number;
  readonly count: number;
  readonly grid: AnchorLevel | null;
}

/** Levels of anchors, or of a plain array cut by counts (one level without them). */
export function levelsOf({ levels, count }: PriorColumns, counts?: readonly number[]): readonly PriorLevel[] {
  if (levels !== null) return levels.map((grid) => ({ start: grid.start, count: grid.count, grid }));
  if (counts === undefined) return [{ start: 0, count, grid: null }];
  let start = 0;
  const result = counts.map((length) => {
    start += length;
    return { start: start - length, count: length, grid: null };
  });
  if (start !== count) {
    throw new OptionError(`levels must add up to ${count} priors, got ${start}`, {
      expected: count,
      got: start,
    });
  }
  return result;
}

/** Finds nearest priors; the float32 steps are those of mmdetection's distance matrix. */
export class Nearest {
  /** Found priors, nearest first; ties: lower index first. */
  indices = new Int32Array(16);
  length = 0;
  private distances = new Float64Array(16);
  private offsets: [number, number, number, number] = [0, 0, 0, 0];

  /** Up to `k` priors of the level that are not masked, around (x, y). */
  find(
    { boxes }: PriorColumns,
    level: PriorLevel,
    x: number,
    y: number,
    k: number,
    mask: Uint8Array | null,
  ): void {
    if (this.indices.length < k) {
      this.indices = new Int32Array(k);
      this.distances = new Float64Array(k);
    }
    const { grid } = level;
    if (grid === null || grid.width * grid.height < 32) {
      this.length = 0;
      this.gather(boxes, level.start, level.start + level.count, x, y, k, mask);
      return;
    }
    const { width, height, perCell, pitchX, pitchY } = grid;
    this.centresOf(boxes, grid);
    const [lowX, highX, lowY, highY] = this.offsets;
    const column = Math.min(width - 1, Math.max(0, Math.round((x - (lowX + highX) / 2) / pitchX)));
    const row = Math.min(height - 1, Math.max(0, Math.round((y - (lowY + highY) / 2) / pitchY)));
    for (let radius = Math.ceil(Math.sqrt(k / perCell) / 2) + 1; ; radius *= 2) {
      const left = Math.max(0, column - radius);
      const right = Math.min(width, column + radius + 1);
      const top = Math.max(0, row - radius);
      const bottom = Math.min(height, row + radius + 1);
      this.length = 0;
      for (let cy = top; cy < bottom; cy++) {
        const first = level.start + cy * width * perCell;
        this.gather(boxes, first + left * perCell, first + right * perCell, x, y, k, mask);
      }
      // how close a centre outside the window can be
      let bound = Number.POSITIVE_INFINITY;
      if (left > 0) bound = Math.min(bound, x - ((left - 1) * pitchX + highX));
      if (right < width) bound = Math.min(bound, right * pitchX + lowX - x);
      if (top > 0) bound = Math.min(bound, y - ((top - 1) * pitchY + highY));
      if (bottom < height) bound = Math.min(bound, bottom * pitchY + lowY - y);
      if (bound === Number.POSITIVE_INFINITY) return;
      const slack = 1e-3 + 1e-5 * (Math.abs(x) + Math.abs(y));
      if (this.length === k && this.distances[k - 1]! < bound - slack) return;
    }
  }

  /** Range of the centres of cell (0, 0). */
  private centresOf(boxes: BoxArray, { start, perCell }: AnchorLevel): void {
    const { offsets } = this;
    offsets[0] = offsets[2] = Number.POSITIVE_INFINITY;
    offsets[1] = offsets[3] = Number.NEGATIVE_INFINITY;
    for (let j = start; j < start + perCell; j++) {
      const cx = (boxes[4 * j]! + boxes[4 * j + 2]!) / 2;
      const cy = (boxes[4 * j + 1]! + boxes[4 * j + 3]!) / 2;
      offsets[0] = Math.min(offsets[0], cx);
      offsets[1] = Math.max(offsets[1], cx);
      offsets[2] = Math.min(offsets[2], cy);
      offsets[3] = Math.max(offsets[3], cy);
    }
  }

  private gather(
    boxes: BoxArray,
    from: number,
    to: number,
    x: number,
    y: number,
    k: number,
    mask: Uint8Array | null,
  ): void {
    const { indices, distances } = this;
    const round = boxes instanceof Float32Array ? Math.fround : exactly;
    for (let j = from; j < to; j++) {
      if (mask !== null && mask[j] === 1) continue;
      const dx = round(round(boxes[4 * j]! + boxes[4 * j + 2]!) / 2 - x);
      const dy = round(round(boxes[4 * j + 1]! + boxes[4 * j + 3]!) / 2 - y);
      const distance = round(Math.sqrt(round(round(dx * dx) + round(dy * dy))));
      if (this.length === k && !(distance < distances[k - 1]!)) continue;
      if (Number.isNaN(distance)) continue;
      let at = this.length < k ? this.length++ : k - 1;
      for (; at > 0 && distances[at - 1]! > distance; at--) {
        distances[at] = distances[at - 1]!;
        indices[at] = indices[at - 1]!;
      }
      distances[at] = distance;
      indices[at] = j;
    }
  }
}

function exactly(value: number): number {
  return value;
}
