/** GIoU and CIoU gradients on SIMD against the generated loops, and the loss that is summed beside them. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { NumericError } from '../../src/errors.ts';
import { iouGradient } from '../../src/iou/gradient.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { type IouLossOptions, iouLoss } from '../../src/losses/index.ts';
import { integers } from '../golden/seeded.ts';

afterEach(() => setBackend('auto'));

/** Quarters: coinciding and touching edges are frequent, and with `least` 0 boxes without area. */
function boxesOf(seed: number, count: number, least: number): Float32Array<ArrayBuffer> {
  const out = Float32Array.from(integers(seed, 4 * count, 40), (v) => v / 4);
  for (let i = 0; i < out.length; i += 4) {
    out[i + 2]! += out[i]! + least;
    out[i + 3]! += out[i + 1]! + least;
  }
  return out;
}

function onBoth<T>(run: () => T): [simd: T, javascript: T] {
  return (['simd', 'javascript'] as const).map((backend) => {
    setBackend(backend);
    return run();
  }) as [T, T];
}

const presets = ['torchvision', 'ultralytics', 'mmdetection'] as const;
const cases = fc.record({
  count: fc.integer({ min: 16, max: 5000 }),
  preset: fc.constantFrom(...presets),
  seed: fc.integer({ min: 0, max: 1e6 }),
  least: fc.constantFrom(0, 0.25),
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let result = 0;
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(b[i]!));
    if (!(difference <= result)) result = difference;
  }
  return result;
}

describe('gradients on the kernel', () => {
  it('giou is the loop of every preset, float32 digit by digit', () => {
    fc.assert(
      fc.property(cases, ({ count, preset, seed, least }) => {
        const [a, b] = [boxesOf(seed, count, least), boxesOf(seed + 1, count, least)];
        const [kernel, loop] = onBoth(() => iouGradient(a, b, { metric: 'giou', preset }));
        for (const [got, expected] of [
          [kernel.values, loop.values],
          [kernel.gradient, loop.gradient],
        ] as const) {
          // −0 and 0 are one number
          expect(got.findIndex((value, i) => value !== expected[i])).toBe(-1);
        }
      }),
      { numRuns: 60, seed: 3 },
    );
  });
  it('ciou is the loop of every preset to a unit in the last place', () => {
    fc.assert(
      fc.property(cases, ({ count, preset, seed, least }) => {
        const [a, b] = [boxesOf(seed, count, least), boxesOf(seed + 1, count, least)];
        const [kernel, loop] = onBoth(() => iouGradient(a, b, { metric: 'ciou', preset }));
        expect(largestDifference(kernel.values, loop.values)).toBeLessThan(2e-7);
        expect(largestDifference(kernel.gradient, loop.gradient)).toBeLessThan(2e-7);
      }),
      { numRuns: 60, seed: 3 },
    );
  });
  it('follows the loop for huge, tiny, inverted and infinite boxes', () => {
    const odd = [0, 1e-30, 1e-10, 1, 1e10, 1e30, -1, -1e30, Number.NaN, Number.POSITIVE_INFINITY];
    for (const metric of ['giou', 'ciou'] as const) {
      for (let seed = 0; seed < 20; seed++) {
        const [a, b] = [seed, seed + 100].map((s) =>
          Float32Array.from(integers(s, 4 * 40, odd.length - (seed % 2 === 0 ? 2 : 0)), (k) => odd[k]!),
        ) as [Float32Array, Float32Array];
        const [kernel, loop] = onBoth(() => iouGradient(a, b, { metric }));
        expect(kernel.values.map((v) => (Number.isNaN(v) ? 9 : v))).toEqual(
          loop.values.map((v) => (Number.isNaN(v) ? 9 : v)),
        );
        const off = kernel.gradient.findIndex((g, i) => {
          const expected = loop.gradient[i]!; // which may overflow float32
          return g !== expected && !(Math.abs(g - expected) <= 2e-7 * Math.max(1, Math.abs(expected)));
        });
        expect(off === -1 ? [] : [metric, seed, kernel.gradient[off], loop.gradient[off]]).toEqual([]);
      }
    }
  });
});

describe('iouLoss with a kernel', () => {
  it('sums and scales as without one, whatever the reduction', () => {
    const options: IouLossOptions[] = [{}, { reduction: 'sum' }, { avgFactor: 7 }, { preset: 'mmdetection' }];
    for (const metric of ['giou', 'ciou'] as const) {
      for (const [k, option] of options.entries()) {
        const count = 2049 + 1000 * k;
        const [a, b] = [boxesOf(k, count, 0.25), boxesOf(k + 50, count, 0.25)];
        const [kernel, loop] = onBoth(() => iouLoss(a, b, { metric, ...option }));
        expect(Math.abs(kernel.value / loop.value - 1)).toBeLessThan(1e-7);
        expect(largestDifference(kernel.gradient, loop.gradient)).toBeLessThan(2e-7);
        const double = iouLoss(Float64Array.from(a), Float64Array.from(b), { metric, ...option });
        expect(Math.abs(kernel.value / double.value - 1)).toBeLessThan(1e-9);
      }
    }
  });
  it('takes parts with a box that the kernel leaves to the loop, and reports what is not finite', () => {
    const count = 5000;
    const [a, b] = [boxesOf(1, count, 0.25), boxesOf(2, count, 0.25)];
    a[4 * 3000 + 3] = a[4 * 3000 + 1]! - 1; // an inverted box
    const [kernel, loop] = onBoth(() => iouLoss(a, b, { metric: 'ciou' }));
    expect(kernel.value).toBeCloseTo(loop.value, 9);
    expect(largestDifference(kernel.gradient, loop.gradient)).toBeLessThan(2e-7);
    for (const metric of ['giou', 'ciou'] as const) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const broken = a.slice();
        broken[4 * 4000] = bad;
        expect(() => iouLoss(broken, b, { metric })).toThrow(NumericError);
      }
    }
  });
});
