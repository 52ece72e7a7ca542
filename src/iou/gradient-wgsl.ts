/**
 * Any metric's similarity and gradient as a WGSL function, from the formula and its derivative that the CPU runs too.
 *
 * Aspect angles are computed there too: boxes that move change theirs at every step.
 */
import { differentiate } from './formula/differentiate.ts';
import { buildGraph } from './formula/graph.ts';
import { aspectAngle, writeStatements } from './formula/wgsl.ts';
import { instantiate } from './formula-metric.ts';
import { formulaOf } from './formula-of.ts';
import type { Metric, MetricConventions } from './types.ts';

/**
 * `struct SimilarityGradient { value: f32, slopes: vec4f }` and
 * `fn similarityGradient(a: vec4f, b: vec4f) -> SimilarityGradient`: the similarity of corners `x1,y1,x2,y2` and its
 * derivative by those of a. Run-time scalars are written in as the conventions (by default a loss's) have them.
 */
export function gradientWgsl(metric: Metric, conventions: MetricConventions = {}): string {
  const { variant, parameters } = formulaOf(metric);
  const formula = instantiate(variant, parameters, { usage: 'loss', ...conventions });
  const graph = buildGraph([formula, ...differentiate(formula, ['ax1', 'ay1', 'ax2', 'ay2'])]);
  const { lines, texts, computesAngles } = writeStatements(graph);
  const [value, ...slopes] = graph.outputs.map((id) => texts.get(id)!);
  return [
    'struct SimilarityGradient { value: f32, slopes: vec4f }',
    ...(computesAngles ? [aspectAngle] : []),
    'fn similarityGradient(a: vec4f, b: vec4f) -> SimilarityGradient {',
    ...lines,
    `  return SimilarityGradient(${value}, vec4f(${slopes.join(', ')}));`,
    '}',
  ].join('\n');
}
