/**
 * Emits the JavaScript of a formula: one box against a run of columns (`row`), whether any of the run exceeds a threshold
 * (`any`), what is computed once a box (`terms`), and the gradient over aligned pairs.
 *
 * What depends on box a alone is computed before the loop. What depends on box b alone and is dear (an arctangent, a
 * root, a division) is a column filled once by `terms`. In the float32 form every operation is rounded by Math.fround,
 * so a SIMD kernel can give the same bits.
 */
import { differentiate } from '../../src/iou/formula/differentiate.ts';
import { constant, type Expression } from '../../src/iou/formula/expression.ts';
import {
  buildGraph,
  dependsOnB,
  type Graph,
  type GraphNode,
  reachable,
  substitute,
  termNodes,
} from '../../src/iou/formula/graph.ts';

const corners = ['x1', 'y1', 'x2', 'y2'];

export type Precision = 32 | 64;

/** How a negative of the float64 form begins; derivatives are full of them. */
const negated = '(-';

/** How one node reads in JavaScript, given its inputs' texts. */
function operationText(node: GraphNode, inputs: string[], precision: Precision): string {
  const [x, y, z, w] = inputs as [string, string, string, string];
  const rounded = (text: string): string => (precision === 32 ? `fround(${text})` : text);
  const inner = (text: string): string => (precision === 32 ? text : `(${text})`);
  switch (node.operation) {
    case 'add':
      if (y.startsWith(negated)) return `(${x} - ${y.slice(negated.length, -1)})`;
      if (x.startsWith(negated)) return `(${y} - ${x.slice(negated.length, -1)})`;
      return rounded(inner(`${x} + ${y}`));
    case 'sub':
      if (x === '0' && precision === 64) return `(-${y})`;
      return rounded(inner(`${x} - ${y}`));
    case 'mul':
      if (y === '(-1)' && precision === 64) return `(-${x})`;
      return rounded(inner(`${x} * ${y}`));
    case 'min':
      return `Math.min(${x}, ${y})`;
    case 'max':
      return `Math.max(${x}, ${y})`;
    case 'abs':
      return `Math.abs(${x})`;
    case 'sqrt':
      return rounded(`Math.sqrt(${x})`);
    case 'exp':
      return rounded(`Math.exp(${x})`);
    case 'log':
      return rounded(`Math.log(${x})`);
    case 'angle':
      return rounded(`aspectAngle(${x}, ${y})`);
    case 'power':
      return rounded(`power(${x}, ${y})`);
    case 'ratio':
      return `(${y} === 0 ? ${z} : ${rounded(`${x} / ${y}`)})`;
    case 'select':
      return `(${x} > ${y} ? ${z} : ${w})`;
    case 'step':
      return `(${x} > ${y} ? 1 : ${x} < ${y} ? 0 : 0.5)`;
    case 'detach':
      return x;
    default:
      throw new Error(`no text for ${node.operation}`);
  }
}

/** Writes nodes as statements, giving a variable to what has a name or is used more than once. */
class Writer {
  private readonly texts = new Map<number, string>();
  private readonly taken = new Set<string>();
  private readonly uses: number[];

  constructor(
    private readonly graph: Graph,
    private readonly precision: Precision,
    private readonly wanted: readonly number[],
  ) {
    this.uses = graph.nodes.map(() => 0);
    for (const id of wanted) {
      const node = graph.nodes[id]!;
      // Operands that the text repeats count twice.
      node.inputs.forEach((input, position) => {
        const repeats =
          (node.operation === 'ratio' && position === 1) || (node.operation === 'step' && position < 2);
        this.uses[input]! += repeats ? 2 : 1;
      });
    }
    for (const id of graph.outputs) this.uses[id]!++;
  }

  /** Says how a node reads that something else computed. */
  define(id: number, text: string): void {
    this.texts.set(id, text);
  }

  text(id: number): string {
    const known = this.texts.get(id);
    if (known !== undefined) return known;
    throw new Error(`node ${id} (${this.graph.nodes[id]!.operation}) is not written yet`);
  }

  has(id: number): boolean {
    return this.texts.has(id);
  }

  /** Statements for those of the wanted nodes that `selects`, in order. */
  statements(selects: (node: GraphNode) => boolean, keep: ReadonlySet<number> = new Set()): string[] {
    const lines: string[] = [];
    for (const id of this.wanted) {
      const node = this.graph.nodes[id]!;
      if (this.texts.has(id) || !selects(node)) continue;
      if (node.operation === 'constant') {
        this.define(id, this.constantText(node.value));
        continue;
      }
      const text = operationText(
        node,
        node.inputs.map((input) => this.text(input)),
        this.precision,
      );
      if ((this.uses[id]! > 1 || keep.has(id)) && node.operation !== 'detach') {
        const name = this.freshName(node);
        lines.push(`const ${name} = ${unwrapped(text)};`);
        this.define(id, name);
      } else {
        this.define(id, text);
      }
    }
    return lines;
  }

  private freshName(node: GraphNode): string {
    const wanted = node.name === '' ? `v${node.id}` : node.name;
    const name = this.taken.has(wanted) ? `${wanted}${node.id}` : wanted;
    this.taken.add(name);
    return name;
  }

  private constantText(value: number): string {
    const text = String(this.precision === 32 ? Math.fround(value) : value);
    return value < 0 ? `(${text})` : text;
  }
}

/** Without the parentheses around a whole right-hand side. */
function unwrapped(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')') depth--;
    if (depth === 0) return text;
  }
  return text.slice(1, -1);
}

function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => ' '.repeat(by) + line);
}

export interface EmittedFormula {
  /** Names of the run-time scalars, in the order of the `p` array. */
  readonly parameters: string[];
  /** How many columns of per-box terms it reads. */
  readonly termCount: number;
  readonly source: string;
  /** Functions of formula/numeric.ts that it calls. */
  readonly calls: readonly string[];
}

export interface EmitOptions {
  /** Also the fused `any` loop. */
  readonly withAny?: boolean;
  /** A branch of its own for boxes that do not overlap. */
  readonly splits?: boolean;
  /** Also a `Near` loop, with overlaps free of branches, for coordinates that are near enough to each other. */
  readonly withNear?: boolean;
}

/** The value loops of a formula: `<name>Row<precision>`, `<name>Terms<precision>` and, if wanted, `<name>Any<precision>`. */
export function emitLoops(
  name: string,
  formula: Expression,
  precision: Precision,
  { withAny = false, splits = false, withNear = false }: EmitOptions = {},
): EmittedFormula {
  // Most pairs do not overlap: what the formula is for them may be written apart, with less to compute.
  const disjoint = splits ? substitute(formula, 'intersection', constant(0)) : null;
  const graph = buildGraph(disjoint === null ? [formula] : [formula, disjoint]);
  const all = graph.nodes.map((node) => node.id);
  const parameters = graph.nodes.filter((node) => node.operation === 'parameter').map((node) => node.name);
  const terms = termNodes(graph);
  const parameterLines = (wanted: ReadonlySet<number>): string[] =>
    graph.nodes
      .filter((node) => node.operation === 'parameter' && wanted.has(node.id))
      .map((node) => {
        const read = `p[${parameters.indexOf(node.name)}]!`;
        return `const ${node.name} = ${precision === 32 ? `fround(${read})` : read};`;
      });
  const columns = ['x1s', 'y1s', 'x2s', 'y2s'];
  const list = precision === 32 ? 'Float32Array' : 'Column';
  const columnParameters = columns.map((column) => `${column}: ${list}`).join(', ');
  const aParameters = corners.map((corner) => `a${corner}: number`).join(', ');

  const body = (finish: (value: string) => string[], near = false): string[] => {
    const termSet = new Set(terms);
    const wanted = reachableWithout(graph, termSet);
    const writer = new Writer(graph, precision, wanted);
    const prologue: string[] = [];
    for (const node of graph.nodes) {
      if (node.operation === 'parameter') writer.define(node.id, node.name);
      else if (node.operation === 'input') writer.define(node.id, node.name);
    }
    if (precision === 32) {
      for (const corner of corners) {
        if (usesInput(graph, wanted, `a${corner}`)) prologue.push(`a${corner} = fround(a${corner});`);
      }
    }
    if (near) {
      // min(a2, b2) − max(a1, b1) = (a2 − a1 + b2 − b1 − |a2 − b2| − |a1 − b1|) / 2, exact in double precision.
      for (const axis of ['x', 'y'] as const) {
        prologue.push(`const aSpan${axis.toUpperCase()} = a${axis}2 - a${axis}1;`);
        const overlap =
          `(aSpan${axis.toUpperCase()} + (b${axis}2 - b${axis}1) - ` +
          `Math.abs(a${axis}2 - b${axis}2) - Math.abs(a${axis}1 - b${axis}1)) * 0.5`;
        const side = axis === 'x' ? 'intersectionWidth' : 'intersectionHeight';
        writer.define(graph.nodes.find((node) => node.name === side)!.id, `Math.max(fround(${overlap}), 0)`);
      }
    }
    prologue.push(...parameterLines(new Set(wanted)));
    prologue.push(...terms.map((_, index) => `const terms${index} = terms[${index}]!;`));
    terms.forEach((id, index) => {
      writer.define(id, graph.nodes[id]!.name || `term${index}`);
    });
    // What the loop needs of box a must have a name before it.
    const before = (node: GraphNode): boolean => (node.depends & dependsOnB) === 0;
    const keep = new Set(
      wanted.filter(
        (id) =>
          before(graph.nodes[id]!) &&
          wanted.some((user) => !before(graph.nodes[user]!) && graph.nodes[user]!.inputs.includes(id)),
      ),
    );
    prologue.push(...writer.statements(before, keep));
    const loop: string[] = [];
    corners.forEach((corner, k) => {
      if (usesInput(graph, wanted, `b${corner}`)) loop.push(`const b${corner} = ${columns[k]}[j]!;`);
    });
    terms.forEach((id, index) => {
      loop.push(`const ${writer.text(id)} = terms${index}[j]!;`);
    });
    const [whole, apart] = graph.outputs;
    if (apart === undefined) {
      loop.push(...writer.statements(() => true), ...finish(unwrapped(writer.text(whole!))));
    } else {
      const ofWhole = new Set(reachable(graph, [whole!]));
      const ofApart = new Set(reachable(graph, [apart]));
      const both = (id: number): boolean => ofWhole.has(id) && ofApart.has(id);
      const keepShared = new Set(
        wanted.filter(
          (id) => both(id) && wanted.some((user) => !both(user) && graph.nodes[user]!.inputs.includes(id)),
        ),
      );
      loop.push(...writer.statements((node) => both(node.id), keepShared), 'let similarity: number;');
      const overlapping = writer.statements((node) => ofWhole.has(node.id));
      loop.push(
        // `&`, not `&&`: one branch a pair, which is guessed right twice as often as four.
        'if (+(bx1 < ax2) & +(bx2 > ax1) & +(by1 < ay2) & +(by2 > ay1)) {',
        ...indent([...overlapping, `similarity = ${unwrapped(writer.text(whole!))};`], 2),
        '} else {',
      );
      const rest = writer.statements((node) => ofApart.has(node.id));
      loop.push(
        ...indent([...rest, `similarity = ${unwrapped(writer.text(apart))};`], 2),
        '}',
        ...finish('similarity'),
      );
    }
    return [...indent(prologue, 2), '  for (let j = from; j < to; j++) {', ...indent(loop, 4), '  }'];
  };

  const lines = [
    `/** Similarities of box a with columns [from, to), into out[at …]. */`,
    `export function ${name}Row${precision}(${aParameters}, ${columnParameters}, terms: readonly ${list}[], from: number, to: number, p: Float64Array, out: Column, at: number): void {`,
    ...body((value) => [`out[at + j - from] = ${value};`]),
    '}',
  ];
  if (withNear) {
    lines.push(
      '',
      '/**',
      ' * The same bits where the largest coordinate is less than 2²⁶ times the smallest that is not 0: differences of',
      ' * coordinates, and sums of those, are then exact in double precision.',
      ' */',
      `export function ${name}Near${precision}(${aParameters}, ${columnParameters}, terms: readonly ${list}[], from: number, to: number, p: Float64Array, out: Column, at: number): void {`,
      ...body((value) => [`out[at + j - from] = ${value};`], true),
      '}',
    );
  }
  if (withAny) {
    lines.push(
      '',
      '/** Whether any of columns [from, to) compares true with the threshold. */',
      `export function ${name}Any${precision}(${aParameters}, ${columnParameters}, terms: readonly ${list}[], from: number, to: number, p: Float64Array, threshold: number, inclusive: boolean): boolean {`,
      ...body((value) => [
        ...(value === 'similarity' ? [] : [`const similarity = ${value};`]),
        'if (similarity > threshold || (inclusive && similarity === threshold)) return true;',
      ]),
      '  return false;',
      '}',
    );
  }
  if (terms.length > 0) {
    const wanted = reachable(graph, terms);
    const writer = new Writer({ ...graph, outputs: terms }, precision, wanted);
    for (const node of graph.nodes) {
      if (node.operation === 'parameter' || node.operation === 'input') writer.define(node.id, node.name);
    }
    const loop = corners.flatMap((corner, k) =>
      usesInput(graph, wanted, `b${corner}`) ? [`const b${corner} = ${columns[k]}[j]!;`] : [],
    );
    loop.push(...writer.statements(() => true));
    terms.forEach((id, index) => {
      loop.push(`terms[${index}]![j] = ${unwrapped(writer.text(id))};`);
    });
    lines.push(
      '',
      '/** Fills the columns of what depends on one box alone. */',
      `export function ${name}Terms${precision}(${columnParameters}, terms: readonly ${list}[], from: number, to: number, p: Float64Array): void {`,
      ...indent(parameterLines(new Set(wanted)), 2),
      '  for (let j = from; j < to; j++) {',
      ...indent(loop, 4),
      '  }',
      '}',
    );
  }
  const source = lines.join('\n');
  return {
    parameters,
    termCount: terms.length,
    source: silence(source),
    calls: callsOf(source),
  };

  function reachableWithout(of: Graph, stops: ReadonlySet<number>): number[] {
    const seen = new Set<number>();
    const visit = (id: number): void => {
      if (seen.has(id)) return;
      seen.add(id);
      if (!stops.has(id)) for (const input of of.nodes[id]!.inputs) visit(input);
    };
    for (const output of of.outputs) visit(output);
    return all.filter((id) => seen.has(id) && !stops.has(id));
  }
}

/** Parameters a function does not read are marked so that strict compilers accept them. */
function silence(source: string): string {
  return source
    .split(/\n(?=\/\*\*)/)
    .map((part) => {
      const brace = part.indexOf('{\n');
      const head = part.slice(0, brace);
      const rest = part.slice(brace);
      return (
        head.replace(
          /\b(\w+): (?=number|Float32Array|Column|Float64Array|readonly|boolean)/g,
          (whole, parameterName: string) =>
            new RegExp(`\\b${parameterName}\\b`).test(rest) ? whole : `_${whole}`,
        ) + rest
      );
    })
    .join('\n');
}

function usesInput(graph: Graph, wanted: readonly number[], name: string): boolean {
  return wanted.some((id) => graph.nodes[id]!.operation === 'input' && graph.nodes[id]!.name === name);
}

/** The gradient loop of a formula over aligned, row-major boxes. */
export function emitGradient(name: string, formula: Expression): EmittedFormula {
  const inputNames = [...corners.map((corner) => `a${corner}`), ...corners.map((corner) => `b${corner}`)];
  const graph = buildGraph([formula, ...differentiate(formula, inputNames)]);
  const parameters = graph.nodes.filter((node) => node.operation === 'parameter').map((node) => node.name);
  const wanted = reachable(graph, graph.outputs);
  const writer = new Writer(graph, 64, wanted);
  const loop: string[] = ['const i = 4 * k;'];
  for (const node of graph.nodes) {
    if (node.operation === 'parameter') writer.define(node.id, node.name);
    else if (node.operation === 'input') {
      writer.define(node.id, node.name);
      if (wanted.includes(node.id)) {
        const offset = corners.indexOf(node.name.slice(1));
        loop.push(`const ${node.name} = ${node.name[0]}[i${offset === 0 ? '' : ` + ${offset}`}]!;`);
      }
    }
  }
  loop.push(...writer.statements(() => true));
  const [value, ...gradients] = graph.outputs;
  loop.push(`values[k] = ${unwrapped(writer.text(value!))};`);
  const writes = (array: string, ids: readonly number[]): string[] =>
    ids.map((id, k) => `${array}[i${k === 0 ? '' : ` + ${k}`}] = ${unwrapped(writer.text(id))};`);
  loop.push(...writes('gradientA', gradients.slice(0, 4)));
  loop.push('if (gradientB !== null) {', ...indent(writes('gradientB', gradients.slice(4)), 2), '}');
  const source = [
    '/** Values and gradients of pairs [0, count) of row-major boxes. */',
    `export function ${name}Gradient(a: Column, b: Column, count: number, p: Float64Array, values: Column, gradientA: Column, gradientB: Column | null): void {`,
    ...indent(
      parameters.map((parameterName, index) => `const ${parameterName} = p[${index}]!;`),
      2,
    ),
    '  for (let k = 0; k < count; k++) {',
    ...indent(loop, 4),
    '  }',
    '}',
  ].join('\n');
  return { parameters, termCount: 0, source: silence(source), calls: callsOf(source) };
}

function callsOf(source: string): string[] {
  return ['aspectAngle', 'power'].filter((name) => source.includes(`${name}(`));
}
