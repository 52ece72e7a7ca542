/** What must hold for any set of detections. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CocoDataset,
  type CocoResult,
  confidenceCurves,
  errorBreakdown,
  evaluateCoco,
  evaluateLrp,
  evaluateLvis,
  evaluateVoc,
} from '../../src/evaluation/index.ts';
import { detectionSet } from '../golden/evaluation/detection-sets.ts';

const seeds = fc.integer({ min: 1, max: 1e6 });

/** Every evaluation as one list of numbers. */
function numbers(dataset: CocoDataset, results: readonly CocoResult[]): number[] {
  const lrp = evaluateLrp(dataset, results);
  const errors = errorBreakdown(dataset, results);
  return [
    ...evaluateCoco(dataset, results).stats,
    ...evaluateLvis(dataset, results, { type: 'bbox' }).stats,
    evaluateVoc(dataset, results).map,
    evaluateVoc(dataset, results, { method: '11-point' }).map,
    lrp.olrp,
    lrp.falseNegative,
    errors.ap,
    ...Object.values(errors.deltaAp),
    confidenceCurves(dataset, results).operatingPoint.f1,
  ];
}

/** The same rows in another order, drawn from a seed. */
function shuffled<T>(rows: readonly T[], seed: number): T[] {
  const keyed = rows.map((row, i) => ({ row, key: Math.sin(seed + 12.9898 * i) * 43758.5453 }));
  return keyed.sort((a, b) => (a.key % 1) - (b.key % 1)).map(({ row }) => row);
}

describe('every evaluation', () => {
  it('gives the same numbers whatever the order of the files, where no scores tie', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { dataset, results } = detectionSet(seed, false);
        const mixed: CocoDataset = {
          images: shuffled(dataset.images, seed),
          annotations: dataset.annotations,
          categories: shuffled(dataset.categories, seed + 1),
        };
        const before = numbers(dataset, results);
        numbers(mixed, shuffled(results, seed + 2)).forEach((value, i) => {
          expect(value).toBeCloseTo(before[i]!, 12);
        });
      }),
      { numRuns: 15 },
    );
  });
  it('depends on the order of the scores alone, and lies between 0 and 1 or is −1', () => {
    fc.assert(
      fc.property(seeds, fc.boolean(), (seed, ties) => {
        const { dataset, results } = detectionSet(seed, ties);
        const squeezed = results.map((row) => ({ ...row, score: 0.25 + row.score / 2 }));
        const before = numbers(dataset, results).slice(0, -1);
        const after = numbers(dataset, squeezed).slice(0, -1);
        before.forEach((value, i) => {
          expect(after[i]).toBeCloseTo(value, 12);
          expect(value === -1 || (value >= 0 && value <= 1 + 1e-12)).toBe(true);
        });
      }),
      { numRuns: 15 },
    );
  });
  it('calls its own ground truth perfect', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { dataset } = detectionSet(seed, false);
        const objects = { ...dataset, annotations: dataset.annotations.filter((row) => !row.iscrowd) };
        fc.pre(objects.annotations.length > 0);
        const perfect: CocoResult[] = objects.annotations.map((row, i) => ({
          image_id: row.image_id,
          category_id: row.category_id,
          bbox: row.bbox,
          score: 1 - i / 1000,
        }));
        expect(evaluateCoco(objects, perfect).stats[0]).toBeCloseTo(1, 12);
        expect(evaluateLvis(objects, perfect, { type: 'bbox' }).stats[0]).toBeCloseTo(1, 12);
        expect(evaluateLrp(objects, perfect).olrp).toBeCloseTo(0, 12);
        const { ap, counts } = errorBreakdown(objects, perfect);
        expect(ap).toBeCloseTo(1, 12);
        expect(Object.values(counts).every((count) => count === 0)).toBe(true);
        expect(confidenceCurves(objects, perfect).operatingPoint.f1).toBeCloseTo(1, 12);
        const plain = objects.annotations.map((row) => ({ ...row, difficult: 0 }));
        expect(evaluateVoc({ ...objects, annotations: plain }, perfect).map).toBeCloseTo(1, 12);
      }),
      { numRuns: 30 },
    );
  });
});
