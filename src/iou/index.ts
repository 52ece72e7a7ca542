export { type AlignedOptions, alignedIou } from './aligned.ts';
export { type BestMatch, type BestMatchOptions, type BestMatchOut, bestMatch } from './best-match.ts';
export type { Batch, IouOptions } from './comparison.ts';
export { type CountAboveOptions, countAbove } from './count-above.ts';
export { type PairwiseOptions, pairwiseIou } from './pairwise.ts';
export { type ResolvedMetric, type ResolveOptions, resolveMetric } from './resolve.ts';
export type { Metric, MetricConventions, MetricName, MetricObject } from './types.ts';
