/**
 * One pass over the similarities of ground truths and priors that keeps only what threshold matchers ask for: the best
 * ground truth of each prior, the best priors of each ground truth. There is no matrix.
 *
 * On generated anchors a ground truth is compared only with the anchors it can touch. That is exact: area ratios are 0 for
 * all others, which is no match here, and metrics that take penalties off the IoU are at most 0, which no threshold
 * above 0 lets pass. Where that would not do (metrics that see boxes apart, thresholds at 0 or below, a ground truth
 * whose best prior is at 0 or below) every pair is compared.
 */
import type { BoxArray } from '../boxes/types.ts';
import { metricOf } from '../iou/comparison.ts';
import type { Column } from '../iou/loops.ts';
import { isNonFinite, surveyBoxes } from '../iou/pack.ts';
import type { ResolvedMetric } from '../iou/resolve.ts';
import { DenseScan, scanKernel } from './dense-scan.ts';
import { GridScan } from './grid-scan.ts';
import type { PriorColumns } from './prior-columns.ts';
import { grown, Reach } from './reach.ts';
import type { MetricOptions } from './types.ts';

/** Metrics that are exactly 0 for boxes without a common area. */
const areaRatios = new Set(['iou', 'iof', 'ioa', 'ios']);
/** Metrics never above the plain IoU may, by rounding, come out this far above 0 for boxes that only touch. */
const touch = 1e-6;

/** The similarity above which two boxes must have a common area, or null where there is none. */
function overlapFloor({ implementation }: ResolvedMetric): number | null {
  if (areaRatios.has(implementation.name)) return 0;
  const bound = implementation.minIou(touch);
  return bound !== null && bound > 0 ? touch : null;
}

/** The metric of a match and the floor of its similarities. */
export function matchMetric({ metric, metricPreset }: MetricOptions): ResolvedMetric {
  return metricOf({
    ...(metric === undefined ? undefined : { metric }),
    ...(metricPreset === undefined ? undefined : { preset: metricPreset }),
  });
}

/** Similarities of single ground truths with runs of priors. */
export class PairSimilarities {
  float32 = true;
  /** Whether similarities are computed in float32 steps. */
  single = false;
  /** Whether this is the plain IoU in float32 steps. */
  plain = false;
  /** Similarities of the last run. */
  values: Column = new Float32Array(0);
  metric!: ResolvedMetric;
  private priors!: PriorColumns;
  private groundTruths: BoxArray = this.values;
  private x1s: Column = this.values;
  private y1s: Column = this.values;
  private x2s: Column = this.values;
  private y2s: Column = this.values;
  private terms: readonly Column[] = [];
  private packed = false;

  prepare(priors: PriorColumns, groundTruths: BoxArray, metric: ResolvedMetric): void {
    const survey = { nonFinite: false, extreme: priors.survey.extreme };
    surveyBoxes(groundTruths, survey);
    this.float32 = priors.boxes instanceof Float32Array && groundTruths instanceof Float32Array;
    const single = this.float32 && metric.implementation.single !== undefined && !survey.extreme;
    this.single = single;
    this.plain = single && metric.name === 'iou' && metric.pixelOffset === 0;
    this.packed = false;
    this.metric = metric;
    this.priors = priors;
    this.groundTruths = groundTruths;
    if (this.values instanceof Float32Array !== this.float32) this.values = new Float32Array(0);
  }

  /** Puts the priors into columns; scans that need none do without. */
  private pack(): void {
    const { x1s, y1s, x2s, y2s } = this.priors.columns(this.single);
    this.x1s = x1s;
    this.y1s = y1s;
    this.x2s = x2s;
    this.y2s = y2s;
    this.terms = this.priors.terms(this.metric);
    this.packed = true;
  }

  /** Computes the similarities of ground truth g with priors [from, to); NaN with a prior that is not finite. */
  run(g: number, from: number, to: number): Column {
    if (!this.packed) this.pack();
    if (this.values.length < to - from || this.values instanceof Float32Array !== this.float32) {
      const length = Math.max(to - from, 1024);
      this.values = this.float32 ? new Float32Array(length) : new Float64Array(length);
    }
    const { values, groundTruths: box, priors } = this;
    const i = 4 * g;
    this.metric.row(
      box[i]!,
      box[i + 1]!,
      box[i + 2]!,
      box[i + 3]!,
      this.x1s,
      this.y1s,
      this.x2s,
      this.y2s,
      from,
      to,
      values,
      0,
      this.terms,
    );
    if (priors.survey.nonFinite) {
      for (let j = from; j < to; j++) if (priors.isNonFinite(j)) values[j - from] = Number.NaN;
    }
    return values;
  }

  /** Similarity of one ground truth with one prior. */
  pair(g: number, j: number): number {
    return this.run(g, j, j + 1)[0]!;
  }
}

const chunk = 4096;

export class OverlapScan {
  /** Best similarity of each prior; the floor where there is none above it. */
  best: Column = new Float32Array(0);
  /** Its ground truth, the lower at a tie, or −1. */
  bestGt = new Int32Array(0);
  /** Best similarity of each ground truth, or −Infinity. */
  gtBest = new Float64Array(0);
  /** Priors that tie for it, ascending: `ties[tieStart[g]]` up to `ties[tieStart[g + 1] − 1]`. */
  ties = new Int32Array(256);
  tieStart = new Int32Array(1);
  float32 = true;
  /** What `best` holds where nothing was above it. */
  floor = 0;
  readonly pairs = new PairSimilarities();
  private readonly reach = new Reach();
  private readonly grid = new GridScan();
  private readonly dense = new DenseScan();

  /**
   * Scans. Priors of the mask take no part. `lowest` is the smallest similarity the caller's thresholds ask about;
   * `needsBest` says that every ground truth's best priors matter, however low.
   */
  run(
    priors: PriorColumns,
    groundTruths: BoxArray,
    options: MetricOptions,
    mask: Uint8Array | null,
    lowest: number,
    needsBest: boolean,
  ): void {
    const metric = matchMetric(options);
    this.pairs.prepare(priors, groundTruths, metric);
    this.float32 = this.pairs.float32;
    const floor = overlapFloor(metric);
    const bounded = floor !== null && (floor === 0 || lowest > floor);
    this.scan(priors, groundTruths, mask, bounded ? floor : Number.NEGATIVE_INFINITY);
    if (!bounded || floor === 0 || !needsBest) return;
    const gts = groundTruths.length / 4;
    for (let g = 0; g < gts; g++) {
      if (this.gtBest[g] === Number.NEGATIVE_INFINITY) {
        // its best prior has a similarity of 0 or below, and so may those of others: look at all pairs
        this.scan(priors, groundTruths, mask, Number.NEGATIVE_INFINITY);
        return;
      }
    }
  }

  private scan(priors: PriorColumns, groundTruths: BoxArray, mask: Uint8Array | null, floor: number): void {
    const { count, levels } = priors;
    const gts = groundTruths.length / 4;
    this.resize(count, gts);
    const { best, bestGt, gtBest, tieStart, reach, pairs } = this;
    best.fill(floor, 0, count);
    bestGt.fill(-1, 0, count);
    this.floor = floor;
    // the plain IoU in float32 steps has its own loop on grids
    const shapes = floor === 0 && pairs.plain ? priors.shapes() : null;
    if (shapes === null && this.scanDense(priors, groundTruths, mask)) return;
    let tied = 0;
    tieStart[0] = 0;
    for (let g = 0; g < gts; g++) {
      const first = tied;
      let highest = Number.NEGATIVE_INFINITY;
      if (isNonFinite(groundTruths, 4 * g)) reach.all(0);
      else if (shapes !== null) {
        const { grid } = this;
        grid.run(shapes, groundTruths, g, mask, best as Float32Array, bestGt);
        this.ties = grown(this.ties, tied + grid.tied);
        for (let t = 0; t < grid.tied; t++) this.ties[tied++] = grid.ties[t]!;
        gtBest[g] = grid.highest;
        tieStart[g + 1] = tied;
        continue;
      } else if (levels === null || floor === Number.NEGATIVE_INFINITY) reach.all(count);
      else {
        reach.find(
          levels,
          groundTruths[4 * g]!,
          groundTruths[4 * g + 1]!,
          groundTruths[4 * g + 2]!,
          groundTruths[4 * g + 3]!,
        );
      }
      for (let k = 0; k < reach.length; k += 2) {
        const end = reach.runs[k + 1]!;
        for (let from = reach.runs[k]!; from < end; from += chunk) {
          const to = Math.min(end, from + chunk);
          const values = pairs.run(g, from, to);
          for (let j = from; j < to; j++) {
            const value = values[j - from]!;
            if (!(value > floor) || (mask !== null && mask[j] === 1)) continue;
            if (value > best[j]!) {
              best[j] = value;
              bestGt[j] = g;
            }
            if (value >= highest) {
              if (value > highest) {
                highest = value;
                tied = first;
              }
              if (tied === this.ties.length) this.ties = grown(this.ties, tied + 1);
              this.ties[tied++] = j;
            }
          }
        }
      }
      gtBest[g] = highest;
      tieStart[g + 1] = tied;
    }
  }

  /** Every pair by a SIMD kernel, where there is one. */
  private scanDense(priors: PriorColumns, groundTruths: BoxArray, mask: Uint8Array | null): boolean {
    const { pairs, dense, best, bestGt, gtBest, tieStart, floor } = this;
    const single = pairs.single ? pairs.metric.implementation.single : undefined;
    const kernel = single === undefined ? null : scanKernel(pairs.metric, priors, groundTruths);
    if (kernel === null) return false;
    const boxes = groundTruths as Float32Array;
    const arrays = { best: best as Float32Array, bestGt, gtBest };
    if (!dense.run(kernel, single!.parameters, priors, boxes, mask, floor, arrays)) {
      best.fill(floor, 0, priors.count);
      bestGt.fill(-1, 0, priors.count);
      return false;
    }
    let tied = 0;
    for (let g = 0; g < boxes.length / 4; g++) {
      tieStart[g] = tied;
      const list = dense.ties[g]!;
      this.ties = grown(this.ties, tied + list.length);
      for (const j of list) this.ties[tied++] = j;
    }
    tieStart[boxes.length / 4] = tied;
    return true;
  }

  private resize(count: number, gts: number): void {
    if (this.best.length < count || this.best instanceof Float32Array !== this.float32) {
      this.best = this.float32 ? new Float32Array(count) : new Float64Array(count);
    }
    if (this.bestGt.length < count) this.bestGt = new Int32Array(count);
    if (this.gtBest.length < gts) {
      this.gtBest = new Float64Array(2 * gts);
      this.tieStart = new Int32Array(2 * gts + 1);
    }
  }
}

/** The scan that calls of this thread take turns with. */
export const overlapScan = new OverlapScan();

/** Thresholds are compared in the precision of the similarities, as torch does. */
export function inPrecision(float32: boolean, threshold: number): number {
  return float32 ? Math.fround(threshold) : threshold;
}
