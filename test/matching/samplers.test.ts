/** Samplers take the right number of the right priors, the same ones for the same seed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hardNegativeSampler,
  iouBalancedSampler,
  ohemSampler,
  pseudoSampler,
  randomSampler,
  sparseRandomSampler,
} from '../../src/matching/index.ts';
import { uniform } from '../golden/seeded.ts';

const assignments = fc
  .array(fc.constantFrom(-2, -1, -1, -1, 0, 1), { maxLength: 300 })
  .map((values) => ({ gtIndices: Int32Array.from(values) }));
const isAscending = (values: Int32Array): boolean =>
  values.every((value, i) => i === 0 || value > values[i - 1]!);

describe('randomSampler', () => {
  it('takes a fraction of positives and fills with negatives, as torchvision does', () => {
    fc.assert(
      fc.property(
        assignments,
        fc.integer({ min: 0, max: 200 }),
        fc.constantFrom(0.25, 0.5),
        fc.nat(),
        ({ gtIndices }, count, positiveFraction, seed) => {
          const options = { count, positiveFraction, seed };
          const { positives, negatives } = randomSampler({ gtIndices }, options);
          const has = (test: (gt: number) => boolean): number => gtIndices.filter(test).length;
          const wanted = Math.min(
            has((gt) => gt >= 0),
            Math.trunc(count * positiveFraction),
          );
          expect(positives).toHaveLength(wanted);
          expect(negatives).toHaveLength(
            Math.min(
              has((gt) => gt === -1),
              count - wanted,
            ),
          );
          expect(positives.every((j) => gtIndices[j]! >= 0)).toBe(true);
          expect(negatives.every((j) => gtIndices[j] === -1)).toBe(true);
          expect(isAscending(positives) && isAscending(negatives)).toBe(true);
          expect(randomSampler({ gtIndices }, options)).toEqual({ positives, negatives });
        },
      ),
    );
  });

  it('takes the same from a list of what is not background', () => {
    fc.assert(
      fc.property(assignments, fc.integer({ min: 0, max: 400 }), fc.nat(), ({ gtIndices }, count, seed) => {
        const priorIndices = Int32Array.from(gtIndices.keys()).filter((j) => gtIndices[j] !== -1);
        const list = {
          priorIndices,
          gtIndices: priorIndices.map((j) => gtIndices[j]!),
          overlaps: new Float32Array(priorIndices.length),
        };
        const options = { count, seed, negativesPerPositive: 3 };
        expect(sparseRandomSampler(list, gtIndices.length, options)).toEqual(
          randomSampler({ gtIndices }, options),
        );
      }),
      { numRuns: 300 },
    );
    const list = {
      priorIndices: Int32Array.of(3),
      gtIndices: Int32Array.of(0),
      overlaps: Float32Array.of(1),
    };
    expect(() => sparseRandomSampler(list, 3)).toThrow(/more priors than the last that is listed, 3, got 3/);
  });

  it('chooses evenly: every negative has its chance', () => {
    const gtIndices = new Int32Array(20).fill(-1);
    const counts = new Float64Array(20);
    for (let seed = 0; seed < 4000; seed++) {
      for (const j of randomSampler({ gtIndices }, { count: 5, seed }).negatives) counts[j]!++;
    }
    // 1000 expected each, standard deviation 27
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(140);
  });

  it('bounds negatives by positives', () => {
    const gtIndices = new Int32Array(100).fill(-1);
    gtIndices[3] = 0;
    expect(randomSampler({ gtIndices }, { negativesPerPositive: 5 }).negatives).toHaveLength(5);
  });
});

describe('samplers by loss', () => {
  const losses = uniform(9, 300, 0, 1);
  it('take the greatest: 3 negatives a positive (SSD), or as many as the random one (OHEM)', () => {
    fc.assert(
      fc.property(assignments, ({ gtIndices }) => {
        const own = losses.subarray(0, gtIndices.length);
        const { positives, negatives } = hardNegativeSampler({ gtIndices }, { losses: own });
        const all = [...gtIndices.keys()]
          .filter((j) => gtIndices[j] === -1)
          .sort((a, b) => own[b]! - own[a]!);
        expect(positives).toHaveLength(gtIndices.filter((gt) => gt >= 0).length);
        expect(new Set(negatives)).toEqual(new Set(all.slice(0, 3 * positives.length)));
        const hard = ohemSampler({ gtIndices }, { losses: own, count: 40 });
        expect(hard.positives.length + hard.negatives.length).toBe(
          Math.min(40, Math.min(20, positives.length) + all.length),
        );
        expect(new Set(hard.negatives)).toEqual(new Set(all.slice(0, 40 - hard.positives.length)));
      }),
    );
  });
  it('prefer the lower prior at a tie and take NaN last', () => {
    const gtIndices = Int32Array.of(-1, -1, -1, 0, -1);
    const { negatives } = hardNegativeSampler({ gtIndices }, { losses: [Number.NaN, 1, 1, 0, 1], ratio: 2 });
    expect(Array.from(negatives)).toEqual([1, 2]);
    expect(() => ohemSampler({ gtIndices }, { losses: [1] })).toThrow(/5 losses, got 1/);
  });
});

describe('iouBalancedSampler', () => {
  it('spreads negatives over bins of overlap', () => {
    const gtIndices = new Int32Array(1000).fill(-1);
    // most negatives far from any object
    const overlaps = Float32Array.from({ length: 1000 }, (_, j) =>
      j < 900 ? 0.001 * (j % 10) : 0.1 + (j - 900) / 500,
    );
    const { negatives } = iouBalancedSampler({ gtIndices, overlaps }, { count: 90, seed: 4 });
    expect(negatives).toHaveLength(90);
    const near = negatives.filter((j) => j >= 900).length;
    expect(near).toBeGreaterThanOrEqual(60);
    expect(
      randomSampler({ gtIndices }, { count: 90, seed: 4 }).negatives.filter((j) => j >= 900).length,
    ).toBeLessThan(25);
    expect(iouBalancedSampler({ gtIndices, overlaps }, { count: 90, seed: 4 }).negatives).toEqual(negatives);
  });
  it('takes a part from below the floor', () => {
    const gtIndices = new Int32Array(200).fill(-1);
    const overlaps = Float32Array.from({ length: 200 }, (_, j) => (j < 100 ? 0.05 : 0.3));
    const options = { count: 40, floorThreshold: 0.1, floorFraction: 0.25 };
    const { negatives } = iouBalancedSampler({ gtIndices, overlaps }, options);
    expect(negatives).toHaveLength(40);
    expect(negatives.filter((j) => j < 100)).toHaveLength(10);
  });
  it('counts bins up to the greatest overlap of all priors, and a floor of 0 as no overlap (mmdetection)', () => {
    // negatives: 100 at 0.05, 4 at 0.2 and 4 at 0.4; up to the positive at 0.9 bins end at 0.3 and 0.6, so that those at
    // 0.2 share a bin with the 100 (up to 0.4 they would have one of their own, and all be taken)
    const of = (counts: readonly number[]): Float32Array<ArrayBuffer> =>
      Float32Array.from(
        counts.flatMap((count, i) => Array<number>(count).fill([0.05, 0.2, 0.4, 0.9, 0][i]!)),
      );
    const take = (overlaps: Float32Array<ArrayBuffer>, options: object) => {
      const gtIndices = Int32Array.from(overlaps, (overlap) => (overlap > 0.8 ? 0 : -1));
      const { negatives } = iouBalancedSampler({ gtIndices, overlaps }, options);
      return (value: number) => negatives.filter((j) => overlaps[j] === Math.fround(value)).length;
    };
    const near = take(of([100, 4, 4, 1]), { count: 31 });
    expect(near(0.4)).toBe(4);
    expect(near(0.2)).toBeLessThan(4);
    const floor = take(of([60, 0, 60, 1, 60]), { count: 61, floorThreshold: 0, floorFraction: 0.5 });
    expect([floor(0), floor(0.05) + floor(0.4)]).toEqual([30, 30]);
  });
  it('has the number of negatives asked for, whatever the overlaps', () => {
    fc.assert(
      fc.property(assignments, fc.integer({ min: 1, max: 60 }), fc.nat(), ({ gtIndices }, count, seed) => {
        const overlaps = Float32Array.from(uniform(seed, gtIndices.length, 0, 0.4));
        const { positives, negatives } = iouBalancedSampler({ gtIndices, overlaps }, { count, seed });
        const available = gtIndices.filter((gt) => gt === -1).length;
        expect(negatives).toHaveLength(Math.min(available, count - positives.length));
        expect(isAscending(negatives)).toBe(true);
      }),
    );
  });
});

it('pseudoSampler takes all but the ignored', () => {
  const { positives, negatives } = pseudoSampler({ gtIndices: Int32Array.of(-2, 0, -1, 3) });
  expect([Array.from(positives), Array.from(negatives)]).toEqual([[1, 3], [2]]);
});
