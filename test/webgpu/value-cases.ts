/** The GPU's numbers are the CPU's: every metric, every kernel, presets, boxes that are not finite. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  alignedIou,
  alphaIou,
  bestMatch,
  type IouOptions,
  type Metric,
  type MetricName,
  pairwiseIou,
} from '../../src/iou/index.ts';
import { metricWgsl } from '../../src/iou/wgsl.ts';
import { type BatchIou, createBatchIou } from '../../src/webgpu/index.ts';
import { boxesOf } from '../golden/iou/boxes.ts';
import { goldenBatch, metrics, nameOf } from './metrics.ts';
import type { OpenGpu } from './suite.ts';

/** WGSL's exp and log are looser than its arithmetic. */
const toleranceOf = (metric: Metric): number => (/exp\(|log\(/.test(metricWgsl(metric).source) ? 1e-5 : 2e-6);

/** Largest difference, relative beyond 1; NaN must meet NaN. */
function worstError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    const [value, wanted] = [got[i]!, expected[i]!];
    if (Object.is(value, wanted)) continue;
    const error = Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}

/** Compares all three kernels with the CPU in float64; gives what is wrong. */
async function compare(gpu: BatchIou, options: IouOptions): Promise<string[]> {
  const { metric = 'iou' } = options;
  const { a, b, batch } = goldenBatch(metric);
  const [a64, b64] = [Float64Array.from(a), Float64Array.from(b)];
  const tolerance = toleranceOf(metric);
  const rows = Math.min(a.length, b.length);
  const [p, q] = [a.subarray(0, rows), b.subarray(0, rows)];
  const [matrix, aligned, best] = await Promise.all([
    gpu.pairwise(a, b, { ...options, batch }),
    gpu.aligned(p, q, options),
    gpu.bestMatch(a, b, { ...options, batch }),
  ]);
  const expected = bestMatch(a64, b64, { ...options, batch, secondBest: true });
  const errors = [
    ['pairwise', worstError(matrix, pairwiseIou(a64, b64, { ...options, batch }))],
    ['aligned', worstError(aligned, alignedIou(Float64Array.from(p), Float64Array.from(q), options))],
    ['best values', worstError(best.values, expected.values)],
  ] as const;
  const label = `${nameOf(metric)} ${options.preset ?? ''}`;
  const report: string[] = [];
  for (const [what, error] of errors) if (error > tolerance) report.push(`${label} ${what}: ${error}`);
  best.indices.forEach((index, i) => {
    const margin = expected.values[i]! - expected.secondValues![i]!;
    if (index !== expected.indices[i] && !(margin <= tolerance)) {
      report.push(`${label} row ${i}: ${index}, not ${expected.indices[i]} (margin ${margin})`);
    }
  });
  return report;
}

export function valueTests(open: OpenGpu): void {
  describe('values', () => {
    let gpu: BatchIou;
    beforeAll(async () => {
      gpu = await createBatchIou({ gpu: open() });
    });
    afterAll(() => gpu.dispose());

    it('every metric in every kernel equals the CPU, and finds the same best matches', async () => {
      const reports = await Promise.all(metrics.map((metric) => compare(gpu, { metric })));
      expect(reports.flat()).toEqual([]);
    });

    it('every preset does, with the pipelines at hand', async () => {
      const { pipelines } = gpu.stats();
      const named: MetricName[] = ['iou', 'giou', 'diou', 'ciou', 'siou', 'eiou'];
      const reports = await Promise.all(
        (['mmdetection', 'ultralytics', 'detectron2'] as const).flatMap((preset) =>
          named.map((metric) => compare(gpu, { metric, preset })),
        ),
      );
      expect(reports.flat()).toEqual([]);
      expect(gpu.stats().pipelines).toBe(pipelines);
    });

    it('formats and the pixel offset are the core’s', async () => {
      const [a, b] = [boxesOf('pixels', 0), boxesOf('pixels', 1)];
      for (const options of [
        { format: 'cxcywh', metric: 'ciou' },
        { format: 'yxyx', pixelOffset: 1 },
        { pixelOffset: 1, metric: 'giou' },
      ] as const) {
        const expected = pairwiseIou(Float64Array.from(a), Float64Array.from(b), options);
        expect(worstError(await gpu.pairwise(a, b, options), expected)).toBeLessThan(2e-6);
        expect(
          worstError(await gpu.pairwise(Float64Array.from(a), b, options), expected),
          'float64 input',
        ).toBeLessThan(2e-6);
      }
    });

    it('a box that is not finite has NaN and is never matched', async () => {
      const a = new Float32Array([0, 0, 4, 4, Number.NaN, 0, 1, 1, 0, 0, 2, 2]);
      const b = new Float32Array([0, 0, Number.POSITIVE_INFINITY, 4, 0, 0, 4, 4, 0, 0, 4, 4]);
      expect(await gpu.pairwise(a, b)).toEqual(pairwiseIou(a, b));
      expect(await gpu.aligned(a, b)).toEqual(alignedIou(a, b));
      expect(await gpu.bestMatch(a, b)).toEqual(bestMatch(a, b));
      const none = await gpu.bestMatch(a, b.subarray(0, 4));
      expect([...none.values]).toEqual([-Infinity, -Infinity, -Infinity]);
      expect([...none.indices]).toEqual([-1, -1, -1]);
    });

    it('ties go to the lower index', async () => {
      const box = [0, 0, 4, 4];
      const b = Float32Array.from([9, 9, 10, 10, ...box, ...box, ...box]);
      const { indices, values } = await gpu.bestMatch(Float32Array.from([...box, 20, 20, 21, 21]), b);
      expect([...indices]).toEqual([1, 0]);
      expect([...values]).toEqual([1, 0]);
    });

    it('boxes beyond float32 are computed on the CPU, wherever the result goes', async () => {
      for (const set of ['minute', 'vast']) {
        const [a, b] = [boxesOf(set, 0), boxesOf(set, 1)];
        const expected = pairwiseIou(a, b);
        expect(await gpu.pairwise(a, b)).toEqual(expected);
        using result = await gpu.pairwise(a, b, { output: 'buffer' });
        expect(result.byteLength).toBe(expected.byteLength);
      }
      const [a, b] = [boxesOf('huge', 0), boxesOf('huge', 1)];
      for (const metric of ['alphaDiou', 'alphaCiou'] as const) {
        expect(await gpu.pairwise(a, b, { metric })).toEqual(pairwiseIou(a, b, { metric }));
      }
    });

    it('α-DIoU and α-CIoU with α < 0.4 keep their digits where centres all but coincide', async () => {
      // about one centre, up to float32's rounding of the corners
      const about = (step: number): Float32Array =>
        Float32Array.from({ length: 400 }, (_, k) => {
          const side = 1 + step * Math.floor(k / 4);
          return [1000.3 - side, 77.7 - 0.7 * side, 1000.3 + side, 77.7 + 0.7 * side][k % 4]!;
        });
      const [a, b] = [about(2.9), about(1.7)];
      for (const base of ['diou', 'ciou'] as const) {
        for (const alpha of [0.1, 0.2, 0.3, 0.4]) {
          const metric = alphaIou({ base, alpha });
          const expected = pairwiseIou(a, b, { metric });
          expect(worstError(await gpu.pairwise(a, b, { metric }), expected), `${base} ${alpha}`).toBeLessThan(
            1e-5,
          );
        }
      }
    });

    it('α-GIoU with α < 1 keeps its digits where next to nothing of the enclosing box is empty', async () => {
      const metric = alphaIou({ base: 'giou', alpha: 0.5 });
      const outer = Float32Array.from(
        { length: 400 },
        (_, k) => [0.1, 0.2, 10.3, 7.7][k % 4]! * (1 + k / 31),
      );
      const shapes = {
        nested: [1.3, 2.7, -1.1, -1.9],
        'out by a hair': [1.3, 2.7, 1e-5, -1.9],
        'out at a corner': [1.3, 2.7, 3e-5, 2e-5],
        across: [-1.3, 2.7, 1.1, -1.9],
        shifted: [1.3, 2.7, 1.3, 2.7],
        apart: [900, -800, 900, -800],
        beside: [900, 0, 900, 0],
      };
      for (const [shape, moves] of Object.entries(shapes)) {
        const other = outer.map((edge, k) => edge + moves[k % 4]!);
        const expected = alignedIou(Float64Array.from(outer), Float64Array.from(other), { metric });
        for (const pair of [
          [outer, other],
          [other, outer],
        ] as const) {
          const got = await gpu.aligned(...pair, { metric });
          got.forEach((value, i) => {
            expect(Math.abs(value - expected[i]!), `${shape} ${i}`).toBeLessThan(1e-5);
          });
        }
      }
    });
  });
}
