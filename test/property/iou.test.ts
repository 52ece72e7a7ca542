/** Properties that hold for any boxes: orders, symmetries, invariances, bounds, and reductions against the matrix. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatedMetrics } from '../../src/iou/generated/registry.ts';
import {
  alignedIou,
  alphaIou,
  bestMatch,
  completeIou,
  countAbove,
  defineMetric,
  distanceIou,
  focalerIou,
  formula,
  innerIou,
  type Metric,
  type MetricName,
  mpdiou,
  pairwiseIou,
  resolveMetric,
} from '../../src/iou/index.ts';
import { setBackend } from '../../src/kernels/backend.ts';

const names = Object.keys(generatedMetrics).filter((name) => name !== 'mpdiou') as MetricName[];
const built: Metric[] = [
  mpdiou({ width: 640, height: 480 }),
  distanceIou({ exponent: 0.6 }),
  completeIou({ alpha: 'gated' }),
  completeIou({ alpha: 'undetached' }),
  alphaIou({ base: 'giou', alpha: 2 }),
  innerIou({ base: 'ciou', ratio: 0.8 }),
  focalerIou({ base: 'siou' }),
];
const all: Metric[] = [...names, ...built];
const nameOf = (metric: Metric): string => (typeof metric === 'string' ? metric : metric.name);

/** Small whole corners make ties, touching, nested and flat boxes; fractions make the rest. */
const corner = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.double({ min: -50, max: 200, noNaN: true }));
const box = fc
  .tuple(corner, corner, corner, corner)
  .map(([x, y, u, v]) => [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)]);
const solidBox = box.filter(([x1, y1, x2, y2]) => x2! - x1! > 0.1 && y2! - y1! > 0.1);
const boxes = fc.array(box, { minLength: 1, maxLength: 12 }).map((rows) => Float64Array.from(rows.flat()));

function similarity(metric: Metric, a: readonly number[], b: readonly number[]): number {
  const [x1, y1, x2, y2] = a as [number, number, number, number];
  const [u1, v1, u2, v2] = b as [number, number, number, number];
  return resolveMetric(metric).pair(x1, y1, x2, y2, u1, v1, u2, v2);
}

describe('similarities', () => {
  it('GIoU ≤ IoU, DIoU ≤ IoU, CIoU ≤ DIoU, and lie in their ranges', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        const [iou, giou, diou, ciou] = (['iou', 'giou', 'diou', 'ciou'] as const).map((m) =>
          similarity(m, a, b),
        ) as [number, number, number, number];
        const slack = 1e-9;
        expect(iou).toBeGreaterThanOrEqual(0);
        expect(iou).toBeLessThanOrEqual(1 + slack);
        expect(giou).toBeLessThanOrEqual(iou + slack);
        expect(giou).toBeGreaterThanOrEqual(-1 - slack);
        expect(diou).toBeLessThanOrEqual(iou + slack);
        expect(ciou).toBeLessThanOrEqual(diou + slack);
      }),
    );
  });

  it('identical boxes give 1', () => {
    fc.assert(
      fc.property(solidBox, (a) => {
        for (const metric of all) {
          // α-IoU's eps and NWD's eps keep them a little off 1; Powerful-IoU v2 is 1 − 3λe^(−λ²)·0.
          const tolerance = nameOf(metric) === 'nwd' ? 1e-4 : 1e-6;
          expect(Math.abs(similarity(metric, a, a) - 1), nameOf(metric)).toBeLessThan(tolerance);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('symmetric metrics are', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        for (const metric of all) {
          if (!resolveMetric(metric).symmetric) continue;
          expect(similarity(metric, a, b), nameOf(metric)).toBeCloseTo(similarity(metric, b, a), 9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('translation and uniform scale leave IoU, GIoU, DIoU, CIoU, EIoU, SIoU and α-IoU as they are', () => {
    const metrics = ['iou', 'giou', 'diou', 'ciou', 'eiou', 'siou', 'alphaIou', 'alphaGiou'] as const;
    fc.assert(
      fc.property(
        solidBox,
        solidBox,
        fc.integer({ min: -64, max: 64 }),
        fc.integer({ min: -3, max: 3 }),
        (a, b, shift, exponent) => {
          const scale = 2 ** exponent;
          const move = (from: readonly number[]): number[] => from.map((value) => (value + shift) * scale);
          for (const metric of metrics) {
            const before = similarity(metric, a, b);
            expect(Math.abs(similarity(metric, move(a), move(b)) - before), metric).toBeLessThan(1e-4);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are never NaN on finite boxes, under any preset', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        for (const metric of all) {
          for (const preset of ['torchvision', 'ultralytics', 'mmdetection', 'detectron2'] as const) {
            for (const usage of ['matrix', 'loss'] as const) {
              const [x1, y1, x2, y2] = a as [number, number, number, number];
              const [u1, v1, u2, v2] = b as [number, number, number, number];
              const value = resolveMetric(metric, { preset, usage }).pair(x1, y1, x2, y2, u1, v1, u2, v2);
              expect(value, `${nameOf(metric)} ${preset}`).not.toBeNaN();
            }
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('a pair without area has IoU 0 in every preset', () => {
    const flat = fc.tuple(corner, corner, corner).map(([x, y, u]) => [Math.min(x, u), y, Math.max(x, u), y]);
    fc.assert(
      fc.property(flat, flat, (a, b) => {
        for (const preset of ['torchvision', 'ultralytics', 'mmdetection', 'detectron2'] as const) {
          expect(pairwiseIou(Float64Array.from(a), Float64Array.from(b), { preset })[0]).toBeCloseTo(0, 5);
        }
      }),
    );
  });
});

describe('minIou', () => {
  for (const metric of all) {
    it(`${nameOf(metric)}: a similarity above t implies a plain IoU above minIou(t)`, () => {
      fc.assert(
        fc.property(box, box, fc.double({ min: -0.5, max: 1.2, noNaN: true }), (a, b, threshold) => {
          const iou = similarity('iou', a, b);
          for (const preset of [undefined, 'ultralytics', 'mmdetection'] as const) {
            const resolved = resolveMetric(metric, preset === undefined ? {} : { preset });
            const [x1, y1, x2, y2] = a as [number, number, number, number];
            const [u1, v1, u2, v2] = b as [number, number, number, number];
            const value = resolved.pair(x1, y1, x2, y2, u1, v1, u2, v2);
            // Both a threshold drawn and one just below the value.
            for (const t of [threshold, value - 1e-12]) {
              const bound = resolved.minIou(t);
              if (value > t && bound !== null) expect(iou).toBeGreaterThanOrEqual(bound - 1e-9);
            }
          }
        }),
        { numRuns: 60 },
      );
    });

    it(`${nameOf(metric)}: the same in float32`, () => {
      fc.assert(
        fc.property(boxes, boxes, (a, b) => {
          const [a32, b32] = [Float32Array.from(a), Float32Array.from(b)];
          const values = pairwiseIou(a32, b32, { metric });
          const ious = pairwiseIou(Float64Array.from(a32), Float64Array.from(b32));
          const resolved = resolveMetric(metric);
          for (let i = 0; i < values.length; i++) {
            const bound = resolved.minIou(values[i]!);
            if (bound !== null) expect(ious[i]).toBeGreaterThanOrEqual(bound - 3e-7);
          }
        }),
        { numRuns: 20 },
      );
    });
  }
});

describe.each(['simd', 'javascript'] as const)(
  'jobs over many boxes agree with single pairs, %s',
  (backend) => {
    beforeAll(() => setBackend(backend));
    afterAll(() => setBackend('auto'));

    it('matrix, aligned, best match, counts, batches', () => {
      fc.assert(
        fc.property(boxes, boxes, fc.constantFrom(...all), fc.boolean(), (a, b, metric, float32) => {
          const [left, right] = float32 ? [Float32Array.from(a), Float32Array.from(b)] : [a, b];
          const [n, m] = [left.length / 4, right.length / 4];
          const matrix = pairwiseIou(left, right, { metric });
          for (let i = 0; i < n; i++) {
            for (let j = 0; j < m; j++) {
              const pair = similarity(
                metric,
                [...left.subarray(4 * i, 4 * i + 4)],
                [...right.subarray(4 * j, 4 * j + 4)],
              );
              expect(Math.abs(matrix[i * m + j]! - pair)).toBeLessThan(1e-6 * Math.max(1, Math.abs(pair)));
            }
          }
          const k = Math.min(n, m);
          const aligned = alignedIou(left.subarray(0, 4 * k), right.subarray(0, 4 * k), { metric });
          // Not bit for bit: one extreme box sends its whole call to float64.
          for (let i = 0; i < k; i++) {
            const value = matrix[i * m + i]!;
            expect(Math.abs(aligned[i]! - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
          }
          const best = bestMatch(left, right, { metric });
          const threshold = matrix[0]!;
          const above = countAbove(left, right, { metric, threshold });
          const atLeast = countAbove(left, right, { metric, threshold, comparator: '>=' });
          for (let i = 0; i < n; i++) {
            const row = Array.from(matrix.subarray(i * m, (i + 1) * m));
            expect(best.indices[i]).toBe(row.indexOf(Math.max(...row)));
            expect(above[i]).toBe(row.filter((value) => value > threshold).length);
            expect(atLeast[i]).toBe(row.filter((value) => value >= threshold).length);
          }
          // Two images: rows and columns cut somewhere.
          const [p, q] = [n >> 1, (m + 1) >> 1];
          const batch = { a: [0, p, n], b: [0, q, m] };
          const parts = pairwiseIou(left, right, { metric, batch });
          expect(parts.length).toBe(p * q + (n - p) * (m - q));
          for (let i = 0; i < p; i++)
            for (let j = 0; j < q; j++) expect(parts[i * q + j]).toBe(matrix[i * m + j]);
          for (let i = p; i < n; i++) {
            for (let j = q; j < m; j++)
              expect(parts[p * q + (i - p) * (m - q) + j - q]).toBe(matrix[i * m + j]);
          }
          const matched = bestMatch(left, right, { metric, batch });
          const counted = countAbove(left, right, { metric, batch, threshold });
          for (let i = 0; i < n; i++) {
            const [from, to] = i < p ? [0, q] : [q, m];
            const row = Array.from(matrix.subarray(i * m + from, i * m + to));
            const index = row.length === 0 ? -1 : from + row.indexOf(Math.max(...row));
            expect(matched.indices[i]).toBe(index);
            expect(counted[i]).toBe(row.filter((value) => value > threshold).length);
          }
        }),
        { numRuns: 60 },
      );
    });

    it('one call has one precision: a very narrow box in an image without partners', () => {
      const right = Float32Array.from({ length: 40 }, (_, k) => 3 + 17.3 * (k % 4 > 1 ? 2 : 1) + k / 7);
      const left = Float32Array.from([0, 0, 1e-30, 9, ...right.map((value) => value + 1.1)]);
      const [n, m] = [11, 10];
      for (const metric of all) {
        const matrix = pairwiseIou(left, right, { metric });
        // The first image has no columns, the second all, the third no columns again, the fourth nothing.
        const batch = { a: [0, 1, n, n, n], b: [0, 0, m, m, m] };
        expect(pairwiseIou(left, right, { metric, batch }), nameOf(metric)).toEqual(matrix.subarray(m));
        const { values } = bestMatch(left, right, { metric, batch });
        const best = bestMatch(left, right, { metric }).values;
        expect(values.subarray(1), nameOf(metric)).toEqual(best.subarray(1));
        expect(values[0]).toBe(Number.NEGATIVE_INFINITY);
      }
    });

    it('anyAbove agrees with the values', () => {
      fc.assert(
        fc.property(boxes, box, fc.constantFrom(...all), fc.boolean(), (columns, b, metric, inclusive) => {
          const resolved = resolveMetric(metric);
          const n = columns.length / 4;
          for (const Columns of [Float32Array, Float64Array]) {
            const [x1s, y1s, x2s, y2s] = [0, 1, 2, 3].map(
              (k) => new Columns(Array.from({ length: n }, (_, i) => columns[4 * i + k]!)),
            ) as [Float64Array, Float64Array, Float64Array, Float64Array];
            const [u1, v1, u2, v2] = (Columns === Float32Array ? b.map(Math.fround) : b) as [
              number,
              number,
              number,
              number,
            ];
            const row = new Float64Array(n);
            resolved.row(u1, v1, u2, v2, x1s, y1s, x2s, y2s, 0, n, row, 0);
            const terms = resolved.createTerms(x1s, n);
            resolved.fillTerms(x1s, y1s, x2s, y2s, 0, n, terms);
            for (const threshold of [row[0]!, 0, 0.3]) {
              for (let from = 0; from < n; from++) {
                const expected = row
                  .subarray(from)
                  .some((value) => value > threshold || (inclusive && value === threshold));
                const args = [x1s, y1s, x2s, y2s, from, n, u1, v1, u2, v2, threshold, inclusive] as const;
                expect(resolved.anyAbove(...args)).toBe(expected);
                expect(resolved.anyAbove(...args, terms)).toBe(expected);
              }
            }
          }
        }),
        { numRuns: 60 },
      );
    });

    it("a caller's own formula equals the built-in one", () => {
      const own = defineMetric({
        name: 'own-giou',
        formula: (terms) =>
          formula.sub(
            formula.ratio(terms.intersection, terms.union),
            formula.ratio(formula.sub(terms.enclosingArea, terms.union), terms.enclosingArea),
          ),
      });
      fc.assert(
        fc.property(boxes, boxes, (a, b) => {
          const expected = pairwiseIou(a, b, { metric: 'giou' });
          const got = pairwiseIou(a, b, { metric: own });
          for (let i = 0; i < expected.length; i++) expect(got[i]).toBeCloseTo(expected[i]!, 12);
        }),
        { numRuns: 40 },
      );
    });
  },
);
