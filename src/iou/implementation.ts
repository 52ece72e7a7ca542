/**
 * How a metric is computed: its loops with their run-time scalars filled in. Generated variants, combinations run by the
 * evaluator and SIMD kernels all take this shape.
 */
import type { IouBound } from './formula/variant.ts';
import type { AnyLoop, Column, RowLoop, TermsLoop } from './loops.ts';

/** Loops of one precision, with the values of their scalars. */
export interface BoundLoops<C extends Column> {
  readonly parameters: Float64Array;
  readonly row: RowLoop<C>;
  readonly any?: AnyLoop<C>;
  readonly termCount: number;
  readonly terms?: TermsLoop<C>;
}

export interface MetricImplementation {
  readonly name: string;
  /** Whether swapping the boxes leaves the similarity as it is. */
  readonly symmetric: boolean;
  readonly minIou: IouBound;
  /** Loops in float64, for columns of either type. */
  readonly double: BoundLoops<Column>;
  /** Values of every run-time scalar, where no guard but the lean ones binds (see formula/guards.ts). */
  readonly lean?: Readonly<Record<string, number>>;
  /** Loops in float32 steps, where they are within 1e-6 of float64 and SIMD kernels exist. */
  readonly single?: BoundLoops<Float32Array>;
}
