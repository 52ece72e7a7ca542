export { type ResolvedMetric, type ResolveOptions, resolveMetric } from './resolve.ts';
export type { Metric, MetricConventions, MetricName, MetricObject } from './types.ts';
