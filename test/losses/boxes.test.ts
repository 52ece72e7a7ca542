/** Box regression losses against torchvision's losses and torch autograd on restatements. */
import { describe, expect, it } from 'vitest';
import { deltaCoder, deltaPresets, distanceCoder } from '../../src/coders/index.ts';
import { NumericError, OptionError, ShapeError } from '../../src/errors.ts';
import { innerIou, nwd } from '../../src/iou/index.ts';
import type { IouLossOptions, LossResult } from '../../src/losses/index.ts';
import * as losses from '../../src/losses/index.ts';
import golden from '../golden/losses/boxes.json' with { type: 'json' };
import { uniform } from '../golden/seeded.ts';

const N = golden.boxes;

function boxesOf(seed: number, scale: number): Float64Array {
  const xy = uniform(seed, 2 * N, 0, 60);
  const wh = uniform(seed + 1, 2 * N, 4, 60);
  return Float64Array.from({ length: 4 * N }, (_, i) => {
    const at = 2 * Math.floor(i / 4) + (i % 2);
    return (xy[at]! + (i % 4 > 1 ? wh[at]! : 0)) * scale;
  });
}

type Loss = (x: Float64Array, g: Float64Array, p: Float64Array) => LossResult;
const by =
  (options: IouLossOptions): Loss =>
  (x, g) =>
    losses.iouLoss(x, g, options);
const table: Record<string, Loss> = {
  'iou linear': by({ eps: 0 }),
  'iou log': by({ eps: 0, transform: 'log' }),
  'iou square': by({ eps: 0, transform: 'square', reduction: 'sum' }),
  giou: by({ metric: 'giou' }),
  diou: by({ metric: 'diou' }),
  ciou: by({ metric: 'ciou' }),
  'wise 1': (x, g) => losses.wiseIouLoss(x, g, { version: 1 }),
  'wise 2': (x, g) => losses.wiseIouLoss(x, g, { version: 2, mean: 0.8 }),
  'wise 3': (x, g) => losses.wiseIouLoss(x, g, { mean: 0.8 }),
  'focal eiou': (x, g) => losses.focalEiouLoss(x, g),
  bounded: (x, g) => losses.boundedIouLoss(x, g, { reduction: 'sum' }),
  'giou through delta': (x, g, p) =>
    losses.iouLoss(x, g, {
      metric: 'giou',
      through: deltaCoder(deltaPresets['torchvision-roi']),
      priors: p,
      reduction: 'sum',
    }),
  'ciou through distance': (x, g, p) =>
    losses.iouLoss(x, g, { metric: 'ciou', through: distanceCoder({ normalise: true }), priors: p }),
  practical: by({ metric: 'ciou', eps: 0, practicalGradient: true, reduction: 'sum' }),
};

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  largest(Array.from(a, (value, i) => value - b[i]!));

describe('torchvision losses and restatements in torch float64', () => {
  for (const { seed, scale, losses: expected } of golden.cases) {
    const p = boxesOf(seed, scale);
    const g = boxesOf(seed + 10, scale);
    it.each(Object.entries(expected))(`seed ${seed}: %s`, (name, { value, gradient }) => {
      const x = name.endsWith('delta')
        ? uniform(seed + 20, 4 * N, -2, 2)
        : name.endsWith('distance')
          ? uniform(seed + 21, 4 * N, 0.125, 2)
          : p;
      const result = table[name]!(x, g, p);
      const bound = Math.max(1, largest(gradient));
      expect(Math.abs(result.value - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
      expect(difference(gradient, result.gradient)).toBeLessThanOrEqual(1e-6 * bound);
      const float = (a: Float64Array): Float64Array => Float32Array.from(a) as unknown as Float64Array;
      const single = table[name]!(float(x), float(g), float(p));
      expect(single.gradient).toBeInstanceOf(Float32Array);
      expect(difference(gradient, single.gradient)).toBeLessThanOrEqual(1e-5 * bound);
    });
  }
});

describe('iouLoss', () => {
  const p = boxesOf(1, 1);
  const g = boxesOf(2, 1);
  it('is zero at identity for eps 0, by every variant that is 1 there', () => {
    for (const metric of ['iou', 'giou', 'diou', 'ciou', 'eiou', 'siou'] as const) {
      expect(Math.abs(losses.iouLoss(p, p, { metric, eps: 0 }).value)).toBeLessThan(1e-12);
    }
  });
  it('takes factories as metric', () => {
    for (const metric of [innerIou({ base: 'diou', ratio: 0.8 }), nwd({ constant: 12.8 })]) {
      const h = 1e-5;
      const { gradient } = losses.iouLoss(p, g, { metric, reduction: 'sum' });
      for (let i = 0; i < 16; i++) {
        const at = (step: number) =>
          losses.iouLoss(p.with(i, p[i]! + step), g, { metric, reduction: 'sum' }).value;
        expect((at(h) - at(-h)) / (2 * h)).toBeCloseTo(gradient[i]!, 6);
      }
    }
  });
  it('gives the gradient in the format of the prediction', () => {
    const cxcywh = (boxes: Float64Array) =>
      boxes.map((_, i) => {
        const at = i - (i % 4);
        const axis = i % 2;
        const low = boxes[at + axis]!;
        const high = boxes[at + axis + 2]!;
        return i % 4 < 2 ? (low + high) / 2 : high - low;
      });
    const corners = losses.iouLoss(p, g, { metric: 'giou', reduction: 'sum' }).gradient;
    const centres = losses.iouLoss(cxcywh(p), cxcywh(g), {
      metric: 'giou',
      format: 'cxcywh',
      reduction: 'sum',
    }).gradient;
    expect(centres[0]).toBeCloseTo(corners[0]! + corners[2]!, 10);
    expect(centres[2]).toBeCloseTo((corners[2]! - corners[0]!) / 2, 10);
  });
  it('weights boxes by one number or the mean of four, and divides by avgFactor', () => {
    const weights = Float64Array.from({ length: N }, (_, i) => i % 3);
    const four = Float64Array.from(
      { length: 4 * N },
      (_, i) => (Math.floor(i / 4) % 3) + (i % 2 === 0 ? 0.5 : -0.5),
    );
    const one = losses.iouLoss(p, g, { weights, avgFactor: 10 });
    expect(losses.iouLoss(p, g, { weights: four, avgFactor: 10 }).value).toBeCloseTo(one.value, 12);
    const terms = losses.iouLoss(p, g, { reduction: 'none' }).perElement!;
    expect(one.value).toBeCloseTo([...terms].reduce((sum, term, i) => sum + term * weights[i]!, 0) / 10, 12);
  });
  it('refuses what does not fit', () => {
    expect(() => losses.iouLoss(p, g.subarray(4))).toThrow(ShapeError);
    expect(() => losses.iouLoss(p.with(5, Number.NaN), g)).toThrow(NumericError);
    expect(() => losses.iouLoss(p, g, { transform: 'cubic' as 'log' })).toThrow(OptionError);
    expect(() => losses.iouLoss(p, g, { metric: 'ciou', practicalGradient: true })).toThrow(OptionError);
    expect(() => losses.iouLoss(p, g, { metric: 'giou', practicalGradient: true })).toThrow(OptionError);
    expect(() => losses.iouLoss(p, g, { through: deltaCoder() })).toThrow(OptionError);
  });
});

describe('wiseIouLoss', () => {
  it('carries its running mean', () => {
    const p = boxesOf(1, 1);
    const g = boxesOf(2, 1);
    const momentum = losses.wiseIouMomentum(100, 2);
    expect(momentum).toBeCloseTo(1 - 0.05 ** (1 / 200), 14);
    const plain = losses.iouLoss(p, g, { eps: 0 }).value;
    expect(losses.wiseIouLoss(p, g, { momentum }).mean).toBeCloseTo(1 - momentum + momentum * plain, 12);
  });
});
