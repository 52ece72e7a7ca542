/**
 * The overlap scan of every pair, where a SIMD kernel computes the metric: tiles of all ground truths and a run of
 * priors, small enough to stay in the cache, are reduced as they come. The same values as the loops, bit for bit.
 */
import type { BoxArray } from '../boxes/types.ts';
import { findKernel, type IouKernel } from '../iou/kernel.ts';
import { isNonFinite } from '../iou/pack.ts';
import type { ResolvedMetric } from '../iou/resolve.ts';
import type { PriorColumns } from './prior-columns.ts';

/** Numbers in a tile, about 128 kB. */
const tileSize = 32_768;

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

export class DenseScan {
  /** Priors that tie for each ground truth's best, ascending. */
  readonly ties: number[][] = [];
  private tile = new Float32Array(0);

  /** Fills the arrays as the overlap scan does; false when the kernel cannot (out of memory). */
  run(
    kernel: IouKernel,
    parameters: Float64Array,
    priors: PriorColumns,
    groundTruths: Float32Array,
    mask: Uint8Array | null,
    floor: number,
    best: Float32Array,
    bestGt: Int32Array,
    gtBest: Float64Array,
  ): boolean {
    const gts = groundTruths.length / 4;
    const boxes = priors.boxes as Float32Array;
    const step = Math.max(1, Math.floor(tileSize / Math.max(1, gts)));
    if (this.tile.length < gts * step) this.tile = new Float32Array(gts * step);
    const { tile, ties } = this;
    for (let g = 0; g < gts; g++) {
      gtBest[g] = Number.NEGATIVE_INFINITY;
      if (ties[g] === undefined) ties[g] = [];
      else ties[g]!.length = 0;
    }
    for (let from = 0; from < priors.count; from += step) {
      const columns = Math.min(step, priors.count - from);
      const run = boxes.subarray(4 * from, 4 * (from + columns));
      if (!kernel.matrix(groundTruths, run, parameters, tile, 0)) return false;
      for (let g = 0; g < gts; g++) {
        let highest = gtBest[g]!;
        const row = g * columns;
        const list = ties[g]!;
        for (let k = 0; k < columns; k++) {
          const value = tile[row + k]!;
          if (!(value > floor)) continue;
          const j = from + k;
          if (mask !== null && mask[j] === 1) continue;
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
    return true;
  }
}
