export { type AlignedOptions, alignedIou } from './aligned.ts';
export { type BestMatch, type BestMatchOptions, type BestMatchOut, bestMatch } from './best-match.ts';
export type { Batch, IouOptions } from './comparison.ts';
export { type CountAboveOptions, countAbove } from './count-above.ts';
export {
  alphaIou,
  completeIou,
  defineMetric,
  distanceIou,
  focalerIou,
  innerIou,
  mpdiou,
  nwd,
  piou2,
  shapeIou,
} from './factories.ts';
export type { Expression } from './formula/expression.ts';
export * as formula from './formula/expression.ts';
export type { Terms } from './formula/terms.ts';
export { type PairwiseOptions, pairwiseIou } from './pairwise.ts';
export { type ResolvedMetric, type ResolveOptions, resolveMetric } from './resolve.ts';
export { type AngleOptions, type RotatedOptions, rotatedIou } from './rotated.ts';
export type { RotatedSimilarity } from './rotated-gaussian.ts';
export type { Metric, MetricConventions, MetricName, MetricObject } from './types.ts';
