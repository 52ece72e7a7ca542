/** Assignment problems as scipy solves them; DETR's matching; pairs that must not be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hungarianMatcher,
  hungarianPresets,
  linearAssignment,
  topkHungarianMatcher,
} from '../../src/matching/index.ts';
import golden from '../golden/matching/hungarian.json';
import { digest, groundTruths, predictions } from '../golden/matching/sets.ts';
import { integers, uniform } from '../golden/seeded.ts';

/** Problem k of the golden, up to 300 × 300; every 4th is of whole numbers with many optima. */
function problem(k: number): { costs: Float64Array; rows: number; columns: number } {
  const [rows, columns] = integers(70_000 + k, 2, 300).map((value) => value + 1) as unknown as [
    number,
    number,
  ];
  const ranges: readonly (readonly [number, number])[] = [
    [0, 1],
    [-8, 8],
    [0, 200],
  ];
  const costs =
    k % 4 === 3
      ? Float64Array.from(integers(80_000 + k, rows * columns, 7))
      : uniform(80_000 + k, rows * columns, ranges[k % 4]![0], ranges[k % 4]![1]);
  return { costs, rows, columns };
}

describe('linearAssignment', () => {
  it('solves 1000 problems as scipy does, the same pairs even among equal optima', () => {
    let sum = 0;
    const digests: number[] = [];
    for (let k = 0; k < 1000; k++) {
      const { costs, rows, columns } = problem(k);
      const solved = linearAssignment(costs, rows, columns);
      if (k < 20) expect(solved.total).toBeCloseTo(golden.some[k]!, 9);
      sum += solved.total;
      digests.push(digest([...solved.rows, ...solved.columns]) & 0x7fffffff);
      if (k < 40) expect(digests[k], `problem ${k}, ${rows} × ${columns}`).toBe(golden.first[k]);
    }
    expect(sum).toBeCloseTo(golden.totals, 5);
    expect(digest(digests)).toBe(golden.digest);
  });

  const matrices = fc
    .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }))
    .chain(([rows, columns]) =>
      fc.tuple(
        fc.constant(rows),
        fc.constant(columns),
        fc.array(
          fc.oneof(
            { weight: 6, arbitrary: fc.integer({ min: -9, max: 9 }) },
            { weight: 1, arbitrary: fc.constant(Number.NaN) },
            { weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
          ),
          { minLength: rows * columns, maxLength: rows * columns },
        ),
      ),
    );

  /** Most pairs, then least total, by trying everything. */
  function bruteForce(costs: readonly number[], rows: number, columns: number): readonly [number, number] {
    let best: readonly [number, number] = [0, 0];
    const visit = (row: number, used: number, pairs: number, total: number): void => {
      if (pairs > best[0] || (pairs === best[0] && total < best[1])) best = [pairs, total];
      if (row === rows) return;
      visit(row + 1, used, pairs, total);
      for (let j = 0; j < columns; j++) {
        const cost = costs[row * columns + j]!;
        if ((used & (1 << j)) === 0 && Number.isFinite(cost))
          visit(row + 1, used | (1 << j), pairs + 1, total + cost);
      }
    };
    visit(0, 0, 0, 0);
    return best;
  }

  it('finds the most pairs of least cost, never a NaN or infinite one', () => {
    fc.assert(
      fc.property(matrices, ([rows, columns, costs]) => {
        const solved = linearAssignment(Float64Array.from(costs), rows, columns);
        expect([solved.rows.length, solved.total]).toEqual(bruteForce(costs, rows, columns));
        expect(new Set(solved.columns).size).toBe(solved.columns.length);
        solved.rows.forEach((row, i) => {
          expect(Number.isFinite(costs[row * columns + solved.columns[i]!])).toBe(true);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('does so at any magnitude of costs', () => {
    for (const scale of [1e-300, 1e-17, 4.3e22, 1e308]) {
      expect(linearAssignment(Float64Array.of(scale), 1, 1).columns).toEqual(Int32Array.of(0));
      const alone = linearAssignment(Float64Array.of(Number.NaN, scale), 2, 1);
      expect([...alone.rows, ...alone.columns]).toEqual([1, 0]);
      // both rows can only have the first column
      const costs = Float64Array.of(scale, Number.NaN, -scale, Number.POSITIVE_INFINITY);
      expect(linearAssignment(costs, 2, 2)).toMatchObject({ rows: Int32Array.of(1), total: -scale });
      const order = [3, 1, 2, 1, 3, 2, 2, 3, 1].map((cost) => (cost / 4) * scale);
      const barred = [Number.NaN, Number.NaN, Number.NaN, ...order];
      const { rows, columns } = linearAssignment(Float64Array.from(barred), 4, 3);
      expect([...rows, ...columns]).toEqual([1, 2, 3, 1, 0, 2]);
      expect([...linearAssignment(Float64Array.from(barred.slice(0, 9)), 3, 3).rows]).toEqual([1, 2]);
    }
  });

  it('maximizes', () => {
    const costs = Float64Array.of(4, 1, 3, 2, 0, 5, 3, 2, 2);
    expect(linearAssignment(costs, 3, 3)).toMatchObject({ columns: Int32Array.of(1, 0, 2), total: 5 });
    expect(linearAssignment(costs, 3, 3, { maximize: true }).total).toBe(11);
  });

  it('names what is wrong', () => {
    expect(() => linearAssignment(Float64Array.of(1, 2), 1, 3)).toThrow(/1·3 costs, got 2/);
    expect(() => linearAssignment(Float64Array.of(Number.NEGATIVE_INFINITY), 1, 1)).toThrow(/-Infinity/);
  });
});

describe('hungarianMatcher', () => {
  it.each(golden.detr)('$queries queries, $count boxes', ({ seed, queries, count, classes, ...wanted }) => {
    const boxes = groundTruths(seed, count, 640, 480);
    const x = uniform(seed + 20, queries, 0, 1);
    const y = uniform(seed + 21, queries, 0, 1);
    const points = Array.from({ length: 2 * queries }, (_, i) =>
      i % 2 === 0 ? x[i / 2]! * 640 : y[i >> 1]! * 480,
    );
    const queryBoxes = predictions(seed + 30, points, boxes, 1).boxes;
    const given = {
      logits: uniform(seed + 40, queries * (classes + 1), -4, 4),
      groundTruthClasses: integers(seed + 7, count, classes),
      image: { width: 640, height: 480 },
    };
    for (const name of ['detr', 'deformable-detr'] as const) {
      const { gtIndices, labels } = hungarianMatcher(queryBoxes, boxes, {
        ...given,
        ...hungarianPresets[name],
      });
      expect(Array.from(gtIndices)).toEqual(wanted[name].index);
      expect(labels!.filter((label) => label >= 0)).toHaveLength(Math.min(queries, count));
    }
    const topk = topkHungarianMatcher(queryBoxes, boxes, {
      ...given,
      ...hungarianPresets['deformable-detr'],
      k: 3,
    });
    expect(Array.from(topk.gtIndices)).toEqual(wanted.topk.index);
  });

  it('never matches a query that is not finite', () => {
    const boxes = Float32Array.of(0, 0, 10, 10, 20, 20, 40, 40);
    const queries = Float32Array.of(Number.NaN, 0, 10, 10, 1, 1, 10, 10, 21, 20, 40, 40);
    const { gtIndices } = hungarianMatcher(queries, boxes, { image: { width: 64, height: 64 } });
    expect(Array.from(gtIndices)).toEqual([-1, 0, 1]);
  });

  it('without ground truths matches nothing', () => {
    expect(Array.from(hungarianMatcher(new Float32Array(8), new Float32Array(0)).gtIndices)).toEqual([
      -1, -1,
    ]);
  });
});
