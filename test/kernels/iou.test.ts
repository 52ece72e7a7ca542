/** The SIMD similarity kernels give the bits of the generated float32 loops: matrices, best matches, batches, bad boxes. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { bestMatch, type IouOptions, pairwiseIou } from '../../src/iou/index.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { makeSet } from '../golden/nms/sets.ts';

const metrics = ['iou', 'iof', 'ios', 'giou', 'diou', 'ciou'] as const;
const kinds = ['uniform', 'detector', 'grid', 'negative', 'degenerate', 'thin', 'tile', 'integer'];

/** Bits, so that signs of zero and NaNs count. */
const bits = (values: ArrayLike<number>): number[] => [...new Int32Array(Float32Array.from(values).buffer)];

const boxesOf = (seed: number, kind: string, count: number): Float32Array =>
  makeSet({ seed, kind, count, classes: 1, threshold: 0 }).boxes;

function onBoth<T>(run: () => T): { script: T; simd: T } {
  setBackend('javascript');
  const script = run();
  setBackend('simd');
  const simd = run();
  return { script, simd };
}

afterEach(() => setBackend('auto'));

describe.each(metrics)('%s', (metric) => {
  it('matrix and best match have the bits of the loops', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.constantFrom(...kinds),
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 0, max: 1e6 }),
        (aKind, bKind, rows, columns, seed) => {
          // Half-inverted boxes have a negative area, where the sign of a zero is not kept.
          const kind = (name: string): string => (name === 'degenerate' ? 'grid' : name);
          const a = boxesOf(seed, kind(aKind), rows);
          const b = boxesOf(seed % 3 === 0 ? seed : seed + 1, kind(bKind), columns);
          const matrix = onBoth(() => pairwiseIou(a, b, { metric }));
          expect(bits(matrix.simd)).toEqual(bits(matrix.script));
          const best = onBoth(() => bestMatch(a, b, { metric }));
          expect([...best.simd.indices]).toEqual([...best.script.indices]);
          expect(bits(best.simd.values)).toEqual(bits(best.script.values));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('inverted boxes give equal values', () => {
    const a = boxesOf(9, 'degenerate', 90);
    const matrix = onBoth(() => pairwiseIou(a, a, { metric }));
    matrix.simd.forEach((value, i) => {
      if (value !== matrix.script[i]) expect(value).toBe(matrix.script[i]);
    });
    const best = onBoth(() => bestMatch(a, a, { metric }));
    expect([...best.simd.indices]).toEqual([...best.script.indices]);
  });

  it('many rows and columns, in chunks; batches; an offset into out', () => {
    const a = boxesOf(1, 'detector', 9001);
    const b = boxesOf(2, 'uniform', 103);
    const options: IouOptions = { metric };
    const matrix = onBoth(() => pairwiseIou(a, b, options));
    expect(matrix.simd.every((value, i) => Object.is(value, matrix.script[i]))).toBe(true);
    const best = onBoth(() => bestMatch(a, b, options));
    expect(best.simd.indices.every((index, i) => index === best.script.indices[i])).toBe(true);
    const wide = onBoth(() => pairwiseIou(b, boxesOf(1, 'detector', 20_001), options));
    expect(wide.simd.every((value, i) => Object.is(value, wide.script[i]))).toBe(true);
    const batch = { a: [0, 10, 10, 9001], b: [0, 50, 60, 103] };
    const batched = onBoth(() => [
      pairwiseIou(a, b, { metric, batch }),
      bestMatch(a, b, { metric, batch }).indices,
    ]);
    expect(batched.simd).toEqual(batched.script);
    const out = new Float32Array(9001 * 103 + 5).fill(7);
    setBackend('simd');
    expect(pairwiseIou(a, b, { metric, out })).toBe(out);
    expect([...out.subarray(-5)]).toEqual([7, 7, 7, 7, 7]);
  });

  it('boxes that are not finite, and extreme ones, are as in the loops', () => {
    const a = boxesOf(3, 'uniform', 20);
    a[5] = Number.NaN;
    a[10] = Number.POSITIVE_INFINITY;
    const huge = boxesOf(3, 'uniform', 20).map((value) => value * 1e20);
    for (const boxes of [a, huge]) {
      const matrix = onBoth(() => pairwiseIou(boxes, boxes, { metric }));
      expect(bits(matrix.simd)).toEqual(bits(matrix.script));
      const best = onBoth(() => bestMatch(boxes, boxes, { metric }));
      expect(best.simd).toEqual(best.script);
    }
  });
});

describe('plain IoU', () => {
  it('has the same bits whether or not coordinates are near enough for the loop without branches', () => {
    const row = fc.tuple(
      ...Array.from({ length: 4 }, () =>
        fc.oneof(
          fc.integer({ min: -9, max: 9 }),
          fc.double({ min: -700, max: 700, noNaN: true }),
          fc
            .tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -30, max: 14 }))
            .map(([m, e]) => m * 2 ** e),
        ),
      ),
    );
    const boxes = fc.array(row, { minLength: 1, maxLength: 20 }).map((rows) => {
      const out = rows.map(([x = 0, y = 0, u = 0, v = 0]) => [
        Math.min(x, u),
        Math.min(y, v),
        Math.max(x, u),
        Math.max(y, v),
      ]);
      return Float32Array.from(out.flat());
    });
    fc.assert(
      fc.property(boxes, boxes, (a, b) => {
        const { script, simd } = onBoth(() => pairwiseIou(a, b));
        expect(bits(script)).toEqual(bits(simd));
        // A box of size 2⁻⁴⁰ keeps the whole call off that loop.
        const far = Float32Array.from([...b, 2 ** -40, 0, 1, 1]);
        const columns = b.length / 4;
        setBackend('javascript');
        const general = pairwiseIou(a, far).filter((_, i) => i % (columns + 1) < columns);
        expect(bits(general)).toEqual(bits(script));
      }),
      { numRuns: 300 },
    );
  });
});

describe('presets', () => {
  it.each(['torchvision', 'ultralytics', 'mmdetection', 'detectron2'] as const)('%s', (preset) => {
    const a = boxesOf(4, 'detector', 50);
    for (const metric of metrics) {
      const matrix = onBoth(() => pairwiseIou(a, a, { metric, preset }));
      expect(bits(matrix.simd)).toEqual(bits(matrix.script));
    }
  });
});
