/** Recognition losses against torch autograd on restatements, central differences, and their identities. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericError, OptionError, ShapeError } from '../../src/errors.ts';
import * as losses from '../../src/losses/index.ts';
import golden from '../golden/losses/recognition.json' with { type: 'json' };
import { integers, uniform } from '../golden/seeded.ts';
import { expectRecorded, manyNames, recordedCases } from './many.ts';

const { samples: N, classes: C, dimensions: D } = golden;
const shape = { dimensions: D, classes: C };

type Floats = Float64Array;
interface Outcome {
  readonly value: number;
  readonly gradients: readonly ArrayLike<number>[];
}
type Loss = (...inputs: Floats[]) => Outcome;

const both = (r: losses.MarginSoftmaxResult): Outcome => ({
  value: r.value,
  gradients: [r.gradient, r.weightGradient],
});
const one = (r: losses.LossResult): Outcome => ({ value: r.value, gradients: [r.gradient] });

function lossesOf(y: Int32Array): Record<string, Loss> {
  const table: Record<string, Loss> = {
    arcFace: (f, w) => both(losses.arcFaceLoss(f!, w!, y, shape)),
    arcFaceEasy: (f, w) => both(losses.arcFaceLoss(f!, w!, y, { ...shape, fallback: 'easy', scale: 30 })),
    arcFaceNone: (f, w) => both(losses.arcFaceLoss(f!, w!, y, { ...shape, fallback: 'none', scale: 30 })),
    arcFaceStraight: (f, w) =>
      both(losses.arcFaceLoss(f!, w!, y, { ...shape, fallback: 'none', marginGradient: 'straight-through' })),
    cosFace: (f, w) => both(losses.cosFaceLoss(f!, w!, y, shape)),
    combined: (f, w) => both(losses.combinedMarginLoss(f!, w!, y, { ...shape, m2: 0.3, m3: 0.2, scale: 30 })),
    combinedMultiplied: (f, w) =>
      both(losses.combinedMarginLoss(f!, w!, y, { ...shape, m1: 1.35, m2: 0.1, m3: 0.05, scale: 30 })),
    sphereFace: (f, w) => both(losses.sphereFaceLoss(f!, w!, y, { ...shape, lambda: 5 })),
    modifiedSoftmax: (f, w) => both(losses.modifiedSoftmaxLoss(f!, w!, y, shape)),
    adaFace: (f, w) => both(losses.adaFaceLoss(f!, w!, y, shape)),
    magFace: (f, w) => both(losses.magFaceLoss(f!, w!, y, { ...shape, ...mag })),
    magFaceStrict: (f, w) => both(losses.magFaceLoss(f!, w!, y, { ...shape, ...mag, easyMargin: false })),
    curricularFace: (f, w) => both(losses.curricularFaceLoss(f!, w!, y, { ...shape, t: 0.1 })),
    subCenter: (f, w) => both(losses.subCenterArcFaceLoss(f!, w!, y, shape)),
    contrastive: (f) => one(losses.contrastiveLoss(f!, y, { dimensions: D, margin: 1.5 })),
    supCon: (f) => one(losses.supervisedContrastiveLoss(f!, y, { dimensions: D, temperature: 0.1 })),
    multiSimilarity: (f) => one(losses.multiSimilarityLoss(f!, y, { dimensions: D })),
    circle: (f) => one(losses.circleLoss(f!, y, { dimensions: D })),
    center: (f, c) => {
      const result = losses.centerLoss(f!, c!, y, shape);
      return { value: result.value, gradients: [result.gradient, result.centerGradient] };
    },
    nPair: (a, p) => {
      const result = losses.nPairLoss(a!, p!, { dimensions: D });
      return { value: result.value, gradients: [result.gradient, result.positiveGradient] };
    },
  };
  for (const mining of ['batch-all', 'batch-hard', 'semi-hard'] as const) {
    for (const distance of ['squared', 'euclidean', 'angle'] as const) {
      table[`triplet ${mining} ${distance}`] = (f) =>
        one(losses.tripletLoss(f!, y, { dimensions: D, mining, distance }));
    }
    table[`triplet ${mining} soft`] = (f) =>
      one(losses.tripletLoss(f!, y, { dimensions: D, mining, softMargin: true }));
  }
  return table;
}

const mag = { lowerNorm: 0.5, upperNorm: 3, scale: 32, regularisation: 2 };

function inputsOf(name: string, seed: number, spread: number): Floats[] {
  const f = uniform(seed, N * D, -spread, spread);
  const w = uniform(seed + 1, C * D, -1, 1);
  if (name === 'subCenter') return [f, uniform(seed + 2, 3 * C * D, -1, 1)];
  if (name === 'nPair') return [f.slice(0, C * D), w];
  return name.startsWith('triplet') || ['contrastive', 'supCon', 'multiSimilarity', 'circle'].includes(name)
    ? [f]
    : [f, w];
}

const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
const differences = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  largest(Array.from({ length: a.length }, (_, i) => a[i]! - b[i]!));

describe('torch autograd in float64', () => {
  for (const { seed, spread, losses: expected, centers } of golden.cases) {
    const y = integers(seed + 3, N, C);
    const table = lossesOf(y);
    it.each(Object.entries(expected))(`seed ${seed}: %s`, (name, { value, gradients }) => {
      const inputs = inputsOf(name, seed, spread);
      const result = table[name]!(...inputs);
      expect(Math.abs(result.value - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
      const single = table[name]!(...inputs.map((input) => Float32Array.from(input) as unknown as Floats));
      expect(Math.abs(single.value - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value)));
      gradients.forEach((gradient, i) => {
        const bound = Math.max(1, largest(gradient));
        expect(differences(gradient, result.gradients[i]!)).toBeLessThanOrEqual(1e-6 * bound);
        expect(differences(gradient, single.gradients[i]!)).toBeLessThanOrEqual(1e-5 * bound);
      });
    });
    it(`seed ${seed}: the paper's centre update`, () => {
      const [f, w] = inputsOf('center', seed, spread);
      expect(differences(losses.centerLoss(f!, w!, y, shape).centers, centers)).toBeLessThan(1e-12);
    });
  }
});

describe('200 random cases in torch float64', () => {
  it.each(manyNames('recognition'))('%s', (name) => {
    recordedCases('recognition', name).forEach((recorded, k) => {
      const seed = 500_000 + 1000 * k;
      const loss = lossesOf(integers(seed + 3, N, C))[name]!;
      const inputs = inputsOf(name, seed, 1 + (k % 3));
      const single = loss(...inputs.map((input) => Float32Array.from(input) as unknown as Floats));
      expectRecorded(recorded, seed, loss(...inputs), single);
    });
  });
});

describe('central differences in float64', () => {
  // what is detached moves with the step, so these are left to torch
  const detached = new Set(['arcFaceStraight', 'adaFace', 'curricularFace', 'circle']);
  const names = Object.keys(lossesOf(new Int32Array(N))).filter((name) => !detached.has(name));
  it.each(names)('%s', (name) => {
    let checked = 0;
    for (let seed = 7; checked < 500; seed += 10) {
      const loss = lossesOf(integers(seed + 3, N, C))[name]!;
      const inputs = inputsOf(name, seed, 1.5);
      const { gradients } = loss(...inputs);
      inputs.forEach((input, n) => {
        const bound = Math.max(1, largest([...(gradients[n] as Floats)]));
        for (let i = 0; i < input.length; i += 3) {
          const at = input[i]!;
          const value = (step: number): number => {
            input[i] = at + step;
            const result = loss(...inputs).value;
            input[i] = at;
            return result;
          };
          const h = 1e-5;
          const narrow = (value(h) - value(-h)) / (2 * h);
          const wide = (value(2 * h) - value(-2 * h)) / (4 * h);
          if (Math.abs(narrow - wide) > 1e-6 * bound) continue; // a kink within the step
          expect(Math.abs((4 * narrow - wide) / 3 - gradients[n]![i]!)).toBeLessThanOrEqual(1e-6 * bound);
          checked++;
        }
      });
    }
  });
});

describe('identities', () => {
  const seeds = fc.integer({ min: 0, max: 1e6 });
  const close = (a: losses.MarginSoftmaxResult, b: losses.MarginSoftmaxResult): void => {
    expect(a.value).toBeCloseTo(b.value, 9);
    expect(differences(a.gradient, b.gradient)).toBeLessThan(1e-8 * Math.max(1, largest([...b.gradient])));
    expect(differences(a.weightGradient, b.weightGradient)).toBeLessThan(
      1e-8 * Math.max(1, largest([...b.weightGradient])),
    );
  };
  it('combined margin (1, 0, 0) is the scaled softmax, (1, 0, 0.35) CosFace, (1, 0.5, 0) ArcFace up to θ + m = π', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const f = uniform(seed, N * D, -1, 1);
        const w = uniform(seed + 1, C * D, -1, 1);
        const y = integers(seed + 3, N, C);
        close(losses.combinedMarginLoss(f, w, y, shape), losses.normalisedSoftmaxLoss(f, w, y, shape));
        close(losses.combinedMarginLoss(f, w, y, { ...shape, m3: 0.35 }), losses.cosFaceLoss(f, w, y, shape));
        close(
          losses.combinedMarginLoss(f, w, y, { ...shape, m2: 0.5 }),
          losses.arcFaceLoss(f, w, y, { ...shape, fallback: 'none' }),
        );
      }),
    );
  });
  it('psi is continuous and decreases from 1 to −7', () => {
    const m = 4;
    expect(losses.sphereFacePsi(0, m)).toBe(1);
    expect(losses.sphereFacePsi(Math.PI, m)).toBeCloseTo(-7, 12);
    for (let k = 0; k <= m; k++)
      expect(losses.sphereFacePsi((k * Math.PI) / m, m)).toBeCloseTo(1 - 2 * k, 12);
    for (let i = 1; i <= 1000; i++) {
      const step =
        losses.sphereFacePsi(((i - 1) * Math.PI) / 1000, m) - losses.sphereFacePsi((i * Math.PI) / 1000, m);
      expect(step).toBeGreaterThanOrEqual(0);
      expect(step).toBeLessThan(0.02);
    }
  });
  it('ArcFace at cosθ = 0.3, m = 0.5 has the logit −0.194068', () => {
    const f = Float64Array.of(1, 0);
    const w = Float64Array.of(0.3, Math.sqrt(0.91), 0, 1);
    const { value } = losses.arcFaceLoss(f, w, [0], { dimensions: 2, classes: 2, scale: 1 });
    expect(value).toBeCloseTo(Math.log1p(Math.exp(0.194068)), 6);
  });
  it('the triplet loss is zero for separated classes and at its margin for equal features', () => {
    const far = Float64Array.of(0, 0, 0.1, 0, 5, 5, 5.1, 5);
    expect(losses.tripletLoss(far, [0, 0, 1, 1], { dimensions: 2 }).value).toBe(0);
    const same = losses.tripletLoss(new Float64Array(8), [0, 0, 1, 1], {
      dimensions: 2,
      distance: 'euclidean',
    });
    expect(same.value).toBeCloseTo(0.2, 12);
    expect([...same.gradient].every((g) => g === 0)).toBe(true);
  });
  it('anneals lambda as the SphereFace layer', () => {
    expect(losses.sphereFaceLambda(0)).toBe(1000);
    expect(losses.sphereFaceLambda(100)).toBeCloseTo(1000 / 13, 10);
    expect(losses.sphereFaceLambda(1e6)).toBe(5);
  });
});

describe('sampled classes', () => {
  it('hold every class of the batch, are seeded, and give the gradient of their rows', () => {
    const labels = [3, 90, 3, 41];
    const sample = losses.sampleClasses(labels, { classes: 100, sampleRate: 0.2, seed: 5 });
    expect(sample.classIds).toHaveLength(20);
    expect([...sample.labels].map((label) => sample.classIds[label])).toEqual(labels);
    expect(new Set(sample.classIds).size).toBe(20);
    expect(losses.sampleClasses(labels, { classes: 100, sampleRate: 0.2, seed: 5 })).toEqual(sample);
    expect(losses.sampleClasses(labels, { classes: 100, sampleRate: 0.2, seed: 6 }).classIds).not.toEqual(
      sample.classIds,
    );
    expect(losses.sampleClasses([0, 1, 2], { classes: 4, sampleRate: 0.1, seed: 1 }).classIds).toHaveLength(
      3,
    );
    const all = losses.sampleClasses([1, 2], { classes: 4, sampleRate: 1, seed: 1 });
    expect([...all.classIds]).toEqual([0, 1, 2, 3]);
    const w = uniform(1, 8, -1, 1);
    expect([...losses.gatherRows(w, Int32Array.of(2, 0), 2)]).toEqual([w[4], w[5], w[0], w[1]]);
    const rows = Float64Array.of(1, 2, 3, 4);
    const sums = losses.scatterAddRows(rows, Int32Array.of(2, 0), 2, new Float64Array(6).fill(10));
    expect([...sums]).toEqual([13, 14, 10, 10, 11, 12]);
  });
});

describe('bad input', () => {
  const f = uniform(1, N * D, -1, 1);
  const w = uniform(2, C * D, -1, 1);
  it('is refused by name', () => {
    expect(() => losses.arcFaceLoss(f, w, new Int32Array(N).fill(C), shape)).toThrow(OptionError);
    expect(() => losses.arcFaceLoss(f, w.subarray(1), new Int32Array(N), shape)).toThrow(ShapeError);
    expect(() => losses.arcFaceLoss(f.subarray(1), w, new Int32Array(N), shape)).toThrow(ShapeError);
    expect(() => losses.tripletLoss(f, null, { dimensions: D })).toThrow(OptionError);
    expect(() => losses.tripletLoss(f, null, { dimensions: D, triplets: [0, 1, 99] })).toThrow(OptionError);
    const bad = f.slice();
    bad[3] = Number.NaN;
    expect(() => losses.arcFaceLoss(bad, w, new Int32Array(N), shape)).toThrow(NumericError);
    expect(() =>
      losses.tripletLoss(
        bad,
        new Int32Array(N).map((_, i) => i % 2),
        { dimensions: D },
      ),
    ).toThrow(NumericError);
  });
});
