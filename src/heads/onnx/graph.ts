/**
 * Looking at a graph from its ends: what happens between the last learned layers and an output (the *tail*), and what
 * the first convolution does to the picture (the *stem*).
 *
 * Names say nothing reliable, and may be stripped; operators, weights and channel counts are what a head is made of.
 */
import { type OnnxModel, type OnnxNode, tensorValues } from './model.ts';
import { inferShapes, type Shape } from './shapes.ts';

/** A layer with weights at the end of the network. */
export interface Layer {
  readonly op: string;
  readonly channels: number | null;
  /** Bias values, where they lie in the file. */
  readonly bias: readonly number[] | null;
}

/** Everything between the last learned layers and one output. */
export interface Tail {
  readonly ops: ReadonlySet<string>;
  readonly layers: readonly Layer[];
  /** Bins of a distribution that is reduced to its expectation in the graph (DFL), else null. */
  readonly bins: number | null;
}

/** What the first convolution says about the picture it was trained on. */
export interface Stem {
  /** Median over filters of the sum of |weight|: far below 1 where pixels come as 0–255. Null where quantised. */
  readonly gain: number | null;
  /** Sum of |weight| by input channel. */
  readonly channels: readonly [number, number, number];
  /** Arithmetic on the picture before the first convolution, with its constants. */
  readonly normalisation: readonly { readonly op: string; readonly values: readonly number[] }[];
}

export interface Graph {
  readonly model: OnnxModel;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly producers: ReadonlyMap<string, OnnxNode>;
  readonly consumers: ReadonlyMap<string, readonly OnnxNode[]>;
  /** Values that do not depend on any input. */
  readonly constants: ReadonlySet<string>;
  /** Nodes that belong to a layer with weights: bias additions and the scaling of quantised products. */
  readonly absorbed: ReadonlyMap<OnnxNode, Layer>;
}

const layerOps = new Set(
  'Conv ConvInteger QLinearConv ConvTranspose MatMul MatMulInteger QLinearMatMul Gemm'.split(' '),
);
const silentOps = new Set(
  'Cast Identity DynamicQuantizeLinear QuantizeLinear DequantizeLinear Constant Dropout'.split(' '),
);
/** Operators whose other inputs are shapes and indices, not data. */
const firstInputOnly = new Set('Reshape Squeeze Unsqueeze Slice Tile Expand Transpose Resize Pad'.split(' '));

export function readGraph(model: OnnxModel): Graph {
  const producers = new Map<string, OnnxNode>();
  const consumers = new Map<string, OnnxNode[]>();
  const constants = new Set(model.initializers.keys());
  for (const node of model.nodes) {
    for (const name of node.outputs) producers.set(name, node);
    for (const name of node.inputs) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node]);
      else list.push(node);
    }
    if (node.inputs.every((name) => name === '' || constants.has(name))) {
      for (const name of node.outputs) constants.add(name);
    }
  }
  const graph = { model, shapes: inferShapes(model), producers, consumers, constants, absorbed: new Map() };
  for (const node of model.nodes) absorb(graph, node);
  return graph;
}

/** Name of the weights of a learned layer, else undefined. */
function weightsOf(graph: Pick<Graph, 'constants'>, node: OnnxNode): string | undefined {
  if (!layerOps.has(node.op)) return undefined;
  const name = node.inputs[node.op.startsWith('QLinear') ? 3 : 1];
  return name !== undefined && graph.constants.has(name) ? name : undefined;
}

/** Follows a learned layer through its bias and, if quantised, its scaling, and notes the layer for all of them. */
function absorb(graph: Graph & { absorbed: Map<OnnxNode, Layer> }, node: OnnxNode): void {
  const weights = weightsOf(graph, node);
  if (weights === undefined || binsOf(graph, node, weights) !== null) return;
  const dims = graph.shapes.get(weights) ?? [];
  const isMatrix = node.op.includes('MatMul');
  const transposed = node.op === 'Gemm' && node.attributes.get('transB')?.int === 1;
  const last = isMatrix || (node.op === 'Gemm' && !transposed);
  const channels = (last ? dims.at(-1) : node.op === 'ConvTranspose' ? dims[1] : dims[0]) ?? null;
  const chain = [node];
  let bias = node.op === 'Conv' || node.op === 'Gemm' ? node.inputs[2] : undefined;
  for (let at = node, step = 0; step < 3; step++) {
    const next = graph.consumers.get(at.outputs[0] ?? '') ?? [];
    const scaling = next.find(({ op }) => op === 'Cast' || op === 'Mul');
    const addition = next.find(
      ({ op, inputs }) => op === 'Add' && inputs.some((name) => graph.constants.has(name)),
    );
    if (addition !== undefined && bias === undefined) {
      bias = addition.inputs.find((name) => graph.constants.has(name));
      chain.push(addition);
      break;
    }
    if (!node.op.endsWith('Integer') || scaling === undefined) break;
    // fan-out of a quantised product: every Cast leads to the scaling of some sibling, keep all of them
    for (const { op, outputs } of next)
      if (op === 'Cast') chain.push(...(graph.consumers.get(outputs[0] ?? '') ?? []));
    chain.push(...next.filter(({ op }) => op === 'Cast' || op === 'Mul'));
    at = scaling;
  }
  const layer: Layer = {
    op: node.op,
    channels,
    bias: bias === undefined ? null : constantValues(graph, bias, 4096),
  };
  for (const member of chain) if (!graph.absorbed.has(member)) graph.absorbed.set(member, layer);
}

/** Values of a constant, looking through reshapes, casts and dequantisation. */
export function constantValues(
  graph: Pick<Graph, 'model' | 'producers' | 'constants'>,
  name: string,
  limit: number,
  mayScale = true,
): readonly number[] | null {
  let at = name;
  for (let depth = 0; depth < 8; depth++) {
    const tensor = graph.model.initializers.get(at);
    if (tensor !== undefined) return tensorValues(tensor, limit);
    const node = graph.producers.get(at);
    if (node === undefined) return null;
    if (node.op === 'Constant') {
      const attribute = [...node.attributes.values()][0];
      if (attribute === undefined) return null;
      if (attribute.tensor !== null) return tensorValues(attribute.tensor, limit);
      const single = attribute.float ?? attribute.int;
      return single !== null ? [single] : attribute.floats.length > 0 ? attribute.floats : attribute.ints;
    }
    if (node.op === 'DequantizeLinear') return mayScale ? dequantised(graph, node, limit) : null;
    at = node.inputs[0] ?? '';
  }
  return null;
}

function dequantised(
  graph: Pick<Graph, 'model' | 'producers' | 'constants'>,
  node: OnnxNode,
  limit: number,
): readonly number[] | null {
  const [quantised, scales, zeros] = node.inputs
    .slice(0, 3)
    .map((name) => constantValues(graph, name, limit, false));
  if (quantised == null || scales == null || scales.length === 0) return null;
  const block = quantised.length / scales.length;
  return quantised.map((value, i) => {
    const channel = Math.floor(i / block);
    return (value - (zeros?.[zeros.length === 1 ? 0 : channel] ?? 0)) * scales[channel]!;
  });
}

/** Number of bins where a "layer" only takes the expectation of a distribution: weights 0, 1, 2, … in order. */
function binsOf(graph: Graph, node: OnnxNode, weights: string): number | null {
  const dims = graph.shapes.get(weights) ?? [];
  const many = dims.filter((dim) => dim !== 1);
  const bins = many[0];
  if (many.length !== 1 || bins == null || bins < 4 || bins > 64 || node.op === 'Gemm') return null;
  if (dims.length === 4 && dims[0] !== 1) return null;
  const values = constantValues(graph, weights, 64);
  if (values === null || values.length !== bins) return null;
  const step = (values[bins - 1]! - values[0]!) / (bins - 1);
  const even = values.every((value, i) => Math.abs(value - values[0]! - i * step) <= 0.6 * step);
  return step > 0 && even ? bins : null;
}

/** Walks back from an output to the last learned layers. */
export function readTail(graph: Graph, output: string): Tail {
  const ops = new Set<string>();
  const layers = new Set<Layer>();
  let bins: number | null = null;
  const seen = new Set<OnnxNode>();
  const stack = [output];
  while (stack.length > 0 && seen.size < 5000) {
    const node = graph.producers.get(stack.pop()!);
    if (node === undefined || seen.has(node)) continue;
    seen.add(node);
    const layer = graph.absorbed.get(node);
    if (layer !== undefined) {
      layers.add(layer);
      continue;
    }
    const weights = weightsOf(graph, node);
    if (weights !== undefined) bins = binsOf(graph, node, weights) ?? bins;
    else if (node.op === 'Shape') continue;
    else if (!silentOps.has(node.op)) ops.add(node.op);
    for (const name of firstInputOnly.has(node.op) ? node.inputs.slice(0, 1) : node.inputs) {
      if (!graph.constants.has(name)) stack.push(name);
    }
  }
  return { ops, layers: [...layers], bins };
}

const normalisingOps = new Set(
  'Mul Div Sub Add BatchNormalization InstanceNormalization ReduceMean'.split(' '),
);
const passingOps = new Set(
  (
    'Cast Identity DynamicQuantizeLinear QuantizeLinear DequantizeLinear Transpose Slice Concat Pad Reshape ' +
    'SpaceToDepth Unsqueeze Squeeze'
  ).split(' '),
);

/** Follows the picture to the first convolution. Null where there is none, or its weights cannot be read. */
export function readStem(graph: Graph, input: string): Stem | null {
  const seen = new Set<OnnxNode>();
  const normalisation: { op: string; values: readonly number[] }[] = [];
  const queue = [input];
  for (let i = 0; i < queue.length && i < 200; i++) {
    for (const node of graph.consumers.get(queue[i]!) ?? []) {
      if (seen.has(node)) continue;
      seen.add(node);
      const weights = weightsOf(graph, node);
      if (weights !== undefined) return stemOf(graph, node, weights, normalisation);
      if (normalisingOps.has(node.op)) {
        const values = node.inputs.filter((name) => graph.constants.has(name));
        normalisation.push({
          op: node.op,
          values: values.flatMap((name) => constantValues(graph, name, 16) ?? []),
        });
      } else if (!passingOps.has(node.op)) continue;
      queue.push(...node.outputs);
    }
  }
  return null;
}

function stemOf(
  graph: Graph,
  node: OnnxNode,
  weights: string,
  normalisation: Stem['normalisation'],
): Stem | null {
  const dims = graph.shapes.get(weights) ?? [];
  const [filters, inputs] = dims;
  if (dims.length !== 4 || filters == null || inputs == null || inputs % 3 !== 0) return null;
  const raw = constantValues(graph, weights, 200_000);
  if (raw === null || raw.length === 0) return null;
  const integer = node.op === 'ConvInteger' || node.op === 'QLinearConv';
  const zeroName = node.op === 'ConvInteger' ? node.inputs[3] : node.inputs[5];
  const zeros = integer && zeroName !== undefined ? constantValues(graph, zeroName, 4096) : null;
  const perFilter = raw.length / filters;
  const area = perFilter / inputs;
  const sums = new Array<number>(filters).fill(0);
  const channels: [number, number, number] = [0, 0, 0];
  raw.forEach((value, i) => {
    const filter = Math.floor(i / perFilter);
    const size = Math.abs(value - (zeros?.[zeros.length === 1 ? 0 : filter] ?? 0));
    sums[filter] = sums[filter]! + size;
    const channel = Math.floor((i % perFilter) / area) % 3;
    channels[channel] = channels[channel]! + size;
  });
  sums.sort((a, b) => a - b);
  return { gain: integer ? null : sums[filters >> 1]!, channels, normalisation };
}
