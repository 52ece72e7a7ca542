/**
 * From a metric as the caller names it to loops that compute it: the seam between boxes and everything that compares
 * them (matrices, suppression, matching, tracking).
 *
 * Columns are the corners of boxes, one array a coordinate, in `x1,y1,x2,y2` with `pixelOffset` already added to x2 and y2.
 * Float32Array columns are compared in float32 steps by the plain IoU, so values equal torchvision's float32 ones; all
 * else is computed in float64. (Matrices also have float32 loops for iof, ios, giou, diou and ciou, see comparison.ts.)
 */
import type { Preset } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { pixelOffsetOf } from './conventions.ts';
import { generatedImplementation } from './generated-metric.ts';
import type { BoundLoops, MetricImplementation } from './implementation.ts';
import type { Column } from './loops.ts';
import type { Metric, MetricConventions } from './types.ts';

export interface ResolveOptions extends MetricConventions {
  readonly preset?: Preset;
  /** 1 counts a box's last pixel (legacy inclusive coordinates). Default 0. */
  readonly pixelOffset?: 0 | 1;
}

export interface ResolvedMetric {
  readonly name: string;
  /** Whether swapping the boxes leaves the similarity as it is. */
  readonly symmetric: boolean;
  /** To be added to x2 and y2 when boxes are put into columns. */
  readonly pixelOffset: 0 | 1;
  /** Plain IoU that a similarity above the threshold implies, or null. Prune by it and by nothing else. */
  minIou(threshold: number): number | null;
  /**
   * Whether a column box has a similarity to box b strictly above the threshold (or equal, when `inclusive`): b is the
   * metric's first box, the column box its second. `terms` are columns made by {@link createTerms} and filled by
   * {@link fillTerms}; without them they are computed anew for the whole run, which is slow for metrics that have any.
   */
  anyAbove(
    x1s: Column,
    y1s: Column,
    x2s: Column,
    y2s: Column,
    from: number,
    to: number,
    bx1: number,
    by1: number,
    bx2: number,
    by2: number,
    threshold: number,
    inclusive: boolean,
    terms?: readonly Column[],
  ): boolean;
  /** Similarities of box a with columns [from, to), into `out[at …]`. */
  row(
    ax1: number,
    ay1: number,
    ax2: number,
    ay2: number,
    x1s: Column,
    y1s: Column,
    x2s: Column,
    y2s: Column,
    from: number,
    to: number,
    out: Column,
    at: number,
    terms?: readonly Column[],
  ): void;
  /** How many columns of per-box terms (aspect angles …) the metric reads: 0 for most. */
  readonly termCount: number;
  /** Columns for the terms of `capacity` boxes, of the coordinates' type. */
  createTerms(like: Column, capacity: number): Column[];
  /** Computes the terms of boxes [from, to). */
  fillTerms(
    x1s: Column,
    y1s: Column,
    x2s: Column,
    y2s: Column,
    from: number,
    to: number,
    terms: readonly Column[],
  ): void;
  /** Similarity of two boxes in float64. */
  pair(
    ax1: number,
    ay1: number,
    ax2: number,
    ay2: number,
    bx1: number,
    by1: number,
    bx2: number,
    by2: number,
  ): number;
  /** The loops themselves. */
  readonly implementation: MetricImplementation;
}

/** Finds the loops of a metric under a library's conventions. Throws {@link OptionError} for an unknown metric. */
export function resolveMetric(metric: Metric | undefined, options: ResolveOptions = {}): ResolvedMetric {
  const implementation = implementMetric(metric, options);
  return loopsOf(implementation, pixelOffsetOf(options));
}

/** The conveniences of {@link ResolvedMetric} around an implementation. */
export function loopsOf(implementation: MetricImplementation, pixelOffset: 0 | 1): ResolvedMetric {
  return new MetricLoops(implementation, pixelOffset);
}

/** The metric's implementation without the conveniences of {@link ResolvedMetric}. */
function implementMetric(
  metric: Metric | undefined = 'iou',
  conventions: MetricConventions = {},
): MetricImplementation {
  if (typeof metric === 'string') return generatedImplementation(metric, conventions);
  if (typeof metric?.implement !== 'function') {
    throw new OptionError(
      'expected metric to be a name or what a factory made (Wise-IoU and focal weights are losses)',
      { metric: String(metric) },
    );
  }
  return metric.implement(conventions);
}

/** Similarities are scanned in runs of this many where a metric has no fused loop. */
const runLength = 64;

class MetricLoops implements ResolvedMetric {
  readonly name: string;
  readonly symmetric: boolean;
  readonly termCount: number;
  private readonly scratch = new Float64Array(runLength);
  private spareTerms: Column[] = [];

  constructor(
    readonly implementation: MetricImplementation,
    readonly pixelOffset: 0 | 1,
  ) {
    this.name = implementation.name;
    this.symmetric = implementation.symmetric;
    this.termCount = implementation.double.termCount;
  }

  minIou(threshold: number): number | null {
    return this.implementation.minIou(threshold);
  }

  /** The loops for columns like this one; all columns of a call are of one type. */
  private loopsFor(column: Column): BoundLoops<Column> {
    const { single, double } = this.implementation;
    return single !== undefined && column instanceof Float32Array ? (single as BoundLoops<Column>) : double;
  }

  createTerms(like: Column, capacity: number): Column[] {
    const Columns = like instanceof Float32Array ? Float32Array : Float64Array;
    return Array.from({ length: this.termCount }, () => new Columns(capacity));
  }

  fillTerms(
    x1s: Column,
    y1s: Column,
    x2s: Column,
    y2s: Column,
    from: number,
    to: number,
    terms: readonly Column[],
  ): void {
    const loops = this.loopsFor(x1s);
    loops.terms?.(x1s, y1s, x2s, y2s, terms, from, to, loops.parameters);
  }

  row(
    ax1: number,
    ay1: number,
    ax2: number,
    ay2: number,
    x1s: Column,
    y1s: Column,
    x2s: Column,
    y2s: Column,
    from: number,
    to: number,
    out: Column,
    at: number,
    terms = this.termsOf(x1s, y1s, x2s, y2s, from, to),
  ): void {
    const loops = this.loopsFor(x1s);
    loops.row(ax1, ay1, ax2, ay2, x1s, y1s, x2s, y2s, terms, from, to, loops.parameters, out, at);
  }

  anyAbove(
    x1s: Column,
    y1s: Column,
    x2s: Column,
    y2s: Column,
    from: number,
    to: number,
    bx1: number,
    by1: number,
    bx2: number,
    by2: number,
    threshold: number,
    inclusive: boolean,
    terms = this.termsOf(x1s, y1s, x2s, y2s, from, to),
  ): boolean {
    const { any, row, parameters } = this.loopsFor(x1s);
    if (any !== undefined) {
      return any(bx1, by1, bx2, by2, x1s, y1s, x2s, y2s, terms, from, to, parameters, threshold, inclusive);
    }
    const { scratch } = this;
    // Suppression mostly ends within the first few boxes, so runs start short and grow.
    for (
      let start = from, length = 8;
      start < to;
      start += length, length = Math.min(2 * length, runLength)
    ) {
      const end = Math.min(start + length, to);
      row(bx1, by1, bx2, by2, x1s, y1s, x2s, y2s, terms, start, end, parameters, scratch, 0);
      for (let i = 0; i < end - start; i++) {
        const similarity = scratch[i]!;
        if (similarity > threshold || (inclusive && similarity === threshold)) return true;
      }
    }
    return false;
  }

  pair(
    ax1: number,
    ay1: number,
    ax2: number,
    ay2: number,
    bx1: number,
    by1: number,
    bx2: number,
    by2: number,
  ): number {
    const [x1s, y1s, x2s, y2s] = [bx1, by1, bx2, by2].map((value) => Float64Array.of(value)) as [
      Column,
      Column,
      Column,
      Column,
    ];
    this.row(ax1, ay1, ax2, ay2, x1s, y1s, x2s, y2s, 0, 1, this.scratch, 0);
    return this.scratch[0]!;
  }

  /** Terms computed on the spot, for callers that keep none. */
  private termsOf(
    x1s: Column,
    y1s: Column,
    x2s: Column,
    y2s: Column,
    from: number,
    to: number,
  ): readonly Column[] {
    if (this.termCount === 0) return this.spareTerms;
    const spare = this.spareTerms[0];
    if (spare === undefined || spare.length < to || spare.constructor !== x1s.constructor) {
      this.spareTerms = this.createTerms(x1s, Math.max(2 * to, runLength));
    }
    this.fillTerms(x1s, y1s, x2s, y2s, from, to, this.spareTerms);
    return this.spareTerms;
  }
}
