/** Which anchors of a regular grid a box can touch: runs of consecutive anchors, found by arithmetic on the cells. */
import type { AnchorLevel } from '../anchors/types.ts';

/** Cells within which rounding of the boxes to float32 could matter. */
const margin = 0.01;

/** First and last + 1 of the cells (along one axis) whose anchors [low, high] + cell·pitch may meet [from, to]. */
export function cellsBetween(
  from: number,
  to: number,
  low: number,
  high: number,
  pitch: number,
  cells: number,
): readonly [number, number] {
  const slack = margin + (1e-6 * (Math.abs(from) + Math.abs(to) + Math.abs(low) + Math.abs(high))) / pitch;
  return [
    Math.max(0, Math.ceil((from - high) / pitch - slack)),
    Math.min(cells, Math.floor((to - low) / pitch + slack) + 1),
  ];
}

/** Runs `[from, to)` of anchors, two numbers each; memory is reused by the next {@link find}. */
export class Reach {
  runs = new Int32Array(64);
  length = 0;

  /** Every anchor. */
  all(count: number): void {
    this.runs[0] = 0;
    this.runs[1] = count;
    this.length = count > 0 ? 2 : 0;
  }

  /** Anchors that may have an area in common with the box; those left out have none. Ascending. */
  find(levels: readonly AnchorLevel[], x1: number, y1: number, x2: number, y2: number): void {
    this.length = 0;
    for (const level of levels) {
      const { hull, width, perCell, start } = level;
      const [left, right] = cellsBetween(x1, x2, hull[0], hull[2], level.pitchX, width);
      const [top, bottom] = cellsBetween(y1, y2, hull[1], hull[3], level.pitchY, level.height);
      if (left >= right || top >= bottom) continue;
      this.runs = grown(this.runs, this.length + 2 * (bottom - top));
      if (left === 0 && right === width) {
        this.runs[this.length++] = start + top * width * perCell;
        this.runs[this.length++] = start + bottom * width * perCell;
        continue;
      }
      for (let y = top; y < bottom; y++) {
        const row = start + y * width * perCell;
        this.runs[this.length++] = row + left * perCell;
        this.runs[this.length++] = row + right * perCell;
      }
    }
  }
}

/** The numbers, in an array at least twice as long where there is no room for `length`. */
export function grown(values: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= values.length) return values;
  const out = new Int32Array(Math.max(length, 2 * values.length));
  out.set(values);
  return out;
}
