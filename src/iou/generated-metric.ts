/** Fills the run-time scalars of a generated variant: guards of the preset, parameters of the factory. */
import { OptionError } from '../errors.ts';
import { guardsFor, isLean } from './conventions.ts';
import { defaultGuards } from './formula/guards.ts';
import { noBound } from './formula/variant.ts';
import { generatedMetrics } from './generated/registry.ts';
import type { BoundLoops, MetricImplementation } from './implementation.ts';
import type { Column, GeneratedLoops, GeneratedMetric } from './loops.ts';
import type { MetricConventions } from './types.ts';

/** The loops of a variant under conventions, with some of its own parameters changed. */
export function generatedImplementation(
  name: string,
  conventions: MetricConventions,
  parameters: Readonly<Record<string, number>> = {},
): MetricImplementation {
  const metric: GeneratedMetric | undefined = Object.hasOwn(generatedMetrics, name)
    ? generatedMetrics[name as keyof typeof generatedMetrics]
    : undefined;
  if (metric === undefined) {
    throw new OptionError(
      `expected metric to be one of ${Object.keys(generatedMetrics).join(', ')}, got '${name}'`,
      { metric: name },
    );
  }
  const guards = guardsFor(name, conventions);
  const chosen = { ...guards, ...parameters };
  const values = { ...defaultGuards, ...metric.defaults, ...chosen };
  const implementation: MetricImplementation = {
    name,
    symmetric: metric.symmetric,
    // Taller heights enlarge the union but not the enclosing box: then penalties can be below 0.
    minIou: values.heightEps > 0 ? noBound : metric.minIou,
    double: bindLoops(metric.double, values),
  };
  if (!isLean(chosen)) return implementation;
  return {
    ...implementation,
    lean: values,
    ...(metric.single === undefined ? undefined : { single: bindLoops(metric.single, values) }),
  };
}

/** Gives generated loops the values of their run-time scalars. */
export function bindLoops<C extends Column>(
  { parameters, ...loops }: GeneratedLoops<C>,
  values: Readonly<Record<string, number>>,
): BoundLoops<C> {
  return { termCount: 0, ...loops, parameters: scalars(parameters, values) };
}

/** Values of run-time scalars named in a list, in its order. Throws {@link OptionError} for one that has none. */
export function scalars(names: string, values: Readonly<Record<string, number>>): Float64Array {
  return Float64Array.from(names === '' ? [] : names.split(' '), (name) => given(name, values[name]!));
}

/** NaN is the default of a parameter that only the caller can know. */
export function given(name: string, value: number): number {
  if (!Number.isNaN(value)) return value;
  throw new OptionError(`metric needs ${name}: use mpdiou({ width, height })`, { parameter: name });
}
