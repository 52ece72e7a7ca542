/** The products on the SIMD kernel equal the loops within float32 rounding, whatever the sizes leave over of its blocks. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { setBackend } from '../../src/kernels/index.ts';
import { addProduct, addTransposedProduct, multiplyTransposed } from '../../src/losses/recognition/matrix.ts';
import { uniform } from '../golden/seeded.ts';

afterEach(() => setBackend('auto'));

type Product = typeof multiplyTransposed;

interface Shape {
  readonly n: number;
  readonly m: number;
  readonly d: number;
}

/** Operands of each product as (first, second, out) lengths, and how many products a sum has. */
const products: readonly [
  name: string,
  run: Product,
  lengths: (shape: Shape) => [number, number, number],
  depth: (shape: Shape) => number,
][] = [
  ['A·Bᵀ', multiplyTransposed, ({ n, m, d }) => [n * d, m * d, n * m], ({ d }) => d],
  ['G·B', addProduct, ({ n, m, d }) => [n * m, m * d, n * d], ({ m }) => m],
  ['Gᵀ·A', addTransposedProduct, ({ n, m, d }) => [n * m, n * d, m * d], ({ n }) => n],
];

const numbers = (length: number, seed: number): Float32Array =>
  Float32Array.from(uniform(seed, length, -1, 1));

/** Largest difference of the kernel's result to the float64 loops on the same numbers. */
function difference(
  run: Product,
  shape: Shape,
  [first, second, length]: [number, number, number],
  seed: number,
): number {
  const { n, m, d } = shape;
  const a = numbers(first, seed);
  const b = numbers(second, seed + 1);
  const start = numbers(length, seed + 2);
  setBackend('simd');
  const out = start.slice();
  run(a, b, n, m, d, out);
  setBackend('javascript');
  const expected = Float64Array.from(start);
  run(Float64Array.from(a), Float64Array.from(b), n, m, d, expected);
  let largest = 0;
  for (let i = 0; i < length; i++) largest = Math.max(largest, Math.abs(out[i]! - expected[i]!));
  return largest;
}

const rounding = 2 ** -24;

describe.each(products)('%s', (_name, run, lengths, depth) => {
  it('equals the loops for sizes that are no multiple of a block', () => {
    const extent = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(
        fc.record({ n: extent, m: extent, d: extent }),
        fc.integer({ min: 0, max: 1e6 }),
        (shape, seed) => {
          // terms of at most 1: each addition rounds a sum of at most depth + 1
          const bound = rounding * (depth(shape) + 1) * 4;
          expect(difference(run, shape, lengths(shape), seed)).toBeLessThanOrEqual(bound);
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it.each([
    { n: 300, m: 530, d: 259 },
    { n: 257, m: 9, d: 515 },
    { n: 1, m: 1025, d: 64 },
    { n: 513, m: 40, d: 1 },
    { n: 256, m: 512, d: 256 },
  ])('goes over several blocks: $n, $m, $d', (shape) => {
    expect(difference(run, shape, lengths(shape), 5)).toBeLessThan(2e-5);
  });

  it.each([
    { n: 0, m: 40, d: 40 },
    { n: 40, m: 0, d: 40 },
  ])('of nothing is nothing: $n rows, $m columns', (shape) => {
    expect(difference(run, shape, lengths(shape), 7)).toBe(0);
  });

  it('keeps to float64 for float64', () => {
    const shape = { n: 64, m: 64, d: 64 };
    const [first, second, length] = lengths(shape);
    const a = Float64Array.from(uniform(1, first, -1, 1));
    const b = Float64Array.from(uniform(2, second, -1, 1));
    const results = (['simd', 'javascript'] as const).map((backend) => {
      setBackend(backend);
      const out = new Float64Array(length);
      run(a, b, shape.n, shape.m, shape.d, out);
      return out;
    });
    expect(results[0]).toEqual(results[1]);
  });
});
