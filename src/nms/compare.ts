/**
 * The comparison greedy suppression asks for: is any kept box too similar to this one?
 *
 * Kept boxes lie in columns, and one call covers a run of them, so that the metric's arithmetic is inside the loop. The
 * loops are the metric's own (`src/iou`): float32 boxes with a plain IoU round at each step as torchvision's C++ does.
 */
import type { BoxArray, Preset } from '../boxes/types.ts';
import type { BoundLoops } from '../iou/implementation.ts';
import { type ResolvedMetric, resolveMetric } from '../iou/resolve.ts';
import type { Metric } from '../iou/types.ts';

/** Kept boxes, one array a coordinate, and the metric's per-box terms. */
export interface KeptColumns {
  readonly x1: BoxArray;
  readonly y1: BoxArray;
  readonly x2: BoxArray;
  readonly y2: BoxArray;
  readonly terms: readonly BoxArray[];
}

/** How one call compares. */
export interface Comparison {
  /** No two boxes with a plain IoU below this pass; 0: no bound, every pair is compared. */
  readonly minIou: number;
  /** Whether the bound also holds for boxes inside out, which intersect nothing. */
  readonly boundsInverted: boolean;
  /** Room for `capacity` kept boxes; earlier columns are copied in. */
  columns(capacity: number, earlier?: KeptColumns): KeptColumns;
  /** Puts a box into a slot. */
  put(kept: KeptColumns, slot: number, x1: number, y1: number, x2: number, y2: number): void;
  /** Whether a kept box in `from..to` has a similarity above (inclusive: at or above) the threshold. */
  anyAbove(
    kept: KeptColumns,
    from: number,
    to: number,
    x1: number,
    y1: number,
    x2: number,
    y2: number,
  ): boolean;
}

export interface ComparisonOptions {
  readonly metric?: Metric | undefined;
  readonly preset?: Preset | undefined;
  readonly threshold: number;
  readonly inclusive: boolean;
}

let plainIou: ResolvedMetric | undefined;

/** The comparison of a metric in the precision of the boxes. Throws {@link OptionError} for an unknown metric. */
export function createComparison(boxes: BoxArray, options: ComparisonOptions): Comparison {
  const { metric = 'iou', preset, threshold, inclusive } = options;
  // No library's greedy NMS adds an eps to the plain IoU, whatever its matrix functions do.
  const resolved =
    metric === 'iou' ? (plainIou ??= resolveMetric(metric)) : resolveMetric(metric, preset && { preset });
  // Metrics without float32 loops compute in float64: their columns, per-box terms above all, keep that precision.
  const { single, double } = resolved.implementation;
  const float32 = boxes instanceof Float32Array && single !== undefined;
  const { any, parameters } = (float32 ? single : double) as BoundLoops<BoxArray>;
  const Columns = float32 ? Float32Array : Float64Array;
  const like = new Columns(0);
  return {
    minIou: Math.max(0, resolved.minIou(threshold) ?? 0),
    boundsInverted: metric === 'iou',
    columns(capacity, earlier) {
      const column = (values?: BoxArray): BoxArray => {
        const longer = new Columns(capacity);
        if (values !== undefined) longer.set(values);
        return longer;
      };
      const terms = resolved.createTerms(like, capacity);
      for (let t = 0; earlier !== undefined && t < terms.length; t++) terms[t]!.set(earlier.terms[t]!);
      return {
        x1: column(earlier?.x1),
        y1: column(earlier?.y1),
        x2: column(earlier?.x2),
        y2: column(earlier?.y2),
        terms,
      };
    },
    put(kept, slot, x1, y1, x2, y2) {
      kept.x1[slot] = x1;
      kept.y1[slot] = y1;
      kept.x2[slot] = x2;
      kept.y2[slot] = y2;
      if (kept.terms.length > 0) {
        resolved.fillTerms(kept.x1, kept.y1, kept.x2, kept.y2, slot, slot + 1, kept.terms);
      }
    },
    // the fused loop itself where there is one: in small tiles the calls around it would cost as much
    anyAbove: (k, from, to, x1, y1, x2, y2) =>
      any === undefined
        ? resolved.anyAbove(k.x1, k.y1, k.x2, k.y2, from, to, x1, y1, x2, y2, threshold, inclusive, k.terms)
        : any(x1, y1, x2, y2, k.x1, k.y1, k.x2, k.y2, k.terms, from, to, parameters, threshold, inclusive),
  };
}
