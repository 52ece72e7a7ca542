/**
 * Reverse-mode differentiation of a formula, as more formula: the derivative is again an expression, so the same
 * emitters and the same evaluator serve it.
 *
 * Kinks follow torch: ½ to each side where min/max tie, all of it to the other side where it ties with a constant or a
 * parameter (torch's clamp), 0 for |x| and √x at 0. `detach` and comparisons pass nothing.
 */
import {
  add,
  constant,
  type Expression,
  mul,
  negate,
  ratio,
  select,
  square,
  step,
  sub,
} from './expression.ts';
import { asExpression, buildGraph, type GraphNode } from './graph.ts';

/** Derivatives of `value` with respect to the named inputs, in their order. */
export function differentiate(value: Expression, inputNames: readonly string[]): Expression[] {
  const graph = buildGraph([value]);
  const { nodes } = graph;
  // The graph's nodes as expressions again, one object each, so that derivatives share them.
  const values: Expression[] = [];
  for (const node of nodes) values.push(asExpression(node, values));

  const adjoints: (Expression | undefined)[] = nodes.map(() => undefined);
  adjoints[graph.outputs[0]!] = constant(1);
  const give = (id: number, amount: Expression): void => {
    if (nodes[id]!.depends === 0) return;
    const sum = adjoints[id];
    adjoints[id] = sum === undefined ? amount : add(sum, amount);
  };
  for (let id = nodes.length - 1; id >= 0; id--) {
    const adjoint = adjoints[id];
    if (adjoint !== undefined) propagate(nodes[id]!, adjoint, nodes, values, give);
  }
  return inputNames.map((name) => {
    const found = nodes.find((node) => node.operation === 'input' && node.name === name);
    return (found && adjoints[found.id]) ?? constant(0);
  });
}

/** Sends a node's adjoint on to its inputs. */
function propagate(
  node: GraphNode,
  adjoint: Expression,
  nodes: readonly GraphNode[],
  values: readonly Expression[],
  give: (id: number, amount: Expression) => void,
): void {
  const [i, j, k, l] = node.inputs as [number, number, number, number];
  const x = values[i]!;
  const y = values[j]!;
  const self = values[node.id]!;
  switch (node.operation) {
    case 'add':
      give(i, adjoint);
      give(j, adjoint);
      break;
    case 'sub':
      give(i, adjoint);
      give(j, negate(adjoint));
      break;
    case 'mul':
      give(i, mul(adjoint, y));
      give(j, mul(adjoint, x));
      break;
    case 'max':
      give(i, mul(adjoint, shareOfLarger(x, y, nodes[i]!, nodes[j]!)));
      give(j, mul(adjoint, shareOfLarger(y, x, nodes[j]!, nodes[i]!)));
      break;
    case 'min':
      give(i, mul(adjoint, shareOfSmaller(x, y, nodes[i]!, nodes[j]!)));
      give(j, mul(adjoint, shareOfSmaller(y, x, nodes[j]!, nodes[i]!)));
      break;
    case 'abs':
      give(i, mul(adjoint, sub(step(x, 0), step(0, x))));
      break;
    case 'sqrt':
      give(i, ratio(mul(adjoint, 0.5), self, 0));
      break;
    case 'exp':
      give(i, mul(adjoint, self));
      break;
    case 'log':
      give(i, ratio(adjoint, x, 0));
      break;
    case 'ratio':
      give(i, ratio(adjoint, y, 0));
      give(j, negate(ratio(mul(adjoint, ratio(x, y, 0)), y, 0)));
      give(k, ratio(0, y, adjoint));
      break;
    case 'select':
      give(k, select(x, y, adjoint, 0));
      give(l, select(x, y, 0, adjoint));
      break;
    case 'power':
      give(i, ratio(mul(adjoint, y, self), x, 0));
      break;
    case 'angle': {
      const size = add(square(x), square(y));
      give(i, mul(adjoint, ratio(y, size, 0)));
      give(j, mul(adjoint, negate(ratio(x, size, 0))));
      break;
    }
    default: // leaves, detach, step: nothing flows
  }
}

/** Share of max(x, y)'s gradient that x gets: ½ at a tie, all when tying with what is no function of the boxes. */
function shareOfLarger(x: Expression, y: Expression, xNode: GraphNode, yNode: GraphNode): Expression {
  if (yNode.depends === 0 && xNode.depends !== 0) return select(y, x, 0, 1);
  return step(x, y);
}

/** Share of min(x, y)'s gradient that x gets. */
function shareOfSmaller(x: Expression, y: Expression, xNode: GraphNode, yNode: GraphNode): Expression {
  if (yNode.depends === 0 && xNode.depends !== 0) return select(x, y, 0, 1);
  return step(y, x);
}
