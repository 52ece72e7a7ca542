/** What a metric is, to a caller: the name of a variant, or what a factory returned. */
import type { Preset } from '../boxes/types.ts';
import type { Variant } from './formula/variant.ts';
import type { GeneratedName } from './generated/registry.ts';
import type { MetricImplementation } from './implementation.ts';

/** Variants that need no parameter. Those with a needed parameter (an image size, a constant) come from factories. */
export type MetricName = GeneratedName;

/** A variant with its own parameters, a combination of metrics, or a caller's own; made by the factories. */
export interface MetricObject {
  /** For messages and `explain()`. */
  readonly name: string;
  /** Its formula, or the name of the generated variant. */
  readonly variant: Variant | string;
  /** Values of the variant's parameters that differ from the defaults. */
  readonly parameters: Readonly<Record<string, number>>;
  /** How it is computed under a library's conventions. */
  readonly implement: (conventions: MetricConventions) => MetricImplementation;
}

/** How boxes are compared wherever boxops compares boxes. */
export type Metric = MetricName | MetricObject;

/** What an implementation depends on besides the metric. */
export interface MetricConventions {
  /** Library whose eps, floors and gates are followed. Default: torchvision's matrix functions. */
  readonly preset?: Preset;
  /** Whether the library's matrix functions or its losses are meant, which differ in their eps. Default `'matrix'`. */
  readonly usage?: 'matrix' | 'loss';
  /** Replaces the preset's eps. */
  readonly eps?: number;
}
