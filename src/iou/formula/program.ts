/**
 * The columnar evaluator: runs any formula without generated code, one loop a node over a tile of pairs.
 *
 * It serves what the generator has not seen: combinations of metrics, a caller's own metric, gradients under another
 * library's rules. A pair costs a few nanoseconds a node instead of the generated loop's fraction of one; content
 * security policies that forbid `new Function` do not matter.
 */
import { type Graph, type GraphNode, reachable } from './graph.ts';
import { aspectAngle, power } from './numeric.ts';

/** Pairs a tile: the registers of a usual formula stay in the second-level cache. */
export const programTile = 512;

interface Register {
  readonly data: Float64Array;
  /** -1 where each pair has its value, 0 where one value serves all. */
  readonly mask: number;
}

interface Instruction {
  readonly node: GraphNode;
  readonly out: Register;
  readonly inputs: readonly Register[];
}

const none: Register = { data: new Float64Array(1), mask: 0 };

/** A formula ready to run. */
export class Program {
  private readonly once: Instruction[] = [];
  private readonly each: Instruction[] = [];
  private readonly byName = new Map<string, Register>();
  private readonly outputs: readonly Register[];

  /**
   * @param results ids of the wanted nodes
   * @param varies names of inputs that have a value a pair; the others have one for all
   * @param given nodes computed elsewhere, read as the input of that name (a value a pair)
   */
  constructor(
    graph: Graph,
    results: readonly number[],
    varies: ReadonlySet<string>,
    given: ReadonlyMap<number, string> = new Map(),
  ) {
    const stops = {
      ...graph,
      nodes: graph.nodes.map((node) => (given.has(node.id) ? { ...node, inputs: [] } : node)),
    };
    const order = reachable(stops, results);
    const lastUse = new Map<number, number>();
    for (const id of order) for (const input of stops.nodes[id]!.inputs) lastUse.set(input, id);
    for (const id of results) lastUse.set(id, Number.POSITIVE_INFINITY);
    const registers = new Map<number, Register>();
    const free: Register[] = [];
    for (const id of order) {
      const node = stops.nodes[id]!;
      const name = given.get(id) ?? (node.operation === 'input' ? node.name : null);
      if (name !== null) {
        const varying = given.has(id) || varies.has(name);
        const register = { data: new Float64Array(varying ? programTile : 1), mask: varying ? -1 : 0 };
        this.byName.set(name, register);
        registers.set(id, register);
        continue;
      }
      if (node.operation === 'constant') {
        registers.set(id, { data: Float64Array.of(node.value), mask: 0 });
        continue;
      }
      const inputs = node.inputs.map((input) => registers.get(input)!);
      const varying = inputs.some((input) => input.mask !== 0);
      // Taken before the inputs are freed: an output never overwrites an operand.
      const out: Register = varying
        ? (free.pop() ?? { data: new Float64Array(programTile), mask: -1 })
        : { data: new Float64Array(1), mask: 0 };
      for (const input of new Set(node.inputs)) {
        const register = registers.get(input)!;
        const owned = stops.nodes[input]!.operation !== 'input' && !given.has(input);
        if (owned && register.mask !== 0 && lastUse.get(input) === id) free.push(register);
      }
      registers.set(id, out);
      (varying ? this.each : this.once).push({ node, out, inputs });
    }
    this.outputs = results.map((id) => registers.get(id)!);
  }

  /** Memory of an input to be filled before a run, or null when the formula does not read it. */
  input(name: string): Float64Array | null {
    return this.byName.get(name)?.data ?? null;
  }

  /** Computes what depends on no varying input; call it after setting those inputs. */
  prepare(): void {
    for (const { node, out, inputs } of this.once) execute(node, 1, out.data, inputs);
  }

  /** Computes `count` ≤ {@link programTile} pairs from the inputs' memory. */
  run(count: number): void {
    for (const { node, out, inputs } of this.each) execute(node, count, out.data, inputs);
  }

  /** Value of result `k` for pair `i` of the last run. */
  copyResult(k: number, count: number, out: Float32Array | Float64Array, at: number, stride = 1): void {
    const { data, mask } = this.outputs[k]!;
    for (let i = 0; i < count; i++) out[at + i * stride] = data[i & mask]!;
  }
}

/** One node over `count` pairs. */
function execute(node: GraphNode, count: number, out: Float64Array, inputs: readonly Register[]): void {
  const { data: x, mask: mx } = inputs[0]!;
  const { data: y, mask: my } = inputs[1] ?? none;
  const { data: z, mask: mz } = inputs[2] ?? none;
  const { data: w, mask: mw } = inputs[3] ?? none;
  // The five commonest have a loop for each shape of operands: an index that is always used as it is costs half as much.
  const bothVary = mx !== 0 && my !== 0;
  const first = x[0]!;
  const second = y[0]!;
  switch (node.operation) {
    case 'add':
      if (bothVary) for (let i = 0; i < count; i++) out[i] = x[i]! + y[i]!;
      else if (my === 0) for (let i = 0; i < count; i++) out[i] = x[i]! + second;
      else for (let i = 0; i < count; i++) out[i] = first + y[i]!;
      break;
    case 'sub':
      if (bothVary) for (let i = 0; i < count; i++) out[i] = x[i]! - y[i]!;
      else if (my === 0) for (let i = 0; i < count; i++) out[i] = x[i]! - second;
      else for (let i = 0; i < count; i++) out[i] = first - y[i]!;
      break;
    case 'mul':
      if (bothVary) for (let i = 0; i < count; i++) out[i] = x[i]! * y[i]!;
      else if (my === 0) for (let i = 0; i < count; i++) out[i] = x[i]! * second;
      else for (let i = 0; i < count; i++) out[i] = first * y[i]!;
      break;
    case 'min':
      if (bothVary) for (let i = 0; i < count; i++) out[i] = Math.min(x[i]!, y[i]!);
      else if (my === 0) for (let i = 0; i < count; i++) out[i] = Math.min(x[i]!, second);
      else for (let i = 0; i < count; i++) out[i] = Math.min(first, y[i]!);
      break;
    case 'max':
      if (bothVary) for (let i = 0; i < count; i++) out[i] = Math.max(x[i]!, y[i]!);
      else if (my === 0) for (let i = 0; i < count; i++) out[i] = Math.max(x[i]!, second);
      else for (let i = 0; i < count; i++) out[i] = Math.max(first, y[i]!);
      break;
    case 'abs':
      for (let i = 0; i < count; i++) out[i] = Math.abs(x[i]!);
      break;
    case 'sqrt':
      for (let i = 0; i < count; i++) out[i] = Math.sqrt(x[i]!);
      break;
    case 'exp':
      for (let i = 0; i < count; i++) out[i] = Math.exp(x[i]!);
      break;
    case 'log':
      for (let i = 0; i < count; i++) out[i] = Math.log(x[i]!);
      break;
    case 'ratio':
      for (let i = 0; i < count; i++) {
        const divisor = y[i & my]!;
        out[i] = divisor === 0 ? z[i & mz]! : x[i & mx]! / divisor;
      }
      break;
    case 'select':
      for (let i = 0; i < count; i++) out[i] = x[i & mx]! > y[i & my]! ? z[i & mz]! : w[i & mw]!;
      break;
    case 'step':
      for (let i = 0; i < count; i++) {
        const difference = x[i & mx]! - y[i & my]!;
        out[i] = difference > 0 ? 1 : difference < 0 ? 0 : 0.5;
      }
      break;
    case 'angle':
      for (let i = 0; i < count; i++) out[i] = aspectAngle(x[i & mx]!, y[i & my]!);
      break;
    case 'power':
      for (let i = 0; i < count; i++) out[i] = power(x[i & mx]!, y[i & my]!);
      break;
    default: // detach
      for (let i = 0; i < count; i++) out[i] = x[i & mx]!;
  }
}
