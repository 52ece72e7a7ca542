/** Any metric as WGSL, with the values of its run-time scalars and what the CPU computes once a box. */
import { guardsFor } from './conventions.ts';
import type { Graph } from './formula/graph.ts';
import { buildGraph } from './formula/graph.ts';
import { defaultGuards, fullGuards } from './formula/guards.ts';
import { Program, programTile } from './formula/program.ts';
import { Terms } from './formula/terms.ts';
import { emitWgsl } from './formula/wgsl.ts';
import { instantiate } from './formula-metric.ts';
import { formulaOf } from './formula-of.ts';
import type { Column } from './loops.ts';
import type { Metric, MetricConventions } from './types.ts';

export interface MetricWgsl {
  /** Tells shaders apart: metrics with one key have one source. */
  readonly key: string;
  /** `fn similarity(a: vec4f, b: vec4f, aTerms: vec2f, bTerms: vec2f[, p: MetricParameters]) -> f32`. */
  readonly source: string;
  /** Fields of `MetricParameters`, all f32, in order; empty where the function takes no `p`. */
  readonly parameters: readonly string[];
  /** Their values. */
  readonly values: Float32Array<ArrayBuffer>;
  /** How many terms (at most 2) a box of a, and of b, brings along. */
  readonly aTermCount: number;
  readonly bTermCount: number;
  /** Computes the terms of row-major `x1,y1,x2,y2` boxes: two numbers a box, the unused ones 0. */
  aTerms(corners: Column, out: Float32Array): void;
  bTerms(corners: Column, out: Float32Array): void;
}

/**
 * The WGSL of a metric under a library's conventions. `angles` `'computed'` is for boxes that are on the GPU already: the
 * function then computes what the CPU would have computed once a box.
 */
export function metricWgsl(
  metric: Metric,
  conventions: MetricConventions = {},
  angles: 'given' | 'computed' = 'given',
): MetricWgsl {
  const { variant, parameters } = formulaOf(metric);
  const named = typeof metric === 'string' || typeof metric.variant === 'string';
  // A named variant keeps its scalars as parameters: one shader serves every preset. Others have theirs written in.
  const formula = named
    ? variant.formula(new Terms(fullGuards))
    : instantiate(variant, parameters, conventions);
  const emitted = emitWgsl('similarity', formula, undefined, angles);
  const all: Record<string, number> = {
    ...defaultGuards,
    ...variant.parameters,
    ...guardsFor(variant.guardsOf ?? variant.name, conventions),
    ...parameters,
  };
  const values = Float32Array.from(emitted.parameters, (name) => all[name]!);
  // Angles read guards too: the CPU's formula has them as values.
  const termGraph =
    named && angles === 'given'
      ? angleGraph(instantiate(variant, parameters, conventions))
      : { graph: emitted.graph, a: emitted.aTerms, b: emitted.bTerms };
  return {
    key: named ? `${variant.name}${angles === 'given' ? '' : ' computed'}` : emitted.source,
    source: emitted.source,
    parameters: emitted.parameters,
    values,
    aTermCount: emitted.aTerms.length,
    bTermCount: emitted.bTerms.length,
    aTerms: termFiller(termGraph.graph, termGraph.a, 'a'),
    bTerms: termFiller(termGraph.graph, termGraph.b, 'b'),
  };
}

function angleGraph(formula: Parameters<typeof emitWgsl>[1]): {
  graph: Graph;
  a: readonly number[];
  b: readonly number[];
} {
  const { aTerms, bTerms } = emitWgsl('similarity', formula);
  return { graph: buildGraph([formula]), a: aTerms, b: bTerms };
}

function termFiller(
  graph: Graph,
  terms: readonly number[],
  side: 'a' | 'b',
): (corners: Column, out: Float32Array) => void {
  if (terms.length === 0) return () => {};
  const names = ['x1', 'y1', 'x2', 'y2'].map((corner) => `${side}${corner}`);
  const program = new Program(graph, terms, new Set(names));
  const inputs = names.map((name) => program.input(name));
  return (corners, out) => {
    const count = corners.length / 4;
    program.prepare();
    for (let start = 0; start < count; start += programTile) {
      const size = Math.min(programTile, count - start);
      inputs.forEach((memory, k) => {
        if (memory === null) return;
        for (let i = 0; i < size; i++) memory[i] = corners[4 * (start + i) + k]!;
      });
      program.run(size);
      terms.forEach((_, k) => {
        program.copyResult(k, size, out, 2 * start + k, 2);
      });
    }
  };
}
