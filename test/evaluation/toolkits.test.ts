/** Confusion matrices and confidence curves on 20 seeded sets, against ultralytics (two generations) and supervision. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors.ts';
import {
  averagePrecision,
  type CocoDataset,
  type CocoResult,
  confidenceCurves,
  confusionMatrix,
} from '../../src/evaluation/index.ts';
import { detectionSet } from '../golden/evaluation/detection-sets.ts';
import golden from '../golden/evaluation/toolkits.json' with { type: 'json' };

const rowsOf = (matrix: ArrayLike<number>, size: number) =>
  Array.from({ length: size }, (_, r) => Array.from(matrix).slice(r * size, (r + 1) * size));

describe('confusion matrix', () => {
  it.each([
    ['ultralytics 8.4.190', {}],
    ['ultralytics 8.3.63', { assignment: 'best-proposal' }],
    ['supervision 0.31.2', { preset: 'supervision' }],
  ] as const)('is that of %s', (toolkit, options) => {
    golden[toolkit].seeds.forEach((seed, i) => {
      const { dataset, results } = detectionSet(seed, false);
      const { matrix, size } = confusionMatrix(dataset, results, options);
      expect(rowsOf(matrix, size), `seed ${seed}`).toEqual(golden[toolkit].sets[i]!.confusion);
    });
  });
  it('can lie either way', () => {
    const { dataset, results } = detectionSet(1, false);
    const { matrix, size } = confusionMatrix(dataset, results);
    const turned = confusionMatrix(dataset, results, { rows: 'true' }).matrix;
    for (let r = 0; r < size; r++) {
      for (let c = 0; c < size; c++) expect(turned[c * size + r]).toBe(matrix[r * size + c]);
    }
  });
  it('counts every object and every kept detection once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.boolean(), (seed, ties) => {
        const { dataset, results } = detectionSet(seed, ties);
        for (const preset of ['ultralytics', 'supervision'] as const) {
          const { matrix, size } = confusionMatrix(dataset, results, { preset, rows: 'true' });
          const background = size - 1;
          let [objects, found] = [0, 0];
          rowsOf(matrix, size).forEach((row, r) => {
            row.forEach((count, c) => {
              if (r !== background) objects += count;
              if (c !== background) found += count;
            });
          });
          expect(objects).toBe(dataset.annotations.filter(({ iscrowd }) => !iscrowd).length);
          const kept = results.filter(({ score }) =>
            preset === 'supervision' ? score >= 0.3 : score > 0.25,
          );
          expect(found).toBe(kept.length);
        }
      }),
      { numRuns: 30 },
    );
  });
  it('refuses presets, assignments and directions it does not know', () => {
    const { dataset, results } = detectionSet(1, false);
    for (const options of [{ preset: 'x' }, { assignment: 'x' }, { rows: 'x' }] as object[]) {
      expect(() => confusionMatrix(dataset, results, options)).toThrow(OptionError);
    }
  });
});

describe('confidence curves', () => {
  it.each([
    ['ultralytics 8.4.190', { method: 'ultralytics' }],
    ['ultralytics 8.3.63', { method: 'ultralytics-8.3', assignment: 'first-proposal' }],
  ] as const)('are those of %s', (toolkit, options) => {
    golden[toolkit].seeds.forEach((seed, i) => {
      const { dataset, results } = detectionSet(seed, false);
      const expected = golden[toolkit].sets[i]!;
      const { perClass, operatingPoint, scores } = confidenceCurves(dataset, results, options);
      const ranks = dataset.categories.map(({ id }) => id);
      expect(perClass.map(({ categoryId }) => ranks.indexOf(categoryId))).toEqual(expected.classes);
      expect(operatingPoint.f1, `seed ${seed}`).toBeCloseTo(expected.meanF1, 10);
      expect(operatingPoint.score).toBeCloseTo(scores[expected.at]!, 12);
      perClass.forEach((row, k) => {
        expect(row.atOperatingPoint.f1).toBeCloseTo(expected.f1[k]!, 10);
        expected.curves.picks.forEach((at, n) => {
          expect(row.precision[at]).toBeCloseTo(expected.curves.precision[k]![n]!, 10);
          expect(row.recall[at]).toBeCloseTo(expected.curves.recall[k]![n]!, 10);
        });
        expect(row.ap).toBeCloseTo(expected.ap50[k]!, 10);
      });
    });
  });
  it("finds each class's own best threshold", () => {
    const { dataset, results } = detectionSet(5, false);
    for (const { best, categoryId } of confidenceCurves(dataset, results).perClass) {
      // no other threshold does better
      const scores = results.filter((row) => row.category_id === categoryId).map(({ score }) => score);
      for (const threshold of scores) {
        const kept = results.filter((row) => row.category_id === categoryId && row.score >= threshold);
        const { perClass } = confidenceCurves(dataset, kept);
        const { curve } = perClass.find((row) => row.categoryId === categoryId)!;
        const [p, r] = [curve.precision.at(-1)!, curve.recall.at(-1)!];
        expect((2 * p * r) / (p + r + 1e-16)).toBeLessThanOrEqual(best.f1 + 1e-12);
      }
    }
  });
  it('have an answer without objects and without detections', () => {
    const empty: CocoDataset = { images: [{ id: 1 }], annotations: [], categories: [{ id: 1 }] };
    const row: CocoResult = { image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], score: 0.5 };
    expect(confidenceCurves(empty, [row]).perClass).toEqual([]);
    const object = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], area: 16 };
    const missed = confidenceCurves({ ...empty, annotations: [object] }, []);
    expect(missed.operatingPoint.f1).toBe(0);
    expect(missed.perClass[0]).toMatchObject({ ap: 0, objects: 1 });
    expect(confidenceCurves({ ...empty, annotations: [object] }, [row]).perClass[0]!.best).toMatchObject({
      score: 0.5,
      precision: 1,
      recall: 1,
    });
  });
});

describe('averagePrecision', () => {
  const recall = [0.2, 0.2, 0.8, 0.8, 1];
  const precision = [0.8, 0.4, 0.5, 0.1, 0.2];
  it('has several answers to one curve', () => {
    expect(averagePrecision(recall, precision)).toBeCloseTo(0.2 * 0.8 + 0.6 * 0.5 + 0.2 * 0.2, 12);
    expect(averagePrecision(recall, precision, '11-point')).toBeCloseTo(
      (3 * 0.8 + 6 * 0.5 + 2 * 0.2) / 11,
      12,
    );
    expect(averagePrecision([1], [1], 'ultralytics')).toBeCloseTo(0.995, 12);
    expect(averagePrecision([1], [1], 'ultralytics-8.3')).toBeCloseTo(0.995, 12);
    const part =
      averagePrecision([0.5], [1], 'ultralytics-8.3') - averagePrecision([0.5], [1], 'ultralytics');
    expect(part).toBeCloseTo(0.255, 12);
    expect(averagePrecision([1], [1], '101-point')).toBe(1);
    expect(averagePrecision([], [], '101-point')).toBe(0);
  });
  it('refuses curves of two lengths and unknown methods', () => {
    expect(() => averagePrecision([1], [1, 1])).toThrow('as many precisions');
    expect(() => averagePrecision([1], [1], 'x' as '11-point')).toThrow(OptionError);
  });
});
