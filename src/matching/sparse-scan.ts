/**
 * The overlap scan of a regular grid for the plain IoU, without the pairs that cannot matter: those below a threshold
 * that are nobody's best. What it costs goes with what it finds, not with the number of anchors.
 *
 * Two boxes of areas A and B with the intersection I have the IoU I / (A + B − I), which grows with I and falls with A.
 * So the sizes alone bound what the anchors of one shape can reach with a ground truth, and a similarity s asks for an
 * intersection of at least (A + B)·s / (1 + s). Values that are computed are bit for bit those of the other scans.
 */
import type { BoxArray } from '../boxes/types.ts';
import type { Shape } from './grid-scan.ts';
import { cellsBetween, grown } from './reach.ts';

const { fround } = Math;

/** Float32 steps lose less than this part of a bound. */
const slack = 1e-5;

export class SparseScan {
  /** By anchor: best similarity of at least the threshold and its ground truth (the lower at a tie), else 0 and −1. */
  best = new Float32Array(0);
  bestGt = new Int32Array(0);
  /** By anchor: the ground truth it was given whatever its similarity, else −1; the caller's to fill. */
  selected = new Int32Array(0);
  /** Anchors that have one of these; in no order. */
  found = new Int32Array(256);
  count = 0;
  /** Of the last ground truth: its best similarity above 0 or −Infinity, and the anchors that tie for it, ascending. */
  highest = Number.NEGATIVE_INFINITY;
  ties = new Int32Array(64);
  tied = 0;
  private bounds = new Float64Array(64);
  /** What a ground truth has in common with the intervals of one axis. */
  private common = new Float32Array(256);

  /** Forgets what was found and makes room for so many anchors. */
  reset(anchors: number): void {
    for (let i = 0; i < this.count; i++) {
      this.best[this.found[i]!] = 0;
      this.bestGt[this.found[i]!] = -1;
      this.selected[this.found[i]!] = -1;
    }
    this.count = 0;
    if (this.best.length >= anchors) return;
    this.best = new Float32Array(anchors);
    this.bestGt = new Int32Array(anchors).fill(-1);
    this.selected = new Int32Array(anchors).fill(-1);
  }

  /**
   * Finds the anchors whose similarity with ground truth g is at least `threshold` (above 0) and lets it compete for
   * them; finds the ground truth's best anchors, however low, where `needsBest` says so.
   */
  run(shapes: readonly Shape[], boxes: BoxArray, g: number, threshold: number, needsBest: boolean): void {
    this.highest = Number.NEGATIVE_INFINITY;
    this.tied = 0;
    const width = fround(fround(boxes[4 * g + 2]!) - fround(boxes[4 * g]!));
    const height = fround(fround(boxes[4 * g + 3]!) - fround(boxes[4 * g + 1]!));
    if (!(width > 0 && height > 0)) return;
    if (this.bounds.length < shapes.length) this.bounds = new Float64Array(2 * shapes.length);
    const { bounds } = this;
    let first = 0;
    for (let s = 0; s < shapes.length; s++) {
      bounds[s] = boundOf(shapes[s]!, width, height);
      if (bounds[s]! > bounds[first]!) first = s;
    }
    // the most similar shape first: after it there is a similarity that others must reach
    for (let i = -1; i < shapes.length; i++) {
      const s = i < 0 ? first : i;
      if (i === first) continue;
      const least = needsBest ? Math.min(threshold, Math.max(0, this.highest)) : threshold;
      if (bounds[s]! >= least) this.scan(shapes[s]!, boxes, g, threshold, least);
    }
    this.ties.subarray(0, this.tied).sort();
  }

  /** Compares ground truth g with the anchors of one shape that may reach `least`. */
  private scan(shape: Shape, boxes: BoxArray, g: number, threshold: number, least: number): void {
    const { level, first, across, down, hull, sizes } = shape;
    const { width, perCell } = level;
    const x1 = fround(boxes[4 * g]!);
    const y1 = fround(boxes[4 * g + 1]!);
    const x2 = fround(boxes[4 * g + 2]!);
    const y2 = fround(boxes[4 * g + 3]!);
    const area = fround(fround(x2 - x1) * fround(y2 - y1));
    const [left, right] = cellsBetween(x1, x2, hull[0], hull[2], level.pitchX, width);
    const [top, bottom] = cellsBetween(y1, y2, hull[1], hull[3], level.pitchY, level.height);
    if (left >= right || top >= bottom) return;
    if (this.common.length < right) this.common = new Float32Array(2 * right);
    const { common, best, bestGt } = this;
    for (let x = left; x < right; x++) {
      common[x] = Math.min(across.ends[x]!, x2) - Math.max(across.starts[x]!, x1);
    }
    const { lengths: widths } = across;
    const intersections = ((area + sizes.width * sizes.height) * least * (1 - slack)) / (1 + least);
    let { highest } = this;
    for (let y = top; y < bottom; y++) {
      const tall = fround(Math.min(down.ends[y]!, y2) - Math.max(down.starts[y]!, y1));
      if (!(tall > 0)) continue;
      const enough = intersections / tall;
      let from = left;
      let to = right;
      while (from < to && !(common[from]! > 0 && common[from]! >= enough)) from++;
      while (to > from && !(common[to - 1]! > 0 && common[to - 1]! >= enough)) to--;
      const height = down.lengths[y]!;
      let j = first + (y * width + from) * perCell;
      for (let x = from; x < to; x++, j += perCell) {
        const intersection = fround(common[x]! * tall);
        const value = fround(
          intersection / fround(fround(area + fround(widths[x]! * height)) - intersection),
        );
        if (value >= threshold) {
          this.keep(j);
          if (value > best[j]!) {
            best[j] = value;
            bestGt[j] = g;
          }
        }
        if (value >= highest && value > 0) {
          if (value > highest) {
            highest = value;
            this.tied = 0;
          }
          if (this.tied === this.ties.length) this.ties = grown(this.ties, this.tied + 1);
          this.ties[this.tied++] = j;
        }
      }
    }
    this.highest = highest;
  }

  /** Adds an anchor to those found, unless it is among them. */
  keep(j: number): void {
    if (this.bestGt[j] !== -1 || this.selected[j] !== -1) return;
    if (this.count === this.found.length) this.found = grown(this.found, this.count + 1);
    this.found[this.count++] = j;
  }
}

/** The most that a box of this size can have in common with an anchor of the shape. */
function boundOf({ sizes }: Shape, width: number, height: number): number {
  const intersection = Math.min(sizes.widest, width) * Math.min(sizes.tallest, height);
  const union = sizes.width * sizes.height + width * height - intersection;
  return union > 0 ? (intersection / union) * (1 + slack) : Number.POSITIVE_INFINITY;
}
