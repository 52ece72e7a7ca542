/**
 * Metrics given as formulas at run time: combinations of other metrics and callers' own. They take every place a named
 * metric takes; the columnar evaluator computes them in float64.
 */
import { guardsFor } from './conventions.ts';
import { constant, type Expression } from './formula/expression.ts';
import { buildGraph, substitute, termNodes } from './formula/graph.ts';
import { defaultGuards, unbounded } from './formula/guards.ts';
import { Program, programTile } from './formula/program.ts';
import { type Guards, Terms } from './formula/terms.ts';
import type { Variant } from './formula/variant.ts';
import { given } from './generated-metric.ts';
import type { MetricImplementation } from './implementation.ts';
import type { Column, RowLoop, TermsLoop } from './loops.ts';
import type { MetricConventions, MetricObject } from './types.ts';

/** A metric object for a formula with the values of its parameters. */
export function formulaMetric(
  variant: Variant,
  parameters: Readonly<Record<string, number>> = {},
): MetricObject {
  return {
    name: variant.name,
    variant,
    parameters,
    implement: (conventions) => {
      const formula = instantiate(variant, parameters, conventions);
      const { row, termCount, terms } = evaluatorLoops(formula);
      return {
        name: variant.name,
        symmetric: variant.symmetric,
        minIou: variant.minIou,
        double: {
          parameters: new Float64Array(0),
          row,
          termCount,
          ...(terms === undefined ? undefined : { terms }),
        },
      } satisfies MetricImplementation;
    },
  };
}

/** Guards that bind under the conventions, as constants; those given replace the library's. */
function constantGuards(
  metric: string,
  conventions: MetricConventions,
  replacing: Readonly<Record<string, number>>,
): Guards {
  const values: Record<string, number> = { ...defaultGuards, ...guardsFor(metric, conventions) };
  const names = Object.keys(defaultGuards);
  const binding = names
    .map((name) => [name, replacing[name] ?? values[name]!] as const)
    .filter(([, value]) => value !== 0 && Math.abs(value) !== unbounded);
  return Object.fromEntries(binding.map(([name, value]) => [name, constant(value)]));
}

/** The formula of a variant with every run-time scalar replaced by its value. */
export function instantiate(
  variant: Variant,
  parameters: Readonly<Record<string, number>>,
  conventions: MetricConventions,
): Expression {
  const values = { ...variant.parameters, ...parameters };
  let formula = variant.formula(
    new Terms(constantGuards(variant.guardsOf ?? variant.name, conventions, values)),
  );
  for (const [name, value] of Object.entries(values))
    formula = withParameter(formula, name, given(name, value));
  return formula;
}

function withParameter(formula: Expression, name: string, value: number): Expression {
  return substitute(formula, name, constant(value), 'parameter') ?? formula;
}

const aNames = ['ax1', 'ay1', 'ax2', 'ay2'] as const;
const bNames = ['bx1', 'by1', 'bx2', 'by2'] as const;

/** Row and term loops that run the evaluator. */
function evaluatorLoops(formula: Expression): { row: RowLoop; termCount: number; terms?: TermsLoop } {
  const graph = buildGraph([formula]);
  const hoisted = termNodes(graph);
  const given = new Map(hoisted.map((id, index) => [id, `term${index}`]));
  const varies = new Set<string>(bNames);
  const program = new Program(graph, graph.outputs, varies, given);
  const aInputs = aNames.map((name) => program.input(name));
  const bInputs = bNames.map((name) => program.input(name));
  const termInputs = hoisted.map((_, index) => program.input(`term${index}`)!);

  const row: RowLoop = (ax1, ay1, ax2, ay2, x1s, y1s, x2s, y2s, terms, from, to, _p, out, at) => {
    const [a0, a1, a2, a3] = aInputs;
    if (a0) a0[0] = ax1;
    if (a1) a1[0] = ay1;
    if (a2) a2[0] = ax2;
    if (a3) a3[0] = ay2;
    program.prepare();
    for (let start = from; start < to; start += programTile) {
      const count = Math.min(programTile, to - start);
      load(x1s, start, count, bInputs[0]!);
      load(y1s, start, count, bInputs[1]!);
      load(x2s, start, count, bInputs[2]!);
      load(y2s, start, count, bInputs[3]!);
      for (let k = 0; k < termInputs.length; k++) load(terms[k]!, start, count, termInputs[k]!);
      program.run(count);
      program.copyResult(0, count, out, at + start - from);
    }
  };
  if (hoisted.length === 0) return { row, termCount: 0 };

  const termProgram = new Program(graph, hoisted, varies);
  const termBoxes = bNames.map((name) => termProgram.input(name));
  const terms: TermsLoop = (x1s, y1s, x2s, y2s, columns, from, to) => {
    termProgram.prepare();
    for (let start = from; start < to; start += programTile) {
      const count = Math.min(programTile, to - start);
      [x1s, y1s, x2s, y2s].forEach((column, k) => {
        load(column, start, count, termBoxes[k]!);
      });
      termProgram.run(count);
      columns.forEach((column, k) => {
        termProgram.copyResult(k, count, column, start);
      });
    }
  };
  return { row, termCount: hoisted.length, terms };
}

function load(column: Column, from: number, count: number, into: Float64Array | null): void {
  if (into === null) return;
  for (let i = 0; i < count; i++) into[i] = column[from + i]!;
}
