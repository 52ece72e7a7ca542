/** ROC, TAR@FAR, equal error rate and ten-fold verification, against scikit-learn and insightface's rules. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import {
  equalErrorRate,
  pairDistances,
  rocAuc,
  rocCurve,
  trueAcceptanceRates,
  verificationAccuracy,
} from '../../src/evaluation/index.ts';
import golden from '../golden/evaluation/recognition.json' with { type: 'json' };
import { integers, uniform } from '../golden/seeded.ts';

const sets = golden.sets.map((expected) => {
  const same = integers(expected.seed, 400, 2);
  const noise = uniform(expected.seed + 1000, 400, 0, 1);
  const scores = noise.map((value, i) => {
    const score = value * 0.75 + same[i]! * 0.25;
    return expected.coarse ? Math.floor(score * 16) / 16 : score;
  });
  return { expected, same, scores, curve: rocCurve(same, scores) };
});

describe('ROC', () => {
  it('has the points of scikit-learn, with and without those on straight lines', () => {
    for (const { expected, same, scores, curve } of sets) {
      const [x, y, thresholds] = expected.roc;
      expect([...curve.falsePositiveRate]).toEqual(x);
      expect([...curve.truePositiveRate]).toEqual(y);
      expect([...curve.thresholds]).toEqual(thresholds!.map((value) => value ?? Infinity));
      const all = rocCurve(same, scores, { dropIntermediate: false });
      expect(all.thresholds).toHaveLength(expected.points);
      expect(rocAuc(all)).toBeCloseTo(rocAuc(curve), 12);
    }
  });
  it('has its area, TAR@FAR and equal error rate', () => {
    for (const { expected, curve } of sets) {
      expect(rocAuc(curve)).toBeCloseTo(expected.auc, 12);
      expect([...trueAcceptanceRates(curve, golden.fars)]).toEqual(expected.tar);
      expect(equalErrorRate(curve).rate).toBeCloseTo(expected.eer, 12);
    }
  });
  it('area is the chance that a genuine pair scores higher', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 })), { minLength: 2, maxLength: 40 }),
        (pairs) => {
          const genuine = pairs.filter(([label]) => label).map(([, score]) => score);
          const impostors = pairs.filter(([label]) => !label).map(([, score]) => score);
          fc.pre(genuine.length > 0 && impostors.length > 0);
          let wins = 0;
          for (const a of genuine) for (const b of impostors) wins += a > b ? 1 : a === b ? 0.5 : 0;
          const curve = rocCurve(
            pairs.map(([label]) => label),
            pairs.map(([, score]) => score),
          );
          expect(rocAuc(curve)).toBeCloseTo(wins / genuine.length / impostors.length, 10);
          const { rate } = equalErrorRate(curve);
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 200 },
    );
  });
  it('is NaN where a kind of pair is missing, and refuses bad input', () => {
    const curve = rocCurve([1, 1], [0.3, 0.4]);
    expect(curve.falsePositiveRate.every(Number.isNaN)).toBe(true);
    expect(rocCurve([], []).thresholds).toHaveLength(1);
    expect(equalErrorRate(rocCurve([], [])).rate).toBeNaN();
    expect(() => rocCurve([1], [0.1, 0.2])).toThrow(ShapeError);
    expect(() => rocCurve([1], [Number.NaN])).toThrow(OptionError);
  });
});

describe('verification', () => {
  it('has the folds, thresholds and rates of insightface', () => {
    for (const { expected, same, scores } of sets) {
      const distances = scores.map((score) => 2 - 2 * score);
      const got = verificationAccuracy(distances, same, { falseAcceptanceRate: 1e-2 });
      const { folds } = expected;
      got.foldAccuracies.forEach((value, i) => {
        expect(value).toBeCloseTo(folds.accuracies[i]!, 12);
        expect(got.foldThresholds[i]).toBeCloseTo(folds.thresholds[i]!, 12);
      });
      expect(got.accuracy).toBeCloseTo(folds.accuracy, 12);
      expect(got.accuracyDeviation).toBeCloseTo(folds.std, 12);
      expect(got.validationRate).toBeCloseTo(folds.val, 12);
      expect(got.validationDeviation).toBeCloseTo(folds.valStd, 12);
      expect(got.falseAcceptanceRate).toBeCloseTo(folds.far, 12);
    }
  });
  it('measures pairs after normalising them', () => {
    const distances = pairDistances([3, 0, 0, 2, 0, 0], [5, 0, -1, 0, 1, 0], 2);
    expect([...distances]).toEqual([0, 2, 1]);
    expect(pairDistances([1, 1], [-2, -2], 2)[0]).toBeCloseTo(4, 12);
  });
  it('refuses lengths and folds that do not fit', () => {
    expect(() => verificationAccuracy([1, 2], [1])).toThrow(ShapeError);
    expect(() => verificationAccuracy([1, 2], [1, 0])).toThrow(OptionError);
    expect(() => pairDistances([1, 2, 3], [1, 2, 3], 2)).toThrow(ShapeError);
  });
});
