/**
 * Expressions as a hash-consed graph: equal sub-expressions become one node, in an order in which every node comes after
 * its inputs, each marked with the boxes it depends on (what depends on one box only is hoisted out of pair loops).
 */
import {
  add,
  constant,
  type Expression,
  max,
  min,
  mul,
  type Operation,
  power,
  ratio,
  select,
  sub,
} from './expression.ts';

/** Bit set of what a node's value varies with. */
export const dependsOnA = 1;
export const dependsOnB = 2;

export interface GraphNode {
  readonly id: number;
  readonly operation: Operation;
  /** Ids of the inputs, all smaller than `id`. */
  readonly inputs: readonly number[];
  readonly value: number;
  readonly name: string;
  /** {@link dependsOnA} | {@link dependsOnB}. */
  readonly depends: number;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Ids of the results. */
  readonly outputs: readonly number[];
}

/** Merges equal nodes of several expressions into one graph. */
export function buildGraph(expressions: readonly Expression[]): Graph {
  const nodes: GraphNode[] = [];
  const byKey = new Map<string, number>();
  const known = new Map<Expression, number>();

  const intern = (expression: Expression): number => {
    const seen = known.get(expression);
    if (seen !== undefined) return seen;
    const inputs = expression.inputs.map(intern);
    const { operation } = expression;
    const leaf = inputs.length === 0;
    const value = expression.value ?? 0;
    const name = expression.name ?? '';
    if (operation === 'add' || operation === 'mul' || operation === 'min' || operation === 'max') {
      // Commutative: one order, so that x·y and y·x meet (rounding is the same either way). Constants come last.
      const isConstant = inputs.map((id) => nodes[id]!.operation === 'constant');
      const swapped = isConstant[0] === isConstant[1] ? inputs[0]! > inputs[1]! : isConstant[0];
      if (swapped) inputs.reverse();
    }
    const key = `${operation}:${inputs.join()}:${leaf ? (operation === 'constant' ? value : name) : ''}`;
    let id = byKey.get(key);
    if (id === undefined) {
      id = nodes.length;
      let depends = 0;
      if (operation === 'input') depends = name.startsWith('a') ? dependsOnA : dependsOnB;
      for (const input of inputs) depends |= nodes[input]!.depends;
      nodes.push({ id, operation, inputs, value, name, depends });
      byKey.set(key, id);
    } else if (name !== '' && nodes[id]!.name === '') {
      nodes[id] = { ...nodes[id]!, name };
    }
    known.set(expression, id);
    return id;
  };
  const outputs = expressions.map(intern);
  return { nodes, outputs };
}

/** Ids of the nodes an output needs, ascending. */
export function reachable(graph: Graph, roots: readonly number[]): number[] {
  const wanted = new Set<number>();
  const visit = (id: number): void => {
    if (wanted.has(id)) return;
    wanted.add(id);
    for (const input of graph.nodes[id]!.inputs) visit(input);
  };
  for (const root of roots) visit(root);
  return [...wanted].sort((x, y) => x - y);
}

/** The operations that may become simpler over other inputs. */
const rebuild: Partial<Record<Operation, (...inputs: Expression[]) => Expression>> = {
  add,
  sub,
  mul,
  min,
  max,
  ratio,
  select,
  power,
};

/** A node as an expression again, over those of its inputs, simplified where they allow it. */
export function asExpression(node: GraphNode, values: readonly Expression[]): Expression {
  const { operation, name } = node;
  if (operation === 'constant') return constant(node.value);
  const inputs = node.inputs.map((id) => values[id]!);
  if (inputs.length === 0) return { operation, inputs, name };
  const built = rebuild[operation]?.(...inputs) ?? { operation, inputs };
  return name === '' || built.inputs.length === 0 ? built : { ...built, name };
}

/**
 * The formula with a named node replaced, or null where there is no such node: the result so labelled, or with
 * `operation` the parameter or input of that name.
 */
export function substitute(
  formula: Expression,
  name: string,
  replacement: Expression,
  operation?: 'parameter' | 'input',
): Expression | null {
  const graph = buildGraph([formula]);
  const matches = (node: GraphNode): boolean =>
    node.name === name && (operation === undefined ? node.inputs.length > 0 : node.operation === operation);
  if (!graph.nodes.some(matches)) return null;
  const values: Expression[] = [];
  for (const node of graph.nodes) values.push(matches(node) ? replacement : asExpression(node, values));
  return values[graph.outputs[0]!]!;
}

/** Operations worth computing once a box instead of once a pair. */
const dear: ReadonlySet<Operation> = new Set<Operation>(['angle', 'power', 'sqrt', 'exp', 'log', 'ratio']);

/** Nodes of box b alone that are dear and that a pair's computation reads. */
export function termNodes(graph: Graph): number[] {
  const isDear = graph.nodes.map(() => false);
  for (const node of graph.nodes) {
    isDear[node.id] = dear.has(node.operation) || node.inputs.some((input) => isDear[input]!);
  }
  const terms = new Set<number>();
  for (const node of graph.nodes) {
    if (node.depends !== (dependsOnA | dependsOnB)) continue;
    for (const input of node.inputs) {
      if (graph.nodes[input]!.depends === dependsOnB && isDear[input]!) terms.add(input);
    }
  }
  return [...terms].sort((x, y) => x - y);
}
