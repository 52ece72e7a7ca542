/** The shape that each operator gives its outputs, as far as its inputs are known. */
import type { OnnxNode } from './model.ts';
import {
  broadcast,
  convolution,
  pooled,
  product,
  reshaped,
  type Shape,
  type Values,
  valueLimit,
} from './shape-math.ts';

/** What is known of a graph's values so far, by name. */
export interface State {
  readonly shapes: Map<string, Shape>;
  readonly values: Map<string, Values>;
}

const elementwise = new Set(
  (
    'Add Sub Mul Div Pow Max Min Mod Where Sigmoid Exp Log Sqrt Relu LeakyRelu Clip Tanh Neg Abs Softmax LogSoftmax ' +
    'Cast Identity Floor Ceil Round Softplus HardSigmoid HardSwish Elu Erf Equal Greater Less And Or Not PRelu ' +
    'BatchNormalization InstanceNormalization LayerNormalization Dropout DequantizeLinear QuantizeLinear ' +
    'DynamicQuantizeLinear Reciprocal Sin Cos Atan Gelu Mish Silu'
  ).split(' '),
);

/** Operators that take their data from the first input only; the rest broadcast all inputs. */
const broadcasting = new Set(
  'Add Sub Mul Div Pow Max Min Mod Where Equal Greater Less And Or PRelu'.split(' '),
);

const folds: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => Math.trunc(a / b),
};

/** Adds what follows for the outputs of a node; nothing where its operator is not known. */
export function inferNode(state: State, node: OnnxNode): void {
  const { shapes, values } = state;
  const { op, inputs, outputs, attributes } = node;
  const output = outputs[0]!;
  const first = shapes.get(inputs[0] ?? '');
  const firstValues = values.get(inputs[0] ?? '');
  const set = (shape: Shape | undefined) => {
    // no detector has tensors of so many dims; damaged files could pile them up
    if (shape !== undefined && shape.length <= valueLimit) shapes.set(output, shape);
  };
  const keep = (value: Values | undefined) => {
    if (value !== undefined && value.length <= valueLimit) values.set(output, value);
  };
  const int = (name: string, fallback: number) => attributes.get(name)?.int ?? fallback;
  const list = (name: string, input: number): Values | undefined => {
    const ints = attributes.get(name)?.ints;
    return ints !== undefined && ints.length > 0 ? ints : values.get(inputs[input] ?? '');
  };
  const axisOf = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

  if (elementwise.has(op)) {
    const operands = broadcasting.has(op) ? inputs : inputs.slice(0, 1);
    set(broadcast(operands.map((name) => shapes.get(name))));
    if (op === 'Cast' || op === 'Identity' || op === 'Floor') keep(firstValues);
    const fold = folds[op];
    const other = values.get(inputs[1] ?? '');
    if (fold !== undefined && firstValues !== undefined && other !== undefined) {
      const length = Math.max(firstValues.length, other.length);
      const at = (list: Values, i: number) => list[list.length === 1 ? 0 : i] ?? null;
      keep(
        Array.from({ length }, (_, i) => {
          const a = at(firstValues, i);
          const b = at(other, i);
          return a === null || b === null ? null : fold(a, b);
        }),
      );
    }
    return;
  }
  switch (op) {
    case 'Shape':
      set(first === undefined ? undefined : [first.length]);
      keep(first);
      return;
    case 'Conv':
    case 'ConvInteger':
    case 'QLinearConv':
    case 'ConvTranspose':
      set(convolution(node, first, shapes.get(inputs[op === 'QLinearConv' ? 3 : 1] ?? '')));
      return;
    case 'MatMul':
    case 'MatMulInteger': {
      const last = shapes.get(inputs[1] ?? '')?.at(-1);
      if (first !== undefined && last !== undefined && first.length > 0) set([...first.slice(0, -1), last]);
      return;
    }
    case 'Gemm': {
      const weights = shapes.get(inputs[1] ?? '');
      set([first?.[0] ?? null, weights?.[int('transB', 0) === 1 ? 0 : 1] ?? null]);
      return;
    }
    case 'MaxPool':
    case 'AveragePool':
    case 'Resize':
    case 'Upsample':
      if (first !== undefined && first.length === 4) set(pooled(node, first));
      return;
    case 'Transpose': {
      const perm = attributes.get('perm')?.ints;
      if (first === undefined) return;
      set(perm === undefined ? [...first].reverse() : perm.map((axis) => first[axis] ?? null));
      return;
    }
    case 'Concat': {
      const parts = inputs.map((name) => shapes.get(name));
      const known = parts.find((shape) => shape !== undefined);
      if (known !== undefined) {
        const axis = axisOf(int('axis', 0), known.length);
        set(
          known.map((_, i) => {
            const dims = parts.map((shape) => shape?.[i] ?? null);
            if (i !== axis) return dims.find((dim) => dim !== null) ?? null;
            return dims.reduce(
              (sum, dim) => (sum === null || dim === null ? null : sum + dim),
              0 as number | null,
            );
          }),
        );
      }
      if (known === undefined || known.length === 1) {
        const joined = inputs.map(
          (name) => values.get(name) ?? (shapes.get(name)?.[0] === 1 ? [null] : undefined),
        );
        if (joined.every((part) => part !== undefined)) keep(joined.flat());
      }
      return;
    }
    case 'Reshape': {
      const target = values.get(inputs[1] ?? '');
      const rank = shapes.get(inputs[1] ?? '')?.[0];
      if (target !== undefined) set(reshaped(first, target));
      else if (typeof rank === 'number' && rank <= 8) set(new Array<null>(rank).fill(null));
      return;
    }
    case 'Flatten': {
      const axis = axisOf(int('axis', 1), first?.length ?? 0);
      if (first !== undefined) set([product(first.slice(0, axis)), product(first.slice(axis))]);
      return;
    }
    case 'Squeeze': {
      keep(firstValues);
      const axes = list('axes', 1);
      if (first === undefined) return;
      const gone = axes?.map((axis) => axisOf(axis ?? 0, first.length));
      set(first.filter((dim, i) => (gone === undefined ? dim !== 1 : !gone.includes(i))));
      return;
    }
    case 'Unsqueeze': {
      keep(firstValues);
      const axes = list('axes', 1);
      if (first === undefined || axes === undefined) return;
      const rank = first.length + axes.length;
      const added = axes.map((axis) => axisOf(axis ?? 0, rank));
      let from = 0;
      set(Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : (first[from++] ?? null))));
      return;
    }
    case 'Gather': {
      const indices = shapes.get(inputs[1] ?? '');
      if (first === undefined || indices === undefined) return;
      const axis = axisOf(int('axis', 0), first.length);
      set([...first.slice(0, axis), ...indices, ...first.slice(axis + 1)]);
      const picks = values.get(inputs[1] ?? '');
      if (firstValues !== undefined && picks !== undefined && axis === 0) {
        keep(picks.map((i) => (i === null ? null : (firstValues.at(i) ?? null))));
      }
      return;
    }
    case 'GatherElements':
      set(shapes.get(inputs[1] ?? ''));
      return;
    case 'Slice':
      sliced(state, node);
      return;
    case 'Split': {
      if (first === undefined) return;
      const axis = axisOf(int('axis', 0), first.length);
      const sizes = list('split', 1);
      const whole = first[axis] ?? null;
      outputs.forEach((name, i) => {
        const size = sizes?.[i] ?? (whole === null ? null : Math.ceil(whole / outputs.length));
        shapes.set(
          name,
          first.map((dim, k) => (k === axis ? size : dim)),
        );
      });
      return;
    }
    case 'TopK': {
      if (first === undefined) return;
      const axis = axisOf(int('axis', -1), first.length);
      const k = values.get(inputs[1] ?? '')?.[0] ?? null;
      for (const name of outputs)
        shapes.set(
          name,
          first.map((dim, i) => (i === axis ? k : dim)),
        );
      return;
    }
    case 'Tile': {
      const repeats = values.get(inputs[1] ?? '');
      if (first === undefined) return;
      set(first.map((dim, i) => (dim === null || repeats?.[i] == null ? null : dim * repeats[i]!)));
      return;
    }
    case 'Expand': {
      const target = values.get(inputs[1] ?? '');
      if (target !== undefined) set(broadcast([first, target]));
      return;
    }
    case 'ConstantOfShape':
      set(firstValues);
      return;
    case 'ReduceMax':
    case 'ReduceSum':
    case 'ReduceMean':
    case 'ArgMax': {
      if (first === undefined) return;
      const axes = op === 'ArgMax' ? [int('axis', 0)] : list('axes', 1);
      const gone = axes?.map((axis) => axisOf(axis ?? 0, first.length));
      if (gone === undefined) return;
      if (int('keepdims', 1) === 1) set(first.map((dim, i) => (gone.includes(i) ? 1 : dim)));
      else set(first.filter((_, i) => !gone.includes(i)));
      return;
    }
  }
}

function sliced({ shapes, values }: State, node: OnnxNode): void {
  const { inputs, outputs, attributes } = node;
  const data = shapes.get(inputs[0]!);
  const of = (name: string, input: number): Values | undefined =>
    attributes.get(name)?.ints ?? values.get(inputs[input] ?? '');
  const starts = of('starts', 1);
  const ends = of('ends', 2);
  const axes = of('axes', 3) ?? starts?.map((_, i) => i);
  const steps = values.get(inputs[4] ?? '');
  if (data === undefined) return;
  if (starts === undefined || ends === undefined || axes === undefined) {
    shapes.set(
      outputs[0]!,
      data.map(() => null),
    );
    return;
  }
  const out = [...data];
  const fixed = values.get(inputs[0]!);
  axes.forEach((raw, i) => {
    const axis = raw === null ? 0 : raw < 0 ? raw + data.length : raw;
    const size = data[axis] ?? null;
    const start = starts[i] ?? null;
    const end = ends[i] ?? null;
    const step = steps === undefined ? 1 : (steps[i] ?? null);
    if (size === null || start === null || end === null || step === null || step <= 0) {
      out[axis] = null;
      return;
    }
    const from = Math.min(size, start < 0 ? Math.max(0, start + size) : start);
    const to = Math.min(size, end < 0 ? Math.max(0, end + size) : end);
    out[axis] = Math.max(0, Math.ceil((to - from) / step));
    if (fixed !== undefined && step === 1) values.set(outputs[0]!, fixed.slice(from, to));
  });
  shapes.set(outputs[0]!, out);
}
