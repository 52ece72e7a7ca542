/**
 * A metric as plain data, for a worker: functions cannot be posted, what a formula built can.
 */
import type { Expression } from './formula/expression.ts';
import { neverAboveIou, noBound } from './formula/variant.ts';
import { formulaMetric, instantiate } from './formula-metric.ts';
import { generatedImplementation } from './generated-metric.ts';
import type { Metric, MetricConventions, MetricName, MetricObject } from './types.ts';

/** What structured cloning carries of a metric. */
export type MetricData =
  | MetricName
  /** A generated variant with parameters of its own. */
  | { readonly variant: string; readonly parameters: Readonly<Record<string, number>> }
  /** A combination or a caller's own metric, under the conventions it was packed for. */
  | {
      readonly name: string;
      readonly symmetric: boolean;
      readonly expression: Expression;
      readonly belowIou: boolean;
    };

/** The metric as data; `conventions` are those it will be used under. What is no metric stays as it is. */
export function packMetric(metric: Metric, conventions: MetricConventions): MetricData {
  if (typeof metric !== 'object' || metric === null) return metric;
  const { variant, parameters } = metric;
  if (typeof variant !== 'object' || variant === null) return { variant, parameters };
  const { name, symmetric, minIou } = variant;
  const expression = instantiate(variant, parameters, conventions);
  // a bound of the caller's own cannot travel; without one nothing is pruned, and the same boxes are kept
  return { name, symmetric, expression, belowIou: minIou === neverAboveIou };
}

/** The metric again. */
export function unpackMetric(data: MetricData): Metric {
  if (typeof data !== 'object' || data === null) return data;
  if ('expression' in data) {
    const { name, symmetric, expression, belowIou } = data;
    return formulaMetric({
      name,
      symmetric,
      formula: () => expression,
      minIou: belowIou ? neverAboveIou : noBound,
    });
  }
  const { variant, parameters } = data;
  return {
    name: variant,
    variant,
    parameters,
    implement: (conventions) => generatedImplementation(variant, conventions, parameters),
  } satisfies MetricObject;
}
