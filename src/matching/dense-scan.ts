/**
 * The overlap scan where a SIMD kernel computes the metric: tiles of ground truths and consecutive priors, small enough
 * to stay in the cache, are reduced as they come. The same values as the loops, bit for bit.
 *
 * Where only boxes with a common area matter, a tile has only those ground truths that touch the smallest box around its
 * priors. That holds for any priors; it saves most where neighbours in the array are neighbours in the image.
 */
import type { BoxArray } from '../boxes/types.ts';
import { findKernel, type IouKernel } from '../iou/kernel.ts';
import { isNonFinite } from '../iou/pack.ts';
import type { ResolvedMetric } from '../iou/resolve.ts';
import type { PriorColumns } from './prior-columns.ts';

/** Numbers in a tile of all ground truths, about 128 kB. */
const tileSize = 32_768;
/** Priors of a tile with chosen ground truths. */
const blockLength = 128;

/** The kernel for a scan in float32 steps, or null where the loops must run. */
export function scanKernel(
  metric: ResolvedMetric,
  priors: PriorColumns,
  groundTruths: BoxArray,
): IouKernel | null {
  if (priors.survey.nonFinite) return null;
  for (let i = 0; i < groundTruths.length; i += 4) if (isNonFinite(groundTruths, i)) return null;
  return findKernel(metric.implementation.name);
}

/** What the scan writes, see the overlap scan. */
export interface ScanArrays {
  readonly best: Float32Array;
  readonly bestGt: Int32Array;
  readonly gtBest: Float64Array;
}

export class DenseScan {
  /** Priors that tie for each ground truth's best, ascending. */
  readonly ties: number[][] = [];
  private tile = new Float32Array(0);
  private chosen = new Int32Array(0);
  private rows = new Float32Array(0);

  /**
   * Fills the arrays; false when the kernel cannot (out of memory, extreme boxes). `floor` −Infinity: every pair counts;
   * else only those above it, and boxes without a common area have none.
   */
  run(
    kernel: IouKernel,
    parameters: Float64Array,
    priors: PriorColumns,
    groundTruths: Float32Array,
    mask: Uint8Array | null,
    floor: number,
    arrays: ScanArrays,
  ): boolean {
    const gts = groundTruths.length / 4;
    const boxes = priors.boxes as Float32Array;
    const pruned = floor !== Number.NEGATIVE_INFINITY;
    const step = pruned ? blockLength : Math.max(1, Math.floor(tileSize / Math.max(1, gts)));
    this.resize(gts, step);
    arrays.gtBest.fill(Number.NEGATIVE_INFINITY, 0, gts);
    for (let from = 0; from < priors.count; from += step) {
      const to = Math.min(from + step, priors.count);
      const rows = pruned ? this.choose(boxes, from, to, groundTruths) : gts;
      if (rows === 0) continue;
      const run = boxes.subarray(4 * from, 4 * to);
      const a = rows === gts ? groundTruths : this.rows.subarray(0, 4 * rows);
      if (!kernel.matrix(a, run, parameters, this.tile, 0)) return false;
      this.reduce(rows, from, to, mask, floor, arrays);
    }
    return true;
  }

  private resize(gts: number, step: number): void {
    if (this.tile.length < gts * step) this.tile = new Float32Array(gts * step);
    if (this.chosen.length < gts) {
      this.chosen = new Int32Array(2 * gts);
      this.rows = new Float32Array(8 * gts);
    }
    for (let g = 0; g < gts; g++) {
      this.chosen[g] = g;
      if (this.ties[g] === undefined) this.ties[g] = [];
      else this.ties[g]!.length = 0;
    }
  }

  /** Ground truths that touch the smallest box around priors [from, to), into `chosen` and `rows`. */
  private choose(boxes: Float32Array, from: number, to: number, groundTruths: Float32Array): number {
    let left = Number.POSITIVE_INFINITY;
    let top = Number.POSITIVE_INFINITY;
    let right = Number.NEGATIVE_INFINITY;
    let bottom = Number.NEGATIVE_INFINITY;
    for (let i = 4 * from; i < 4 * to; i += 4) {
      if (boxes[i]! < left) left = boxes[i]!;
      if (boxes[i + 1]! < top) top = boxes[i + 1]!;
      if (boxes[i + 2]! > right) right = boxes[i + 2]!;
      if (boxes[i + 3]! > bottom) bottom = boxes[i + 3]!;
    }
    const { chosen, rows } = this;
    let count = 0;
    for (let i = 0; i < groundTruths.length; i += 4) {
      const x1 = groundTruths[i]!;
      const y1 = groundTruths[i + 1]!;
      const x2 = groundTruths[i + 2]!;
      const y2 = groundTruths[i + 3]!;
      if (!(left < x2 && right > x1 && top < y2 && bottom > y1)) continue;
      chosen[count] = i >> 2;
      rows[4 * count] = x1;
      rows[4 * count + 1] = y1;
      rows[4 * count + 2] = x2;
      rows[4 * count + 3] = y2;
      count++;
    }
    return count;
  }

  /** Lets the tile's values compete. */
  private reduce(
    rows: number,
    from: number,
    to: number,
    mask: Uint8Array | null,
    floor: number,
    { best, bestGt, gtBest }: ScanArrays,
  ): void {
    const { tile } = this;
    for (let row = 0, at = 0; row < rows; row++) {
      const g = this.chosen[row]!;
      const list = this.ties[g]!;
      let highest = gtBest[g]!;
      for (let j = from; j < to; j++, at++) {
        const value = tile[at]!;
        if (!(value > floor) || (mask !== null && mask[j] === 1)) continue;
        if (value > best[j]!) {
          best[j] = value;
          bestGt[j] = g;
        }
        if (value < highest) continue;
        if (value > highest) {
          highest = value;
          list.length = 0;
        }
        list.push(j);
      }
      gtBest[g] = highest;
    }
  }
}
