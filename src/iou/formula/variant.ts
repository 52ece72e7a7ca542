/** What a variant file exports. */
import type { Expression } from './expression.ts';
import type { Terms } from './terms.ts';

/** A bound on the plain IoU of pairs whose similarity exceeds a threshold, or null where there is none. */
export type IouBound = (threshold: number) => number | null;

/** The plain IoU itself. */
export function iouItself(threshold: number): number {
  return threshold;
}

/**
 * For similarities that never exceed the plain IoU: above t means IoU above t. In float32 a penalty of 0 may come out a
 * few units in the last place below it, so t is lowered by as much.
 */
export function neverAboveIou(threshold: number): number {
  return threshold - 5e-7;
}

/** For similarities that may be high between boxes that hardly overlap. */
export function noBound(): null {
  return null;
}

/** What a variant is and where it comes from: for readers, documents and the generator, in no bundle. */
export interface VariantSource {
  /** What it is, in a line. */
  readonly title: string;
  /** Its paper, or the function it follows. */
  readonly paper: string;
  /** Also computed in float32 steps (bit for bit what a SIMD kernel computes); else float32 boxes go through float64. */
  readonly float32?: boolean;
  /** It has no meaning without parameters of the caller's, so it has a factory and no name. */
  readonly needsParameters?: boolean;
}

/** An IoU variant: one formula and what is known about it. */
export interface Variant {
  /** Name of the metric in the public API. */
  readonly name: string;
  /** Whether swapping the boxes leaves it as it is. */
  readonly symmetric: boolean;
  /** Name of the variant whose library rules it follows. Default: its own. */
  readonly guardsOf?: string;
  /** Run-time scalars the formula reads by `parameter(name)`, with their defaults. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** Similarity of box a (prediction, row) and box b (target, column). */
  readonly formula: (terms: Terms) => Expression;
  /** Plain IoU that a similarity above the threshold implies; suppression prunes by it and by nothing else. */
  readonly minIou: IouBound;
}
