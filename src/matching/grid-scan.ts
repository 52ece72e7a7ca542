/**
 * The overlap scan for the plain IoU on a regular grid, in float32 steps.
 *
 * Anchors of a grid are a row of x intervals times a column of y intervals, so what a ground truth has in common with
 * each interval is computed once; a pair then costs two products, two sums and one division. Values are bit for bit those
 * of the general loop: the same operations on the same coordinates in the same order.
 */
import type { AnchorLevel } from '../anchors/types.ts';
import type { BoxArray } from '../boxes/types.ts';
import { cellsBetween, grown } from './reach.ts';

const { fround } = Math;

/** Intervals of one anchor shape along one axis: starts, ends and lengths by cell. */
interface Intervals {
  readonly starts: Float32Array;
  readonly ends: Float32Array;
  readonly lengths: Float32Array;
}

/** One anchor shape of one level. */
export interface Shape {
  readonly level: AnchorLevel;
  /** Number of its anchor in cell (0, 0). */
  readonly first: number;
  readonly across: Intervals;
  readonly down: Intervals;
  /** Of cell (0, 0): left, top, right, bottom. */
  readonly hull: readonly [number, number, number, number];
  /** The smallest and the largest sides of its anchors; they differ by rounding, or where anchors are clipped. */
  readonly sizes: {
    readonly width: number;
    readonly height: number;
    readonly widest: number;
    readonly tallest: number;
  };
}

/** The shapes of all levels, or null where some anchor is not where the grid says. Done once for a set of anchors. */
export function shapesOf(boxes: BoxArray, levels: readonly AnchorLevel[]): readonly Shape[] | null {
  if (!(boxes instanceof Float32Array)) return null;
  const shapes: Shape[] = [];
  for (const level of levels) {
    for (let a = 0; a < level.perCell; a++) {
      const first = level.start + a;
      const across = intervals(boxes, first, level.perCell, level.width, 0);
      const down = intervals(boxes, first, level.perCell * level.width, level.height, 1);
      if (!isRegular(boxes, level, first, across, down)) return null;
      shapes.push({
        level,
        first,
        across,
        down,
        hull: hullOf(level, across, down),
        sizes: sizesOf(across, down),
      });
    }
  }
  return shapes;
}

function intervals(boxes: Float32Array, first: number, step: number, count: number, axis: 0 | 1): Intervals {
  const starts = new Float32Array(count);
  const ends = new Float32Array(count);
  const lengths = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    starts[i] = boxes[4 * (first + i * step) + axis]!;
    ends[i] = boxes[4 * (first + i * step) + axis + 2]!;
    lengths[i] = ends[i]! - starts[i]!;
  }
  return { starts, ends, lengths };
}

function isRegular(
  boxes: Float32Array,
  { width, height, perCell }: AnchorLevel,
  first: number,
  across: Intervals,
  down: Intervals,
): boolean {
  let at = 4 * first;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4 * perCell) {
      if (
        boxes[at] !== across.starts[x] ||
        boxes[at + 1] !== down.starts[y] ||
        boxes[at + 2] !== across.ends[x] ||
        boxes[at + 3] !== down.ends[y]
      ) {
        return false;
      }
    }
  }
  return true;
}

/** Smallest interval that contains every cell's, shifted back to cell 0. */
function hullOf({ pitchX, pitchY }: AnchorLevel, across: Intervals, down: Intervals): Shape['hull'] {
  const [left, right] = extent(across, pitchX);
  const [top, bottom] = extent(down, pitchY);
  return [left, top, right, bottom];
}

function extent({ starts, ends }: Intervals, pitch: number): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < starts.length; i++) {
    low = Math.min(low, starts[i]! - i * pitch);
    high = Math.max(high, ends[i]! - i * pitch);
  }
  return [low, high];
}

function sizesOf({ lengths: widths }: Intervals, { lengths: heights }: Intervals): Shape['sizes'] {
  return {
    width: Math.max(0, Math.min(...widths)),
    height: Math.max(0, Math.min(...heights)),
    widest: Math.max(...widths),
    tallest: Math.max(...heights),
  };
}

/** Scratch: what a ground truth has in common with the intervals of one axis. */
let common = new Float32Array(256);

/** Grows with what is found for one ground truth. */
export class GridScan {
  /** Best similarity of the last ground truth, or −Infinity. */
  highest = Number.NEGATIVE_INFINITY;
  /** Priors that tie for it, ascending. */
  ties = new Int32Array(64);
  tied = 0;

  /** Compares ground truth g with every anchor it has an area in common with. */
  run(
    shapes: readonly Shape[],
    boxes: BoxArray,
    g: number,
    mask: Uint8Array | null,
    best: Float32Array,
    bestGt: Int32Array,
  ): void {
    const x1 = fround(boxes[4 * g]!);
    const y1 = fround(boxes[4 * g + 1]!);
    const x2 = fround(boxes[4 * g + 2]!);
    const y2 = fround(boxes[4 * g + 3]!);
    const area = fround(fround(x2 - x1) * fround(y2 - y1));
    this.highest = Number.NEGATIVE_INFINITY;
    this.tied = 0;
    let ordered = true;
    let last = -1;
    for (let s = 0; s < shapes.length; s++) {
      const { level, first, across, down, hull } = shapes[s]!;
      const { width, perCell } = level;
      const [left, right] = cellsBetween(x1, x2, hull[0], hull[2], level.pitchX, width);
      const [top, bottom] = cellsBetween(y1, y2, hull[1], hull[3], level.pitchY, level.height);
      if (left >= right || top >= bottom) continue;
      if (common.length < right) common = new Float32Array(2 * right);
      const shared = common;
      for (let x = left; x < right; x++) {
        shared[x] = Math.min(across.ends[x]!, x2) - Math.max(across.starts[x]!, x1);
      }
      let from = left;
      let to = right;
      while (from < to && !(shared[from]! > 0)) from++;
      while (to > from && !(shared[to - 1]! > 0)) to--;
      const { lengths: widths } = across;
      let { highest } = this;
      for (let y = top; y < bottom; y++) {
        const tall = fround(Math.min(down.ends[y]!, y2) - Math.max(down.starts[y]!, y1));
        if (!(tall > 0)) continue;
        const height = down.lengths[y]!;
        let j = first + (y * width + from) * perCell;
        for (let x = from; x < to; x++, j += perCell) {
          const intersection = fround(shared[x]! * tall);
          const value = fround(
            intersection / fround(fround(area + fround(widths[x]! * height)) - intersection),
          );
          if (value > best[j]! && (mask === null || mask[j] === 0)) {
            best[j] = value;
            bestGt[j] = g;
          }
          if (value >= highest && value > 0 && (mask === null || mask[j] === 0)) {
            if (value > highest) {
              highest = value;
              this.tied = 0;
              ordered = true;
            } else if (j < last) ordered = false;
            last = j;
            if (this.tied === this.ties.length) this.ties = grown(this.ties, this.tied + 1);
            this.ties[this.tied++] = j;
          }
        }
      }
      this.highest = highest;
    }
    if (!ordered) this.ties.subarray(0, this.tied).sort();
  }
}
