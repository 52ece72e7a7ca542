/** Classification and elementwise losses against torch autograd, central differences, and their limits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericError, OptionError, ShapeError } from '../../src/errors.ts';
import type { LossResult } from '../../src/losses/index.ts';
import * as losses from '../../src/losses/index.ts';
import golden from '../golden/losses/classification.json' with { type: 'json' };
import { integers, uniform } from '../golden/seeded.ts';
import { expectRecorded, manyNames, manySpans, recordedCases } from './many.ts';

const { samples: N, classes: C } = golden;

function lossesOf(seed: number): Record<string, (x: Float64Array) => LossResult> {
  const labels = integers(seed + 1, N, C);
  const hard = Float64Array.from({ length: N * C }, (_, i) => (labels[Math.floor(i / C)] === i % C ? 1 : 0));
  const soft = uniform(seed + 2, N * C, 0, 1);
  const quality = soft.map((value, i) => value * hard[i]!);
  const classWeights = uniform(seed + 3, C, 0.25, 2);
  const raw = uniform(seed + 4, C, 0.25, 2);
  const total = raw.reduce((a, b) => a + b, 0);
  const smoothingDistribution = raw.map((value) => value / total);
  const distances = uniform(seed + 5, N, 0, C - 1.25);
  const targets = uniform(seed + 6, N * C, -2, 2);
  const heat = soft.map((value) => (value > 0.9 ? 1 : value));
  const rows = soft.map((value, i) => {
    const start = Math.floor(i / C) * C;
    return value / soft.subarray(start, start + C).reduce((a, b) => a + b, 0);
  });
  const sum = { reduction: 'sum' } as const;
  const classes = C;
  return {
    crossEntropy: (x) => losses.crossEntropyLoss(x, labels, { classes }),
    crossEntropySmoothed: (x) => losses.crossEntropyLoss(x, labels, { classes, labelSmoothing: 0.1 }),
    crossEntropyWeighted: (x) =>
      losses.crossEntropyLoss(x, labels, { classes, classWeights, labelSmoothing: 0.1, ignoreIndex: 2 }),
    crossEntropyGeneral: (x) =>
      losses.crossEntropyLoss(x, labels, { classes, labelSmoothing: 0.2, smoothingDistribution }),
    crossEntropySoft: (x) => losses.crossEntropyLoss(x, rows, { classes }),
    binaryCrossEntropy: (x) =>
      losses.binaryCrossEntropyLoss(x, soft, { positiveWeights: classWeights, ...sum }),
    sigmoidFocal: (x) => losses.sigmoidFocalLoss(x, labels, { classes, ...sum }),
    sigmoidFocalSoft: (x) => losses.sigmoidFocalLoss(x, soft, { alpha: 0.4, gamma: 1.5 }),
    sigmoidFocalNoAlpha: (x) => losses.sigmoidFocalLoss(x, hard, { alpha: -1, gamma: 0 }),
    poly: (x) => losses.sigmoidFocalLoss(x, hard, { polyEpsilon: 0.7, ...sum }),
    softmaxFocal: (x) => losses.softmaxFocalLoss(x, labels, { classes }),
    polyCrossEntropy: (x) =>
      losses.softmaxFocalLoss(x, labels, { classes, alpha: 1, gamma: 0, polyEpsilon: 1.5 }),
    softmaxFocalPoly: (x) => losses.softmaxFocalLoss(x, labels, { classes, polyEpsilon: -0.8 }),
    qualityFocal: (x) => losses.qualityFocalLoss(x, quality, sum),
    varifocal: (x) => losses.varifocalLoss(x, quality, sum),
    varifocalDetached: (x) => losses.varifocalLoss(x, quality, { alpha: 0.2, detachWeight: true, ...sum }),
    distributionFocal: (x) => losses.distributionFocalLoss(x, distances, { bins: C, ...sum }),
    gaussianFocal: (x) => losses.gaussianFocalLoss(x, heat, sum),
    ghmClassification: (x) => losses.ghmClassificationLoss(x, hard),
    ghmRegression: (x) => losses.ghmRegressionLoss(x, targets),
    seesaw: (x) => losses.seesawLoss(x, labels, { classes, sampleCounts: integers(seed + 7, C, 50) }),
    l1: (x) => losses.l1Loss(x, targets),
    mse: (x) => losses.mseLoss(x, targets),
    smoothL1: (x) => losses.smoothL1Loss(x, targets, { beta: 0.5 }),
    huber: (x) => losses.huberLoss(x, targets, { delta: 0.7 }),
    balancedL1: (x) => losses.balancedL1Loss(x, targets, sum),
  };
}

function largest(values: ArrayLike<number>): number {
  let result = 0;
  for (let i = 0; i < values.length; i++) result = Math.max(result, Math.abs(values[i]!));
  return result;
}

describe('torch autograd in float64', () => {
  for (const { seed, span, losses: expected } of golden.cases) {
    const table = lossesOf(seed);
    const logits = uniform(seed, N * C, -span, span);
    it.each(Object.entries(expected))(`seed ${seed}: %s`, (name, { value, gradient }) => {
      const result = table[name]!(logits);
      const bound = Math.max(1, largest(gradient));
      expect(Math.abs(result.value - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
      expect(largest(gradient.map((g, i) => g - result.gradient[i]!))).toBeLessThanOrEqual(1e-6 * bound);
      const single = table[name]!(Float32Array.from(logits) as unknown as Float64Array);
      expect(single.gradient).toBeInstanceOf(Float32Array);
      expect(largest(gradient.map((g, i) => g - single.gradient[i]!))).toBeLessThanOrEqual(1e-5 * bound);
    });
  }
});

describe('200 random cases in torch float64', () => {
  it.each(manyNames('classification'))('%s', (name) => {
    recordedCases('classification', name).forEach((recorded, k) => {
      const seed = 10_000 + 1000 * k;
      const span = manySpans[k % manySpans.length]!;
      const loss = lossesOf(seed)[name]!;
      const logits = uniform(seed, N * C, -span, span);
      const [double, single] = [logits, Float32Array.from(logits) as unknown as Float64Array].map((x) => {
        const { value, gradient } = loss(x);
        return { value, gradients: [gradient] };
      });
      expectRecorded(recorded, seed, double!, single!);
    });
  });
});

describe('central differences in float64', () => {
  // weights that the loss detaches would move with the step, so losses with detached weights are left to torch
  const detached = new Set(['varifocalDetached', 'ghmClassification', 'ghmRegression', 'seesaw']);
  const names = Object.keys(lossesOf(1)).filter((name) => !detached.has(name));
  it.each(names)('%s', (name) => {
    let checked = 0;
    for (let seed = 1; checked < 500; seed++) {
      const loss = lossesOf(1000 + 10 * seed)[name]!;
      const x = uniform(seed, N * C, -3, 3);
      const { gradient } = loss(x);
      const bound = Math.max(1, largest(gradient));
      const h = 1e-5;
      for (let i = 0; i < x.length; i += 5) {
        const at = x[i]!;
        x[i] = at + h;
        const up = loss(x).value;
        x[i] = at - h;
        const down = loss(x).value;
        x[i] = at + 2 * h;
        const up2 = loss(x).value;
        x[i] = at - 2 * h;
        const down2 = loss(x).value;
        x[i] = at;
        const wide = (up2 - down2) / (4 * h);
        const slope = (4 * (up - down)) / (6 * h) - wide / 3;
        if (Math.abs(wide - (up - down) / (2 * h)) > 1e-6 * bound) continue; // a kink within the step
        expect(Math.abs(slope - gradient[i]!)).toBeLessThanOrEqual(1e-6 * bound);
        checked++;
      }
    }
  });
});

describe('published vectors (mmcv, alpha 0.25, gamma 2)', () => {
  it('softmax focal', () => {
    const { value, gradient } = losses.softmaxFocalLoss(Float64Array.of(1, 0, 0, 1), [0, 1], { classes: 2 });
    expect(value).toBeCloseTo(0.00566451, 8);
    expect(gradient[0]).toBeCloseTo(-0.00657264, 7);
    const three = (x: number[], y: number[]) =>
      losses.softmaxFocalLoss(Float64Array.from(x), y, { classes: 3 }).value;
    expect(three([1, 0, -1, 0, 1, 2], [2, 1])).toBeCloseTo(0.34956908, 7);
    expect(three([1e-6, 2e-6, 3e-6, 4e-6, 5e-5, 6e-4, 7e-3, 8e-2, 9e-1], [1, 2, 0])).toBeCloseTo(
      0.15754992,
      7,
    );
  });
  it('sigmoid focal, divided by N', () => {
    const run = (x: number[], y: number[], classes: number) =>
      losses.sigmoidFocalLoss(Float64Array.from(x), Int32Array.from(y), {
        classes,
        avgFactor: losses.lossNormalizer('mmcv', { samples: y.length, classes, positives: 0 }),
      });
    const { value, gradient } = run([1, 0, 0, 1], [0, 1], 2);
    expect(value).toBeCloseTo(0.13562961, 7);
    const expected = [-0.00657264, 0.11185755, 0.11185755, -0.00657264];
    expect(largest(gradient.map((g, i) => g - expected[i]!))).toBeLessThan(1e-8);
    expect(run([1, 0, -1, 0, 1, 2], [2, 1], 3).value).toBeCloseTo(1.10251057, 6);
    expect(run([1e-6, 2e-6, 3e-6, 4e-6, 5e-5, 6e-4, 7e-3, 8e-2, 9e-1], [1, 2, 0], 3).value).toBeCloseTo(
      0.42287254,
      6,
    );
  });
});

describe('published vectors (optax)', () => {
  it('softmax cross-entropy', () => {
    const of = (x: number[], label: number) =>
      losses.crossEntropyLoss(Float64Array.from(x), [label], { classes: 3 }).value;
    expect(of([1.2, -0.8, -0.5], 0)).toBeCloseTo(0.2761, 4);
    expect(of([0.9, -1.2, 1.1], 1)).toBeCloseTo(2.9518, 4);
  });
});

const logit = fc.double({ min: -100, max: 100, noNaN: true });

describe('limits and identities', () => {
  it('focal (gamma 0, alpha −1) is binary cross-entropy', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(logit, fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1 }),
        (rows) => {
          const x = Float64Array.from(rows, ([value]) => value);
          const t = Float64Array.from(rows, ([, value]) => value);
          const focal = losses.sigmoidFocalLoss(x, t, { gamma: 0, alpha: -1 });
          const plain = losses.binaryCrossEntropyLoss(x, t);
          expect(focal.value).toBeCloseTo(plain.value, 9);
          expect(largest(focal.gradient.map((g, i) => g - plain.gradient[i]!))).toBeLessThan(1e-12);
        },
      ),
    );
  });
  it('label smoothing 0 is cross-entropy, and smooth-L1(β) is Huber(β)/β', () => {
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: 4, maxLength: 4 }),
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        (row, beta) => {
          const x = Float64Array.from(row);
          const zero = new Float64Array(4);
          const smooth = losses.crossEntropyLoss(x, [2], { classes: 4, labelSmoothing: 0 });
          expect(smooth.value).toBe(losses.crossEntropyLoss(x, [2], { classes: 4 }).value);
          const huber = losses.huberLoss(x, zero, { delta: beta }).value / beta;
          expect(losses.smoothL1Loss(x, zero, { beta }).value).toBeCloseTo(huber, 9);
          expect(losses.smoothL1Loss(x, zero, { sigma: 1 / Math.sqrt(beta) }).value).toBeCloseTo(huber, 6);
        },
      ),
    );
  });
  it('is finite in value and gradient at logits of ±100, also for gamma 0.5', () => {
    const x = Float32Array.of(-100, -100, 100, 100);
    const t = Float32Array.of(0, 1, 0, 1);
    for (const gamma of [0, 0.5, 1, 2, 5]) {
      const { value, gradient } = losses.sigmoidFocalLoss(x, t, { gamma });
      expect(Number.isFinite(value)).toBe(true);
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
    expect(losses.crossEntropyLoss(Float32Array.of(100, -100), [1], { classes: 2 }).value).toBeCloseTo(
      200,
      10,
    );
  });
  it('has the distribution focal minimum at linear interpolation', () => {
    const p = [1e-9, 0.7, 0.3 - 1e-9];
    const { gradient } = losses.distributionFocalLoss(Float64Array.from(p, Math.log), [1.3], { bins: 3 });
    expect(largest(gradient)).toBeLessThan(1e-8);
  });
  it('keeps balanced L1 continuous at beta', () => {
    const at = (d: number) => losses.balancedL1Loss(Float64Array.of(d), [0]).value;
    expect(at(1 - 1e-9)).toBeCloseTo(at(1 + 1e-9), 7);
  });
});

describe('reductions and bad input', () => {
  const x = Float64Array.of(0.5, -1, 2);
  it('gives the terms with none, and divides by avgFactor', () => {
    const none = losses.l1Loss(x, [0, 0, 0], { reduction: 'none', weights: [1, 2, 0] });
    expect([...none.perElement!]).toEqual([0.5, 2, 0]);
    expect([...none.gradient]).toEqual([1, -2, 0]);
    expect(losses.l1Loss(x, [0, 0, 0], { avgFactor: 7 }).value).toBe(0.5);
    expect(losses.l1Loss(x, [0, 0, 0], { avgFactor: 7, preset: 'mmdetection' }).value).toBeCloseTo(
      3.5 / (7 + 2 ** -23),
      14,
    );
    expect(losses.l1Loss(new Float64Array(0), []).value).toBe(0);
  });
  it('writes into out', () => {
    const out = new Float64Array(3);
    expect(losses.mseLoss(x, [0, 0, 0], { out, reduction: 'sum' }).gradient).toBe(out);
    expect([...out]).toEqual([1, -2, 4]);
  });
  it('reports numbers that are not finite', () => {
    expect(() => losses.sigmoidFocalLoss(Float64Array.of(0, Number.NaN), [0, 1])).toThrow(NumericError);
    expect(() => losses.l1Loss(x, [0, Number.NaN, 0])).toThrow('target[1] is NaN');
    expect(() => losses.crossEntropyLoss(Float64Array.of(0, Infinity), [0], { classes: 2 })).toThrow(
      NumericError,
    );
  });
  it('refuses what does not fit', () => {
    expect(() => losses.l1Loss(x, [0])).toThrow(ShapeError);
    expect(() => losses.crossEntropyLoss(x, [3], { classes: 3 })).toThrow(OptionError);
    expect(() => losses.crossEntropyLoss(x, [0, 1], { classes: 2 })).toThrow(ShapeError);
    expect(() => losses.sigmoidFocalLoss(x, [0, 0, 1], { alpha: 2 })).toThrow(OptionError);
    expect(() => losses.l1Loss(x, [0, 0, 0], { reduction: 'sum', avgFactor: 2 })).toThrow(OptionError);
    expect(() => losses.l1Loss(x, [0, 0, 0], { reduction: 'avg' as 'mean' })).toThrow(OptionError);
    expect(() => losses.distributionFocalLoss(x, [2.5], { bins: 3 })).toThrow(OptionError);
  });
});
