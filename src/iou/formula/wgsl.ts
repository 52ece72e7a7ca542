/**
 * A formula as a WGSL function. Only text is made, so metrics given at run time work like the named ones.
 *
 * WGSL's atan is too loose, so aspect angles are computed on the CPU and passed in; every division is guarded, so no NaN
 * is made from finite boxes. A run-time scalar is a field of the parameter struct.
 */
import type { Expression } from './expression.ts';
import { buildGraph, dependsOnA, dependsOnB, type Graph, type GraphNode, reachable } from './graph.ts';

export interface WgslFunction {
  /**
   * `fn <name>(a: vec4f, b: vec4f, aTerms: vec2f, bTerms: vec2f[, p: <structName>]) -> f32`; corners `x1,y1,x2,y2` with
   * the pixel offset added, `aTerms.x` … the terms of {@link aTerms}, unused components anything.
   */
  readonly source: string;
  /** Run-time scalars in the order of the struct's fields. */
  readonly parameters: readonly string[];
  /** Nodes of box a alone that the CPU computes, and of box b; at most two each. */
  readonly aTerms: readonly number[];
  readonly bTerms: readonly number[];
  /** The graph those ids belong to. */
  readonly graph: Graph;
}

/**
 * atan(width / height) for boxes that the CPU never sees, in place of WGSL's own, which may be off by 4096 units. Cephes'
 * single-precision polynomial after reduction to 0 … tan(π/8): within 2e-7.
 */
export const aspectAngle = `fn aspectAngle(width: f32, height: f32) -> f32 {
  let large = max(abs(width), abs(height));
  let t = min(abs(width), abs(height)) / select(large, 1.0, large == 0.0);
  let reduced = select(t, (t - 1.0) / (t + 1.0), t > 0.41421357);
  let z = reduced * reduced;
  let series = (((0.0805374449538 * z - 0.138776856032) * z + 0.199777106478) * z - 0.333329491539) * z * reduced;
  let angle = select(0.0, 0.78539819, t > 0.41421357) + (series + reduced);
  let turned = select(angle, 1.57079637 - angle, abs(width) > abs(height));
  return select(turned, -turned, (width < 0.0) != (height < 0.0));
}
`;

/**
 * Writes a formula as a WGSL function. Angles of one box come as terms, two a box; with `angles` `'computed'`, and where
 * they are more or of both boxes, the function computes them.
 */
export function emitWgsl(
  name: string,
  formula: Expression,
  structName = 'MetricParameters',
  angles: 'given' | 'computed' = 'given',
): WgslFunction {
  const graph = buildGraph([formula]);
  const termsOf = (box: number): number[] =>
    graph.nodes
      .filter((node) => node.operation === 'angle' && node.depends === box)
      .map((node) => node.id)
      .slice(0, angles === 'given' ? 2 : 0);
  const aTerms = termsOf(dependsOnA);
  const bTerms = termsOf(dependsOnB);
  const given = new Map<number, string>();
  aTerms.forEach((id, k) => {
    given.set(id, `aTerms.${'xy'[k]}`);
  });
  bTerms.forEach((id, k) => {
    given.set(id, `bTerms.${'xy'[k]}`);
  });
  const { lines, texts, order, computesAngles } = writeStatements(graph, given);
  const parameters = order
    .filter((id) => graph.nodes[id]!.operation === 'parameter')
    .map((id) => graph.nodes[id]!.name);
  const struct = parameters.length === 0 ? '' : `, p: ${structName}`;
  const source = [
    ...(computesAngles ? [aspectAngle] : []),
    `fn ${name}(a: vec4f, b: vec4f, aTerms: vec2f, bTerms: vec2f${struct}) -> f32 {`,
    ...lines,
    `  return ${texts.get(graph.outputs[0]!)};`,
    '}',
  ].join('\n');
  return { source, parameters, aTerms, bTerms, graph };
}

export interface Statements {
  /** A `let` a node that is read more than once. */
  readonly lines: readonly string[];
  /** What stands for each node: a variable, or the operation itself. */
  readonly texts: ReadonlyMap<number, string>;
  /** The nodes that are read. */
  readonly order: readonly number[];
  /** Whether {@link aspectAngle} is called. */
  readonly computesAngles: boolean;
}

/** The body of a function that computes a graph's outputs; nodes `given` have their text. */
export function writeStatements(graph: Graph, given: ReadonlyMap<number, string> = new Map()): Statements {
  const nodes = graph.nodes.map((node) => (given.has(node.id) ? { ...node, inputs: [] } : node));
  const order = reachable({ ...graph, nodes }, graph.outputs);
  const uses = new Map<number, number>();
  for (const id of order) {
    const { operation, inputs } = nodes[id]!;
    inputs.forEach((input, position) => {
      // these operations write an input twice
      const repeats = (operation === 'ratio' && position === 1) || (operation === 'step' && position < 2);
      uses.set(input, (uses.get(input) ?? 0) + (repeats ? 2 : 1));
    });
  }
  const texts = new Map(given);
  const lines: string[] = [];
  const taken = new Set(['aTerms', 'bTerms', 'aspectAngle']);
  let computesAngles = false;
  for (const id of order) {
    if (given.has(id)) continue;
    const node = nodes[id]!;
    const text = nodeText(
      node,
      node.inputs.map((input) => texts.get(input)!),
    );
    if (node.operation === 'angle') computesAngles = true;
    if (node.inputs.length === 0 || node.operation === 'detach' || (uses.get(id) ?? 0) < 2) {
      texts.set(id, text);
      continue;
    }
    const variable = variableName(node, taken);
    taken.add(variable);
    lines.push(`  let ${variable} = ${text};`);
    texts.set(id, variable);
  }
  return { lines, texts, order, computesAngles };
}

/**
 * The label of a node where WGSL leaves it free, else with the node's number. WGSL keeps many words for itself, none of
 * which has a capital inside.
 */
function variableName({ id, name }: GraphNode, taken: ReadonlySet<string>): string {
  const word = name.replace(/^[^a-z]+|\W/gi, '');
  const free = word === 'iou' || word === 'intersection' || /^[a-z]+[A-Z]/.test(word);
  return free && !taken.has(word) ? word : `${word || 'v'}${id}`;
}

const corner: Readonly<Record<string, string>> = { x1: 'x', y1: 'y', x2: 'z', y2: 'w' };

/** An operation over the texts of its inputs. */
function nodeText(node: GraphNode, inputs: readonly string[]): string {
  const [x, y, z, w] = inputs as [string, string, string, string];
  switch (node.operation) {
    case 'input':
      return `${node.name[0]}.${corner[node.name.slice(1)]}`;
    case 'parameter':
      return `p.${node.name}`;
    case 'constant':
      return numberText(node.value);
    case 'add':
      return `(${x} + ${y})`;
    case 'sub':
      return `(${x} - ${y})`;
    case 'mul':
      return `(${x} * ${y})`;
    case 'min':
    case 'max':
      return `${node.operation}(${x}, ${y})`;
    case 'abs':
    case 'sqrt':
    case 'exp':
    case 'log':
      return `${node.operation}(${x})`;
    case 'ratio':
      // The divisor is replaced before dividing, so that the branch not taken divides by 1.
      return `select(${x} / select(${y}, 1.0, ${y} == 0.0), ${z}, ${y} == 0.0)`;
    case 'select':
      return `select(${w}, ${z}, ${x} > ${y})`;
    case 'step':
      return `select(select(0.5, 0.0, ${x} < ${y}), 1.0, ${x} > ${y})`;
    case 'power':
      return `select(select(1.0, 0.0, ${y} > 0.0), exp(${y} * log(max(${x}, 1e-30))), ${x} > 0.0)`;
    case 'angle':
      return `aspectAngle(${x}, ${y})`;
    case 'detach':
      return x;
    default:
      throw new Error(`no WGSL for ${node.operation}`);
  }
}

function numberText(value: number): string {
  const text = String(Math.fround(value));
  const written = /[.e]/.test(text) ? text : `${text}.0`;
  return value < 0 ? `(${written})` : written;
}
