/**
 * Shapes of a graph's values as far as they follow from its constants and inputs.
 *
 * Exporters leave output shapes out, or symbolic; the last dims (classes, box columns) still follow from weights and
 * reshapes. One forward pass in node order over the operators detectors end in; an operator not known here gives an
 * unknown shape, never a wrong one. Small integer tensors (results of Shape, and what is computed from them) are
 * carried as values, since reshapes depend on them.
 */
import { type OnnxModel, type OnnxNode, tensorValues } from './model.ts';
import { inferNode, type State } from './operator-shapes.ts';
import { type Shape, valueLimit } from './shape-math.ts';

export type { Shape } from './shape-math.ts';

/** Shapes of every value of the graph that could be inferred, declared shapes included. */
export function inferShapes(model: OnnxModel): ReadonlyMap<string, Shape> {
  const state: State = { shapes: new Map(), values: new Map() };
  const declared = new Map<string, Shape>();
  for (const info of [...model.valueInfo, ...model.outputs, ...model.inputs]) {
    if (info.shape !== null)
      declared.set(
        info.name,
        info.shape.map((dim) => (typeof dim === 'number' ? dim : null)),
      );
  }
  for (const input of model.inputs) {
    const shape = declared.get(input.name);
    if (shape !== undefined) state.shapes.set(input.name, shape);
  }
  for (const [name, tensor] of model.initializers) addConstant(state, name, tensor);
  for (const node of model.nodes) {
    const output = node.outputs[0];
    if (output === undefined) continue;
    if (node.op === 'Constant') addConstantNode(state, node, output);
    else inferNode(state, node);
    for (const name of node.outputs) {
      const known = declared.get(name);
      if (known !== undefined) state.shapes.set(name, merge(state.shapes.get(name), known));
    }
  }
  for (const [name, shape] of declared) if (!state.shapes.has(name)) state.shapes.set(name, shape);
  return state.shapes;
}

/** What is declared, completed by what was inferred. */
function merge(inferred: Shape | undefined, declared: Shape): Shape {
  if (inferred === undefined || inferred.length !== declared.length) return declared;
  return declared.map((dim, i) => dim ?? inferred[i]!);
}

function addConstant(state: State, name: string, tensor: Parameters<typeof tensorValues>[0]): void {
  state.shapes.set(name, tensor.dims);
  if (tensor.dims.length > 1 || (tensor.dims[0] ?? 1) > valueLimit) return;
  const values = tensorValues(tensor, valueLimit);
  if (values !== null) state.values.set(name, values);
}

function addConstantNode(state: State, node: OnnxNode, output: string): void {
  for (const { tensor, ints, int, float } of node.attributes.values()) {
    if (tensor !== null) addConstant(state, output, tensor);
    else if (ints.length > 0) {
      state.shapes.set(output, [ints.length]);
      if (ints.length <= valueLimit) state.values.set(output, ints);
    } else if (int !== null || float !== null) {
      state.shapes.set(output, []);
      state.values.set(output, [int ?? float]);
    }
  }
}
