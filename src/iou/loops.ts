/** Shapes of the generated loops, and of what stands in for them (evaluator, SIMD kernels). */
import type { IouBound } from './formula/variant.ts';

/** A column of coordinates or per-box terms. */
export type Column = Float32Array | Float64Array;

/** Similarities of one box with columns [from, to), into `out[at …]`. `p` holds the run-time scalars. */
export type RowLoop<C extends Column = Column> = (
  ax1: number,
  ay1: number,
  ax2: number,
  ay2: number,
  x1s: C,
  y1s: C,
  x2s: C,
  y2s: C,
  terms: readonly C[],
  from: number,
  to: number,
  p: Float64Array,
  out: Column,
  at: number,
) => void;

/** Whether any of columns [from, to) compares true with the threshold. */
export type AnyLoop<C extends Column = Column> = (
  ax1: number,
  ay1: number,
  ax2: number,
  ay2: number,
  x1s: C,
  y1s: C,
  x2s: C,
  y2s: C,
  terms: readonly C[],
  from: number,
  to: number,
  p: Float64Array,
  threshold: number,
  inclusive: boolean,
) => boolean;

/** Fills the columns of what depends on one box alone. */
export type TermsLoop<C extends Column = Column> = (
  x1s: C,
  y1s: C,
  x2s: C,
  y2s: C,
  terms: readonly C[],
  from: number,
  to: number,
  p: Float64Array,
) => void;

/** A metric's loops in one precision. */
export interface GeneratedLoops<C extends Column> {
  /** The run-time scalars in the order of `p`, separated by spaces. */
  readonly parameters: string;
  readonly row: RowLoop<C>;
  readonly any?: AnyLoop<C>;
  readonly termCount?: number;
  readonly terms?: TermsLoop<C>;
}

/** A generated variant. `single` has no guards but the lean ones, see formula/guards.ts. */
export interface GeneratedMetric {
  readonly symmetric: boolean;
  readonly minIou: IouBound;
  /** Defaults of the variant's own parameters; guards have theirs in formula/guards.ts. */
  readonly defaults?: Readonly<Record<string, number>>;
  readonly double: GeneratedLoops<Column>;
  readonly single?: GeneratedLoops<Float32Array>;
}

/** Values and gradients of aligned, row-major pairs. */
export type GradientLoop = (
  a: Column,
  b: Column,
  count: number,
  p: Float64Array,
  values: Column,
  gradientA: Column,
  gradientB: Column | null,
) => void;

export interface GeneratedGradient {
  /** The run-time scalars in the order of `p`, separated by spaces. */
  readonly parameters: string;
  readonly defaults?: Readonly<Record<string, number>>;
  readonly gradient: GradientLoop;
}
