/** Focal loss on the SIMD kernel equals the loop, for class indices and for soft targets, to the last digit of float32. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { NumericError } from '../../src/errors.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { type SigmoidFocalOptions, sigmoidFocalLoss } from '../../src/losses/classification/sigmoid-focal.ts';
import { integers, uniform } from '../golden/seeded.ts';

afterEach(() => setBackend('auto'));

function compare(logits: Float32Array, targets: ArrayLike<number>, options: SigmoidFocalOptions): void {
  const [kernel, loop] = (['simd', 'javascript'] as const).map((backend) => {
    setBackend(backend);
    return sigmoidFocalLoss(logits, targets, options);
  });
  expect(Math.abs(kernel!.value - loop!.value)).toBeLessThanOrEqual(1e-12 * Math.max(1, loop!.value));
  let worst = 0;
  for (let i = 0; i < logits.length; i++) {
    const expected = loop!.gradient[i]!;
    const error = Math.abs(kernel!.gradient[i]! - expected);
    worst = Math.max(worst, error / Math.max(Math.abs(expected), 1e-30));
  }
  expect(worst).toBeLessThanOrEqual(2 ** -23);
}

const seeds = fc.integer({ min: 0, max: 1e6 });

describe('sigmoid focal loss on the kernel', () => {
  it('takes class indices, background and an odd number of elements', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 91 }),
        seeds,
        (n, classes, seed) => {
          const logits = Float32Array.from(uniform(seed, n * classes, -12, 12));
          const labels = integers(seed + 1, n, 2 * classes).map((label) => label - classes + 1);
          compare(logits, labels, { classes, reduction: 'sum' });
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  it('takes soft targets and both conventions of alpha', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.constantFrom(-1, 0.25, 1),
        seeds,
        (n, alpha, seed) => {
          const logits = Float32Array.from(uniform(seed, n, -100, 100));
          compare(logits, Float32Array.from(uniform(seed + 1, n, 0, 1)), { alpha });
        },
      ),
      { numRuns: 30, seed: 2 },
    );
  });

  it('keeps digits at the extremes', () => {
    const logits = Float32Array.of(0, -0, 1e-30, -1e-30, 30, -30, 100, -100, 350, -350);
    for (const target of [0, 1]) compare(logits, new Float32Array(10).fill(target), { reduction: 'sum' });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('reports %d', (value) => {
    const logits = new Float32Array(40).fill(1);
    logits[17] = value;
    expect(() => sigmoidFocalLoss(logits, new Int32Array(10).fill(1), { classes: 4 })).toThrow(NumericError);
  });

  it('of nothing is 0', () => {
    expect(sigmoidFocalLoss(new Float32Array(0), new Int32Array(0), { classes: 4 }).value).toBe(0);
  });
});
