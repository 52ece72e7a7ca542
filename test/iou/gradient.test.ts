/**
 * Analytic gradients against central differences in float64, for every variant, combination and preset: 1000 pairs each,
 * a quarter overlapping, disjoint, containing and nearly touching. Detached terms stay frozen at their values; pairs
 * within 1e-3 of a kink (coinciding edges, gates, clamps) are drawn again.
 */
import { describe, expect, it } from 'vitest';
import type { Preset } from '../../src/boxes/types.ts';
import { add, type Expression, sub } from '../../src/iou/formula/expression.ts';
import { buildGraph } from '../../src/iou/formula/graph.ts';
import { Program, programTile } from '../../src/iou/formula/program.ts';
import { instantiate } from '../../src/iou/formula-metric.ts';
import { formulaOf } from '../../src/iou/formula-of.ts';
import { generatedMetrics } from '../../src/iou/generated/registry.ts';
import { iouGradient } from '../../src/iou/gradient.ts';
import {
  alphaIou,
  completeIou,
  defineMetric,
  distanceIou,
  focalerIou,
  formula,
  innerIou,
  type Metric,
  type MetricName,
  mpdiou,
  shapeIou,
} from '../../src/iou/index.ts';

const inputs = ['ax1', 'ay1', 'ax2', 'ay2', 'bx1', 'by1', 'bx2', 'by2'];
const step = 1e-4;
const margin = 1e-3;

let state = 1;
function random(low: number, high: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return low + ((high - low) * state) / 2 ** 32;
}

type Kind = 'overlapping' | 'disjoint' | 'containing' | 'touching';
const kinds: Kind[] = ['overlapping', 'disjoint', 'containing', 'touching'];

/** A pair as eight corners. */
function drawPair(kind: Kind): number[] {
  const [w, h] = [random(2, 30), random(2, 30)];
  const [x, y] = [random(-20, 20), random(-20, 20)];
  const a = [x, y, x + w, y + h];
  if (kind === 'overlapping') {
    const [dx, dy] = [random(-0.8, 0.8) * w, random(-0.8, 0.8) * h];
    return [...a, x + dx, y + dy, x + dx + w * random(0.9, 1.5), y + dy + h * random(0.9, 1.5)];
  }
  if (kind === 'disjoint') {
    const [dx, dy] = [w + random(0.5, 20), random(-30, 30)];
    return [...a, x + dx, y + dy, x + dx + random(2, 30), y + dy + random(2, 30)];
  }
  if (kind === 'containing') {
    const [l, t] = [random(0.05, 0.4), random(0.05, 0.4)];
    const inner = [x + l * w, y + t * h, x + w * random(0.5, 0.95), y + h * random(0.5, 0.95)];
    return random(0, 1) < 0.5 ? [...a, ...inner] : [...inner, ...a];
  }
  const gap = random(2e-3, 1e-2) * (random(0, 1) < 0.5 ? -1 : 1);
  const dy = random(-0.5, 0.5) * h;
  return [...a, x + w + gap, y + dy, x + w + gap + random(2, 30), y + dy + random(2, 30)];
}

/** Distances to the formula's kinks: differences of what min, max, select and step compare, and |x|. */
function kinksOf(expression: Expression): Expression[] {
  const seen = new Set<Expression>();
  const kinks: Expression[] = [];
  const visit = (node: Expression): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const [x, y] = node.inputs;
    node.inputs.forEach(visit);
    if (['min', 'max', 'select', 'step'].includes(node.operation)) kinks.push(sub(x!, y!));
    if (node.operation === 'abs') kinks.push(x!);
  };
  visit(expression);
  return kinks;
}

/** Runs a program with a value an input a pair, and gives result k of every pair. */
function runAll(
  program: Program,
  names: readonly string[],
  columns: readonly Float64Array[],
  results: number,
): Float64Array[] {
  const count = columns[0]!.length;
  const out = Array.from({ length: results }, () => new Float64Array(count));
  program.prepare();
  for (let start = 0; start < count; start += programTile) {
    const size = Math.min(programTile, count - start);
    names.forEach((name, k) => {
      program.input(name)?.set(columns[k]!.subarray(start, start + size));
    });
    program.run(size);
    out.forEach((values, k) => {
      program.copyResult(k, size, values, start);
    });
  }
  return out;
}

/** Draws pairs away from kinks: 250 of each kind. */
function drawPairs(expression: Expression): Float64Array[] {
  const kinks = kinksOf(expression);
  // A dummy keeps the program valid for formulas without kinks.
  const graph = buildGraph([add(expression, 0), ...kinks]);
  const program = new Program(graph, graph.outputs, new Set(inputs));
  const pairs: number[][] = [];
  for (const kind of kinds) {
    let found = 0;
    for (let round = 0; found < 250; round++) {
      expect(round).toBeLessThan(200);
      const drawn = Array.from({ length: 250 }, () => drawPair(kind));
      const columns = inputs.map((_, k) => Float64Array.from(drawn, (pair) => pair[k]!));
      const values = runAll(program, inputs, columns, 1 + kinks.length);
      drawn.forEach((pair, i) => {
        // Below 1e-8 both sides are one function up to an eps (α-GIoU's enclosing area and union of nested boxes):
        // random corners do not come that near a real kink.
        const near = values.slice(1).some((distance) => {
          const size = Math.abs(distance[i]!);
          return size < margin && size > 1e-8;
        });
        if (!near && found < 250) {
          pairs.push(pair);
          found++;
        }
      });
    }
  }
  return inputs.map((_, k) => Float64Array.from(pairs, (pair) => pair[k]!));
}

function check(metric: Metric, preset?: Preset): void {
  const usage = 'loss';
  const conventions = preset === undefined ? ({ usage } as const) : ({ usage, preset } as const);
  const { variant, parameters } = formulaOf(metric);
  const expression = instantiate(variant, parameters, conventions);
  const columns = drawPairs(expression);
  const count = columns[0]!.length;
  expect(count).toBe(1000);

  const graph = buildGraph([expression]);
  const detached = graph.nodes.filter((node) => node.operation === 'detach').map((node) => node.id);
  const frozenNames = detached.map((id) => `frozen${id}`);
  const frozen =
    detached.length === 0
      ? []
      : runAll(new Program(graph, detached, new Set(inputs)), inputs, columns, detached.length);
  const program = new Program(
    graph,
    graph.outputs,
    new Set(inputs),
    new Map(detached.map((id, k) => [id, frozenNames[k]!])),
  );
  const names = [...inputs, ...frozenNames];

  const a = new Float64Array(4 * count);
  const b = new Float64Array(4 * count);
  columns.forEach((column, k) => {
    for (let i = 0; i < count; i++) (k < 4 ? a : b)[4 * i + (k & 3)] = column[i]!;
  });
  const result = iouGradient(a, b, { metric, ...conventions, withTarget: true });
  const [value] = runAll(program, names, [...columns, ...frozen], 1);
  let largest = 0;
  for (let i = 0; i < count; i++) expect(result.values[i]).toBeCloseTo(value![i]!, 12);
  for (let k = 0; k < 8; k++) {
    const moved = (by: number): Float64Array => {
      const shifted = columns.map((column, c) => (c === k ? column.map((x) => x + by) : column));
      return runAll(program, names, [...shifted, ...frozen], 1)[0]!;
    };
    const above = moved(step);
    const below = moved(-step);
    const analytic = k < 4 ? result.gradient : result.targetGradient!;
    for (let i = 0; i < count; i++) {
      const all = [
        ...result.gradient.subarray(4 * i, 4 * i + 4),
        ...result.targetGradient!.subarray(4 * i, 4 * i + 4),
      ];
      const scale = Math.max(1, ...all.map(Math.abs));
      const error = Math.abs((above[i]! - below[i]!) / (2 * step) - analytic[4 * i + (k & 3)]!) / scale;
      if (!(error <= largest)) largest = error;
    }
  }
  expect(largest).toBeLessThan(1e-6);
}

describe('gradients equal central differences', () => {
  for (const name of Object.keys(generatedMetrics)) {
    it(name, () => check(name === 'mpdiou' ? mpdiou({ width: 64, height: 48 }) : (name as MetricName)));
  }
  const built: Metric[] = [
    distanceIou({ exponent: 0.6 }),
    completeIou({ alpha: 'gated' }),
    completeIou({ alpha: 'undetached' }),
    alphaIou({ base: 'ciou', alpha: 1.7 }),
    shapeIou({ scale: 1.5 }),
    innerIou({ base: 'ciou', ratio: 0.8 }),
    innerIou({ base: 'siou', ratio: 1.3 }),
    focalerIou({ base: 'eiou', d: 0.1, u: 0.7 }),
    defineMetric({
      name: 'dice',
      formula: ({ a, b, intersection }) =>
        formula.ratio(formula.mul(2, intersection), formula.add(a.area, b.area)),
    }),
  ];
  for (const metric of built) it(`${(metric as { name: string }).name}`, () => check(metric));
  it('siou, mmdetection', () => check('siou', 'mmdetection'));
  for (const preset of ['ultralytics', 'mmdetection', 'detectron2'] as const) {
    for (const metric of ['iou', 'giou', 'diou', 'ciou'] as const) {
      it(`${metric}, ${preset}`, () => check(metric, preset));
    }
  }
});

describe('iouGradient', () => {
  const p = new Float64Array([0, 0, 10, 20, 3, 4, 9, 12]);
  const g = new Float64Array([5, 5, 25, 10, 2, 3, 8, 14]);

  it('follows the format of the boxes', () => {
    for (const format of ['xywh', 'cxcywh', 'yxyx', 'cxcywhn'] as const) {
      const [from, to] = [p, g].map((boxes) =>
        boxes.map((_, i) => {
          const k = i - (i % 4);
          const [x1, y1, x2, y2] = boxes.subarray(k, k + 4) as unknown as [number, number, number, number];
          const rows = {
            xywh: [x1, y1, x2 - x1, y2 - y1],
            cxcywh: [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1],
            yxyx: [y1, x1, y2, x2],
          };
          return rows[format === 'cxcywhn' ? 'cxcywh' : format][i % 4]!;
        }),
      ) as [Float64Array, Float64Array];
      const { gradient, values } = iouGradient(from, to, { metric: 'ciou', format });
      expect(values[0]).toBeCloseTo(iouGradient(p, g, { metric: 'ciou' }).values[0]!, 12);
      const giou = iouGradient(from, to, { metric: 'giou', format });
      for (let k = 0; k < 8; k++) {
        const moved = (by: number): number => {
          const shifted = from.slice();
          shifted[k]! += by;
          return iouGradient(shifted, to, { metric: 'giou', format }).values[k >> 2]!;
        };
        expect(giou.gradient[k]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 7);
      }
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });

  it('of a ratio whose divisor is 0 is that of its other value', () => {
    const metric = defineMetric({
      name: 'iou in the end',
      formula: ({ iou, intersection }) => formula.ratio(intersection, formula.select(iou, 0.9, 1, 0), iou),
    });
    const expected = iouGradient(p, g, { usage: 'matrix', withTarget: true });
    expect(iouGradient(p, g, { metric, usage: 'matrix', withTarget: true })).toEqual(expected);
  });

  it('stays finite on degenerate pairs, and marks pairs that are not finite', () => {
    const a = new Float64Array([0, 0, 0, 0, 5, 5, 5, 9, 0, 0, 4, 4, 0, 0, Number.NaN, 1, 1, 1, 3, 1]);
    const b = new Float64Array([0, 0, 0, 0, 5, 5, 5, 9, 0, 0, 4, 4, 0, 0, 1, 1, 2, 2, 2, 2]);
    for (const name of Object.keys(generatedMetrics)) {
      const metric = name === 'mpdiou' ? mpdiou({ width: 64, height: 48 }) : (name as MetricName);
      for (const usage of ['matrix', 'loss'] as const) {
        const { values, gradient, targetGradient } = iouGradient(a, b, { metric, usage, withTarget: true });
        expect(values[3]).toBeNaN();
        for (const i of [0, 1, 2, 4]) expect(values[i], `${name} value ${i}`).not.toBeNaN();
        expect(gradient.every(Number.isFinite), `${name} ${usage} gradient ${gradient}`).toBe(true);
        expect(targetGradient!.every(Number.isFinite), `${name} ${usage} target gradient`).toBe(true);
      }
    }
  });

  it('writes into out and refuses what does not fit', () => {
    const out = { values: new Float64Array(2), gradient: new Float64Array(8) };
    const result = iouGradient(p, g, { out });
    expect(result.values).toBe(out.values);
    expect(result.gradient).toBe(out.gradient);
    expect(result.targetGradient).toBeUndefined();
    expect(() => iouGradient(p, g.subarray(4))).toThrow(/target of length 8, got 4/);
    expect(() => iouGradient(p, g, { out: { values: out.values, gradient: out.values } })).toThrow(
      /at least 8/,
    );
  });
});
