/** Box fusion equals ensemble-boxes (WBF, NMW), supervision and SAHI (merging) on seeded sets, and the published example. */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import {
  type Fusion,
  type ModelBoxes,
  nonMaximumMerge,
  nonMaximumWeighted,
  weightedBoxesFusion,
} from '../../src/nms/index.ts';
import golden from '../golden/nms/fusion.json' with { type: 'json' };
import tied from '../golden/nms/merge-ties.json' with { type: 'json' };
import { makeSet } from '../golden/nms/sets.ts';
import { integers } from '../golden/seeded.ts';

interface Summary {
  readonly count: number;
  readonly coordinates: number;
  readonly scores: number;
  readonly labels: number;
  readonly rows: readonly (readonly number[])[];
}

function expectFusion(result: Fusion, expected: Summary, unit: number): void {
  const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
  expect(result.scores.length).toBe(expected.count);
  expect(Math.abs(sum(result.boxes) - expected.coordinates)).toBeLessThan(
    1e-6 * unit * Math.max(4, expected.count),
  );
  expect(Math.abs(sum(result.scores) - expected.scores)).toBeLessThan(1e-6 * Math.max(4, expected.count));
  expect(sum(result.classIds)).toBe(expected.labels);
  // The libraries round some scores to float32, so rows whose scores differ by less may come in the other order.
  const rows = Array.from(result.scores, (score, i) => [
    ...result.boxes.subarray(4 * i, 4 * i + 4),
    score,
    result.classIds[i]!,
  ]);
  expected.rows.forEach((row, i) => {
    const near = rows.slice(Math.max(0, i - 2), i + 3);
    const found = near.some((ours) =>
      ours.every((value, c) => Math.abs(value - row[c]!) < 1e-6 * (c < 4 ? unit : 1)),
    );
    expect(found, `row ${i}: ${row.join(' ')} among ${near.join(' | ')}`).toBe(true);
  });
}

function classesOf(classIds: Int32Array): Int32Array<ArrayBuffer> {
  return Int32Array.from(classIds, (id) => Math.abs(id) % 7);
}

function modelsOf(seed: number, count: number, classes: number): ModelBoxes[] {
  const set = makeSet({ seed, kind: 'detector', count, classes, threshold: 0 });
  const ids = classesOf(set.classIds);
  return [0, 1, 2].map((model) => {
    const rows = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 === model);
    return {
      boxes: Float64Array.from(
        rows.flatMap((i) => [...set.boxes.subarray(4 * i, 4 * i + 4)]),
        (v) => v / 1500,
      ),
      scores: Float64Array.from(rows, (i) => set.scores[i]!),
      classIds: Int32Array.from(rows, (i) => ids[i]!),
    };
  });
}

describe('ensemble-boxes', () => {
  for (const row of golden.fused) {
    it(`seed ${row.seed}, ${row.count} boxes, weights ${row.weights ?? 'equal'}`, () => {
      const models = modelsOf(row.seed, row.count, row.classes);
      const weights = row.weights === null ? {} : { weights: row.weights };
      for (const confType of ['avg', 'max', 'box_and_model_avg', 'absent_model_aware_avg'] as const) {
        expectFusion(weightedBoxesFusion(models, { ...weights, confType }), row[confType], 1);
      }
      expectFusion(weightedBoxesFusion(models, { ...weights, allowsOverflow: true }), row.overflow, 1);
      const strict = { ...weights, skipBoxThreshold: 0.4, iouThreshold: 0.7, normalized: true };
      expectFusion(weightedBoxesFusion(models, strict), row.skip, 1);
      expectFusion(nonMaximumWeighted(models, weights), row.nmw, 1);
    });
  }

  const example: ModelBoxes[] = [
    {
      boxes: Float64Array.of(
        0,
        0.51,
        0.81,
        0.91,
        0.1,
        0.31,
        0.71,
        0.61,
        0.01,
        0.32,
        0.83,
        0.93,
        0.02,
        0.53,
        0.11,
        0.94,
        0.03,
        0.24,
        0.12,
        0.35,
      ),
      scores: Float64Array.of(0.9, 0.8, 0.2, 0.4, 0.7),
      classIds: Int32Array.of(0, 1, 0, 1, 1),
    },
    {
      boxes: Float64Array.of(
        0.04,
        0.56,
        0.84,
        0.92,
        0.12,
        0.33,
        0.72,
        0.64,
        0.38,
        0.66,
        0.79,
        0.95,
        0.08,
        0.49,
        0.21,
        0.89,
      ),
      scores: Float64Array.of(0.5, 0.8, 0.7, 0.3),
      classIds: Int32Array.of(1, 1, 1, 0),
    },
  ];
  const options = { weights: [2, 1], iouThreshold: 0.5, skipBoxThreshold: 1e-4 };

  it("gives the repository's example", () => {
    const fused = weightedBoxesFusion(example, options);
    const expected = [
      [0.10667, 0.31667, 0.71333, 0.62],
      [0.00182, 0.47545, 0.81364, 0.91364],
      [0.03, 0.24, 0.12, 0.35],
      [0.02, 0.53, 0.11, 0.94],
      [0.38, 0.66, 0.79, 0.95],
      [0.04, 0.56, 0.84, 0.92],
      [0.08, 0.49, 0.21, 0.89],
    ].flat();
    expected.forEach((value, i) => {
      expect(fused.boxes[i]).toBeCloseTo(value, 5);
    });
    const close = (values: Iterable<number>, to: readonly number[]): void => {
      [...values].forEach((value, i) => {
        expect(value).toBeCloseTo(to[i]!, 6);
      });
    };
    close(fused.scores, [0.8, 0.7333333, 0.4666667, 0.2666667, 0.2333333, 0.1666667, 0.1]);
    expect([...fused.classIds]).toEqual([1, 0, 1, 1, 1, 1, 0]);
    expect([...fused.clusterIds]).toEqual([1, 0, 1, 3, 2, 5, 0, 4, 6]);
    const max = weightedBoxesFusion(example, { ...options, confType: 'max' });
    close(max.scores, [0.9, 0.8, 0.7, 0.4, 0.35, 0.25, 0.15]);
    const models = weightedBoxesFusion(example, { ...options, confType: 'box_and_model_avg' });
    close(models.scores, [0.8, 0.4666667, 0.3666667, 0.2666667, 0.2333333, 0.1666667, 0.1]);
    const absent = weightedBoxesFusion(example, { ...options, confType: 'absent_model_aware_avg' });
    close(absent.scores, [0.8, 0.4666667, 0.44, 0.2666667, 0.2333333, 0.1666667, 0.1]);
    const nmw = nonMaximumWeighted(example, options);
    close(nmw.scores, [0.9, 0.8, 0.7, 0.4, 0.35, 0.25, 0.15]);
    [0.00124, 0.48652, 0.81247, 0.91247, 0.10577, 0.31577, 0.71288, 0.61865].forEach((value, i) => {
      expect(nmw.boxes[i]).toBeCloseTo(value, 5);
    });
  });

  it('leaves the input as it was and refuses what does not belong together', () => {
    const before = JSON.stringify(example.map(({ scores }) => [...scores]));
    weightedBoxesFusion(example, options);
    expect(JSON.stringify(example.map(({ scores }) => [...scores]))).toBe(before);
    expect(() => weightedBoxesFusion(example, { weights: [1] })).toThrow(OptionError);
    expect(() => weightedBoxesFusion(example, { confType: 'mean' as 'avg' })).toThrow(OptionError);
    expect(() => weightedBoxesFusion({} as ModelBoxes[])).toThrow(ShapeError);
    expect(weightedBoxesFusion([]).scores).toHaveLength(0);
    const bad = [
      { boxes: Float32Array.of(0, 0, Number.NaN, 1, 0, 0, 0, 1), scores: Float32Array.of(0.5, 0.5) },
    ];
    expect([...weightedBoxesFusion(bad).clusterIds]).toEqual([-1, -1]);
  });
});

describe('non-maximum merging', () => {
  for (const row of golden.merged) {
    it(`seed ${row.seed}, ${row.count} boxes, ${row.metric} ${row.threshold}`, () => {
      const set = makeSet({
        seed: row.seed,
        kind: 'detector',
        count: row.count,
        classes: row.classes,
        threshold: 0,
      });
      const classIds = classesOf(set.classIds);
      const metric = row.metric === 'IOU' ? ('iou' as const) : ('ios' as const);
      const merge = { metric, iouThreshold: row.threshold, classIds };
      expectFusion(nonMaximumMerge(set.boxes, set.scores, merge), row.classAware, 1000);
      expectFusion(
        nonMaximumMerge(set.boxes, set.scores, { ...merge, scope: 'agnostic' }),
        row.agnostic,
        1000,
      );
      // SAHI computes in the float64 it is given.
      const boxes = Float64Array.from(set.boxes);
      const sahi = { ...merge, rules: 'sahi' } as const;
      expectFusion(nonMaximumMerge(boxes, set.scores, sahi), row.greedyNmm, 1000);
      expectFusion(nonMaximumMerge(boxes, set.scores, { ...sahi, transitive: true }), row.nmm, 1000);
    });
  }

  const groups = (boxes: readonly number[], scores: readonly number[], iouThreshold: number): number[][] => {
    const { clusterIds, scores: merged } = nonMaximumMerge(
      Float64Array.from(boxes),
      Float64Array.from(scores),
      {
        iouThreshold,
      },
    );
    return [...merged].map((_, row) => [...clusterIds.keys()].filter((i) => clusterIds[i] === row));
  };

  it("gives supervision's groups, ties by lower index", () => {
    const nested = [0, 0, 10, 10, 0, 0, 9, 9];
    expect(groups(nested, [1, 1], 0.5)).toEqual([[0, 1]]);
    expect(groups(nested, [1, 1], 1)).toEqual([[0], [1]]);
    expect(groups([0, 0, 10, 10, 0, 0, 5, 5], [1, 0.9], 0.25)).toEqual([[0, 1]]);
    expect(groups([0, 0, 10, 10, 0, 0, 5, 5], [1, 0.9], 0.26)).toEqual([[0], [1]]);
    const corner = [0, 0, 10, 10, 0, 0, 9, 9, 5, 5, 10, 10, 6, 6, 10, 10, 9, 9, 10, 10];
    expect(groups(corner, [1, 1, 1, 1, 1], 0.5)).toEqual([[0, 1], [2, 3], [4]]);
    const chain = [0, 1, 2, 3, 4].flatMap((i) => [i, 0, i + 2, 1]);
    const centred = groups(chain, [0.9, 0.9, 1, 0.9, 0.9], 0.33);
    expect(centred.sort((a, b) => a[0]! - b[0]!)).toEqual([[0], [1, 2, 3], [4]]);
  });

  it('breaks ties as supervision does, on request', () => {
    for (const { seed, count, metric, groups: expected } of tied.sets) {
      const corners = integers(9000 + seed, 2 * count, 5);
      const sizes = integers(9100 + seed, 2 * count, 4);
      const boxes = Float64Array.from({ length: 4 * count }, (_, i) => {
        const at = 2 * (i >> 2) + (i & 1);
        return corners[at]! + ((i & 2) === 0 ? 0 : 4 + sizes[at]!);
      });
      const scores = Float64Array.from(integers(9200 + seed, count, 4), (value) => (1 + value) / 4);
      const { clusterIds, indices } = nonMaximumMerge(boxes, scores, {
        metric: metric as 'iou' | 'ios',
        iouThreshold: 0.4,
        classIds: integers(9300 + seed, count, 2),
        ties: 'higher',
      });
      const found = [...indices].map((first, row) => [
        first,
        ...[...clusterIds.keys()].filter((i) => clusterIds[i] === row && i !== first),
      ]);
      // a group begins with its seed
      const sorted = (lists: readonly (readonly number[])[]) =>
        lists
          .map(([first, ...rest]) => [first!, ...rest.sort((a, b) => a - b)])
          .sort((a, b) => a[0]! - b[0]!);
      expect(sorted(found), `seed ${seed}`).toEqual(sorted(expected));
    }
  });

  it('merges a pair into its union with the area-weighted score', () => {
    const { boxes, scores, indices } = nonMaximumMerge(
      Float64Array.of(0, 0, 10, 10, 0, 0, 9, 9),
      Float64Array.of(0.9, 0.5),
      { iouThreshold: 0.5, classIds: Int32Array.of(3, 3) },
    );
    expect([...boxes]).toEqual([0, 0, 10, 10]);
    expect(scores[0]).toBeCloseTo((100 * 0.9 + 81 * 0.5) / 181, 12);
    expect([...indices]).toEqual([0]);
  });
});
