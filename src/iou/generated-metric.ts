/** Fills the run-time scalars of a generated variant: guards of the preset, parameters of the factory. */
import { OptionError } from '../errors.ts';
import { guardsFor, isLean } from './conventions.ts';
import { defaultGuards, type GuardValues } from './formula/guards.ts';
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
      `unknown metric ${JSON.stringify(name)}; expected ${Object.keys(generatedMetrics).join(', ')} or a metric object`,
      { metric: name },
    );
  }
  const guards = guardsFor(name, conventions);
  return {
    name,
    symmetric: metric.symmetric,
    // Taller heights enlarge the union but not the enclosing box: then penalties can be below 0.
    minIou: (guards.heightEps ?? 0) > 0 ? noBound : metric.minIou,
    double: bindLoops(metric.double, metric.defaults, guards, parameters),
    ...(metric.single !== undefined && isLean({ ...guards, ...guardsIn(parameters) })
      ? { single: bindLoops(metric.single, metric.defaults, guards, parameters) }
      : undefined),
  };
}

/** Those of a metric's parameters that replace a guard. */
function guardsIn(parameters: Readonly<Record<string, number>>): GuardValues {
  return Object.fromEntries(
    Object.entries(parameters).filter(([name]) => Object.hasOwn(defaultGuards, name)),
  );
}

function bindLoops<C extends Column>(
  loops: GeneratedLoops<C>,
  defaults: Readonly<Record<string, number>> | undefined,
  guards: GuardValues,
  parameters: Readonly<Record<string, number>>,
): BoundLoops<C> {
  return {
    parameters: scalars(loops.parameters, defaults, guards, parameters),
    row: loops.row,
    termCount: loops.termCount ?? 0,
    ...(loops.any === undefined ? undefined : { any: loops.any }),
    ...(loops.terms === undefined ? undefined : { terms: loops.terms }),
  };
}

/** Values of the named run-time scalars: the factory's, else the preset's, else the default. */
export function scalars(
  names: string,
  defaults: Readonly<Record<string, number>> | undefined,
  guards: GuardValues,
  parameters: Readonly<Record<string, number>>,
): Float64Array {
  const values: Readonly<Record<string, number>> = {
    ...defaultGuards,
    ...defaults,
    ...guards,
    ...parameters,
  };
  return Float64Array.from(names === '' ? [] : names.split(' '), (name) => values[name]!);
}
