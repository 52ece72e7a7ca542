/** The formula behind a metric, for what builds on it: combinations, gradients, WGSL. */
import { OptionError } from '../errors.ts';
import type { Variant } from './formula/variant.ts';
import { variants } from './generated/variants.ts';
import type { Metric } from './types.ts';

export interface MetricFormula {
  readonly variant: Variant;
  /** Values of the variant's parameters that differ from its defaults. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** Finds the formula of a metric; throws {@link OptionError} for what is none. */
export function formulaOf(metric: Metric): MetricFormula {
  const { variant, parameters } =
    typeof metric === 'object' && metric ? metric : { variant: metric, parameters: {} };
  if (variant && typeof variant === 'object') return { variant, parameters };
  if (!Object.hasOwn(variants, variant)) {
    throw new OptionError(`unknown metric ${String(variant)}; expected ${Object.keys(variants).join(', ')}`, {
      metric: variant,
    });
  }
  return { variant: variants[variant]!, parameters };
}
