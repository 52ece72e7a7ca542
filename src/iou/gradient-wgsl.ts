/**
 * Any metric's similarity and gradient as a WGSL function, from the formula and its derivative that the CPU runs too.
 *
 * Aspect angles are computed there too: boxes that move change theirs at every step.
 */
import { differentiate } from './formula/differentiate.ts';
import { buildGraph, type Graph, reachable } from './formula/graph.ts';
import { aspectAngle, nodeText, reservedWords } from './formula/wgsl.ts';
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
  const { lines, outputs, angles } = statements(graph);
  const [value, ...slopes] = outputs;
  return [
    'struct SimilarityGradient { value: f32, slopes: vec4f }',
    ...(angles ? [aspectAngle] : []),
    'fn similarityGradient(a: vec4f, b: vec4f) -> SimilarityGradient {',
    ...lines,
    `  return SimilarityGradient(${value}, vec4f(${slopes.join(', ')}));`,
    '}',
  ].join('\n');
}

/** A `let` a node that is read more than once; the texts of the results. */
function statements(graph: Graph): { lines: string[]; outputs: string[]; angles: boolean } {
  const order = reachable(graph, graph.outputs);
  const uses = new Map<number, number>();
  for (const id of order) {
    const { operation, inputs } = graph.nodes[id]!;
    inputs.forEach((input, position) => {
      // these operations write an input twice
      const repeats = (operation === 'ratio' && position === 1) || (operation === 'step' && position < 2);
      uses.set(input, (uses.get(input) ?? 0) + (repeats ? 2 : 1));
    });
  }
  const texts = new Map<number, string>();
  const lines: string[] = [];
  const taken = new Set<string>(reservedWords);
  let angles = false;
  for (const id of order) {
    const node = graph.nodes[id]!;
    const inputs = node.inputs.map((input) => texts.get(input)!);
    if (node.operation === 'angle') angles = true;
    const text = nodeText(node, inputs);
    if (node.inputs.length === 0 || node.operation === 'detach' || (uses.get(id) ?? 0) < 2) {
      texts.set(id, text);
      continue;
    }
    const wanted = node.name === '' ? `v${id}` : node.name;
    const variable = taken.has(wanted) ? `${wanted}${id}` : wanted;
    taken.add(variable);
    lines.push(`  let ${variable} = ${text};`);
    texts.set(id, variable);
  }
  return { lines, outputs: graph.outputs.map((id) => texts.get(id)!), angles };
}
