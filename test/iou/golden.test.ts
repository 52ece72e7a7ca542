/** IoU values and gradients against torchvision and against restatements in torch, see test/golden/iou. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Preset } from '../../src/boxes/types.ts';
import { iouGradient } from '../../src/iou/gradient.ts';
import {
  alignedIou,
  alphaIou,
  bestMatch,
  completeIou,
  distanceIou,
  focalerIou,
  innerIou,
  type Metric,
  mpdiou,
  nwd,
  pairwiseIou,
  resolveMetric,
  shapeIou,
} from '../../src/iou/index.ts';
import { setBackend } from '../../src/kernels/backend.ts';
import alignedGolden from '../golden/iou/aligned.json';
import { boxesOf, setNames } from '../golden/iou/boxes.ts';
import lossGolden from '../golden/iou/losses.json';
import matrixGolden from '../golden/iou/matrices.json';

type Numbers = (number | null)[];
const matrices = matrixGolden as unknown as Record<string, Record<string, Numbers>>;
const aligned = alignedGolden as unknown as Record<string, Record<string, Record<string, Numbers>>>;
const losses = lossGolden as unknown as Record<string, Record<string, Numbers>>;

/** Largest |got − expected| where the reference is a number, relative to max(1, largest expected). */
function worst(got: ArrayLike<number>, expected: Numbers): { error: number; compared: number } {
  expect(got.length).toBe(expected.length);
  let error = 0;
  let compared = 0;
  let largest = 1;
  expected.forEach((value, i) => {
    if (value === null) return;
    compared++;
    largest = Math.max(largest, Math.abs(value));
    const difference = Math.abs(got[i]! - value);
    error = Math.max(error, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  });
  return { error: error / largest, compared };
}

// Everything below runs on the SIMD kernels and again on the JavaScript loops.
const backends = ['simd', 'javascript'] as const;
afterAll(() => setBackend('auto'));

describe.each(backends)('torchvision, in float64 on float32 inputs, %s', (backend) => {
  beforeAll(() => setBackend(backend));

  for (const set of setNames) {
    for (const metric of ['iou', 'giou', 'diou', 'ciou'] as const) {
      it(`${metric} of ${set} boxes within 1e-6`, () => {
        const a = boxesOf(set, 0);
        const b = boxesOf(set, 1);
        const expected = matrices[set]![metric]!;
        const single = worst(pairwiseIou(a, b, { metric }), expected);
        expect(single.error).toBeLessThan(1e-6);
        expect(single.compared).toBeGreaterThan(expected.length / 2);
        const double = pairwiseIou(Float64Array.from(a), Float64Array.from(b), { metric });
        expect(double).toBeInstanceOf(Float64Array);
        expect(worst(double, expected).error).toBeLessThan(1e-8);
      });
    }
    it(`float32 IoU of ${set} boxes bit for bit where torch stays finite`, () => {
      if (['minute', 'huge', 'vast'].includes(set)) return; // float32 products leave its range: computed in float64
      const got = pairwiseIou(boxesOf(set, 0), boxesOf(set, 1));
      matrices[set]!.iouFloat32!.forEach((value, i) => {
        if (value !== null) expect(got[i]).toBe(Math.fround(value));
      });
    });
  }

  it('two boxes without area have IoU 0 where torchvision has NaN', () => {
    const got = pairwiseIou(boxesOf('lattice', 0), boxesOf('lattice', 1));
    let nans = 0;
    matrices.lattice!.iou!.forEach((value, i) => {
      if (value !== null) return;
      nans++;
      expect(got[i]).toBe(0);
    });
    expect(nans).toBeGreaterThan(0);
  });
});

const metrics: Record<string, Metric> = {
  'alphaCiou 1.5': alphaIou({ base: 'ciou', alpha: 1.5 }),
  'shapeIou 1.5': shapeIou({ scale: 1.5 }),
  'nwd 40': nwd({ constant: 40 }),
  mpdiou: mpdiou({ width: 640, height: 480 }),
  'diou 0.6': distanceIou({ exponent: 0.6 }),
  'ciou gated': completeIou({ alpha: 'gated' }),
  'ciou undetached': completeIou({ alpha: 'undetached' }),
  'inner iou': innerIou({ ratio: 0.7 }),
  'inner siou': innerIou({ base: 'siou', ratio: 1.3 }),
  'inner ciou': innerIou({ base: 'ciou', ratio: 0.8 }),
  'focaler iou': focalerIou(),
  'focaler eiou': focalerIou({ base: 'eiou', d: 0.1, u: 0.7 }),
};

interface Rule {
  readonly metric: Metric;
  readonly preset?: Preset;
  readonly usage: 'matrix' | 'loss';
}

function ruleOf(key: string): Rule {
  const [library, name] = key.split(' ') as [string, string];
  if (key === 'ultralytics box_iou') return { metric: 'iou', preset: 'ultralytics', usage: 'matrix' };
  if (library === 'torchvision' || library === 'ultralytics' || library === 'mmdetection') {
    return { metric: name as Metric, preset: library, usage: 'loss' };
  }
  return { metric: metrics[key] ?? (key as Metric), usage: 'matrix' };
}

/** Pairs of a golden: every box with the box of the same place and with the one before. */
function pairsOf(set: string): { p: Float32Array<ArrayBuffer>; g: Float32Array<ArrayBuffer> } {
  const a = boxesOf(set, 0);
  const b = boxesOf(set, 1);
  const n = Math.min(a.length, b.length) / 4;
  const p = new Float32Array(8 * n);
  const g = new Float32Array(8 * n);
  for (let i = 0; i < n; i++) {
    p.set(a.subarray(4 * i, 4 * i + 4), 4 * i);
    p.set(a.subarray(4 * i, 4 * i + 4), 4 * (n + i));
    g.set(b.subarray(4 * i, 4 * i + 4), 4 * i);
    const before = (i + n - 1) % n;
    g.set(b.subarray(4 * before, 4 * before + 4), 4 * (n + i));
  }
  return { p, g };
}

describe('restatements in torch float64, with autograd', () => {
  for (const [key, sets] of Object.entries(aligned)) {
    if (key === 'versions') continue;
    it(key, () => {
      const rule = ruleOf(key);
      for (const [set, expected] of Object.entries(sets)) {
        const { p, g } = pairsOf(set);
        const p64 = Float64Array.from(p);
        const g64 = Float64Array.from(g);
        const result = iouGradient(p64, g64, { ...rule, withTarget: true });
        expect(worst(result.values, expected.values!).error, `${set} values`).toBeLessThan(2e-8);
        if (expected.dp !== undefined) {
          // Identical boxes come first and are a kink of every min and max: there torch's ½ is followed as well.
          expect(worst(result.gradient, expected.dp).error, `${set} gradient`).toBeLessThan(1e-6);
          expect(worst(result.targetGradient!, expected.dg!).error, `${set} target`).toBeLessThan(1e-6);
        }
        const resolved = resolveMetric(rule.metric, rule);
        expected.values!.forEach((value, i) => {
          const k = 4 * i;
          const pair = resolved.pair(
            p[k]!,
            p[k + 1]!,
            p[k + 2]!,
            p[k + 3]!,
            g[k]!,
            g[k + 1]!,
            g[k + 2]!,
            g[k + 3]!,
          );
          if (value !== null)
            expect(Math.abs(pair - value)).toBeLessThan(2e-8 * Math.max(1, Math.abs(value)));
        });
        if (rule.usage === 'matrix') {
          const { metric, preset } = rule;
          const float32 = alignedIou(p, g, { metric, ...(preset && { preset }) });
          expect(worst(float32, expected.values!).error, `${set} float32`).toBeLessThan(1e-6);
        }
      }
    });
  }
});

describe("torchvision's losses and their autograd", () => {
  for (const [key, expected] of Object.entries(losses)) {
    if (key === 'versions') continue;
    it(key, () => {
      const [set, metric] = key.split(' ') as [string, Metric];
      const p = boxesOf(set, 0).slice(0, 32);
      const b = boxesOf(set, 1);
      const g = new Float32Array(32);
      g.set(b.subarray(28, 32));
      g.set(b.subarray(0, 28), 4);
      const result = iouGradient(Float64Array.from(p), Float64Array.from(g), {
        metric,
        preset: 'torchvision',
      });
      expect(
        worst(
          result.values.map((value) => 1 - value),
          expected.values!,
        ).error,
      ).toBeLessThan(1e-8);
      expect(
        worst(
          result.gradient.map((value) => -value),
          expected.dp!,
        ).error,
      ).toBeLessThan(1e-7);
    });
  }
});

describe('published tables', () => {
  const int = new Float32Array([0, 0, 100, 100, 0, 0, 50, 50, 200, 200, 300, 300, 0, 0, 25, 25]);
  const near = (got: ArrayLike<number>, expected: number[], tolerance: number): void => {
    expect(worst(got, expected).error).toBeLessThan(tolerance);
  };

  it("torchvision's integer boxes", () => {
    const columns = int.subarray(0, 12);
    near(pairwiseIou(int, columns), [1, 0.25, 0, 0.25, 1, 0, 0, 0, 1, 0.0625, 0.25, 0], 1e-4);
    near(
      pairwiseIou(int, columns, { metric: 'giou' }),
      [1, 0.25, -0.7778, 0.25, 1, -0.8611, -0.7778, -0.8611, 1, 0.0625, 0.25, -0.8819],
      1e-4,
    );
    const distance = [1, 0.1875, -0.4444, 0.1875, 1, -0.5625, -0.4444, -0.5625, 1, -0.0781, 0.1875, -0.6267];
    near(pairwiseIou(int, columns, { metric: 'diou' }), distance, 1e-4);
    near(pairwiseIou(int, columns, { metric: 'ciou' }), distance, 1e-4);
  });

  it("torchvision's float boxes", () => {
    const boxes = new Float32Array([
      285.3538, 185.5758, 1193.511, 851.4551, 285.1472, 188.7374, 1192.4984, 851.0669, 279.244, 197.9812,
      1189.4746, 849.2019,
    ]);
    const table = [1, 0.9933, 0.9673, 0.9933, 1, 0.9737, 0.9673, 0.9737, 1];
    for (const metric of ['iou', 'giou', 'diou', 'ciou'] as const)
      near(pairwiseIou(boxes, boxes, { metric }), table, 1e-3);
  });

  it("torchvision's and detectron2's losses", () => {
    const [b1, b2, b3, b4] = [
      [-1, -1, 1, 1],
      [0, 0, 1, 1],
      [0, 1, 1, 2],
      [1, 1, 2, 2],
    ] as [number[], number[], number[], number[]];
    const loss = (p: number[], g: number[], metric: Metric): number =>
      1 - iouGradient(Float64Array.from(p), Float64Array.from(g), { metric }).values[0]!;
    near(
      [loss(b1, b1, 'giou'), loss(b1, b2, 'giou'), loss(b2, b3, 'giou'), loss(b2, b4, 'giou')],
      [0, 0.75, 1, 1.5],
      1e-6,
    );
    for (const metric of ['diou', 'ciou'] as const) {
      near([loss(b1, b2, metric), loss(b1, b3, metric), loss(b1, b4, metric)], [0.8125, 1.1923, 1.25], 1e-4);
    }
    near([loss(b1, [0, -1, 1, 1], 'diou'), loss(b1, [0, -1, 1, 1], 'ciou')], [0.53125, 0.5345], 1e-4);
    near([loss(b2, b4, 'diou'), loss(b2, b4, 'ciou')], [1.25, 1.25], 1e-4);
  });

  it("mmcv's pixel offset and mmdetection's aligned GIoU", () => {
    const a = new Float32Array([1, 1, 3, 4, 2, 2, 3, 4, 7, 7, 8, 8]);
    const b = new Float32Array([0, 2, 2, 5, 2, 1, 3, 3]);
    near(pairwiseIou(a, b, { pixelOffset: 1 }), [1 / 3, 0.5, 0.2, 0.5, 0, 0], 1e-4);
    const p = new Float32Array([0, 0, 10, 10, 10, 10, 20, 20, 32, 32, 38, 42]);
    const g = new Float32Array([0, 0, 10, 20, 0, 10, 10, 19, 10, 10, 20, 20]);
    near(alignedIou(p, g, { metric: 'giou', preset: 'mmdetection' }), [0.5, -0.05, -0.8214], 1e-4);
  });

  it("supervision's IoU and IOS", () => {
    const a = new Float32Array([100, 100, 200, 200]);
    const b = new Float32Array([150, 150, 250, 250]);
    near([pairwiseIou(a, b)[0]!, pairwiseIou(a, b, { metric: 'ios' })[0]!], [0.142857, 0.25], 1e-5);
  });
});

describe.each(backends)('reductions, %s', (backend) => {
  beforeAll(() => setBackend(backend));

  it('agree with the matrix, ties to the lower index, on every set', () => {
    for (const set of setNames) {
      for (const metric of ['iou', 'iof', 'ios', 'giou', 'diou', 'ciou', 'siou'] as const) {
        const a = boxesOf(set, 0);
        const b = boxesOf(set, 1);
        const [n, m] = [a.length / 4, b.length / 4];
        const matrix = pairwiseIou(a, b, { metric });
        const best = bestMatch(a, b, { metric, secondBest: true, columnBest: true });
        const alone = bestMatch(a, b, { metric });
        expect(alone.indices).toEqual(best.indices);
        expect(alone.values).toEqual(best.values);
        for (let i = 0; i < n; i++) {
          const row = Array.from(matrix.subarray(i * m, i * m + m));
          const order = row.map((_, j) => j).sort((x, y) => row[y]! - row[x]! || x - y);
          expect(best.indices[i]).toBe(order[0]);
          expect(best.values[i]).toBe(row[order[0]!]);
          expect(best.secondIndices![i]).toBe(order[1]);
          expect(best.secondValues![i]).toBe(row[order[1]!]);
        }
        for (let j = 0; j < m; j++) {
          const column = Array.from({ length: n }, (_, i) => matrix[i * m + j]!);
          const index = column.indexOf(Math.max(...column));
          expect(best.columnIndices![j]).toBe(index);
          expect(best.columnValues![j]).toBe(column[index]);
        }
      }
    }
  });
});
