/** What must hold for any input: grids give what all pairs give, and the threshold rule is the one of its matrix. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Anchors,
  mmdetectionAnchors,
  pointPriors,
  torchvisionAnchors,
} from '../../src/anchors/index.ts';
import { type Metric, nwd, pairwiseIou } from '../../src/iou/index.ts';
import { setBackend } from '../../src/kernels/index.ts';
import {
  atssMatcher,
  dynamicSoftLabelMatcher,
  type MaxIouOptions,
  maxIouMatcher,
  simOtaMatcher,
  sparseMaxIouMatcher,
  ssdMatcher,
  taskAlignedMatcher,
} from '../../src/matching/index.ts';
import { integers, uniform } from '../golden/seeded.ts';

const image = fc.record({
  width: fc.integer({ min: 9, max: 200 }),
  height: fc.integer({ min: 9, max: 200 }),
});

const anchorSets: fc.Arbitrary<Anchors> = fc.oneof(
  fc
    .record({ image, center: fc.constantFrom(0, 0.5), ratios: fc.constantFrom([1], [0.4, 1, 2.3]) })
    .map(({ image: size, center, ratios }) =>
      mmdetectionAnchors({
        image: size,
        strides: [7, 16, 33],
        ratios,
        scales: [1.3, 3],
        centerOffset: center,
      }),
    ),
  image.map((size) => torchvisionAnchors({ image: size, strides: [8, 16], sizes: [[11, 20], [41]] })),
);

/** Boxes on quarters of a pixel, some without area, some far outside, some not finite. */
const boxSets = fc
  .array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.tuple(
          fc.integer({ min: -80, max: 800 }),
          fc.integer({ min: -80, max: 800 }),
          fc.integer({ min: 0, max: 400 }),
          fc.integer({ min: 0, max: 400 }),
        ),
      },
      { weight: 1, arbitrary: fc.constant([40_000, 40_000, 80, 80] as const) },
      { weight: 1, arbitrary: fc.constant([Number.NaN, 4, 8, 8] as const) },
    ),
    { maxLength: 12 },
  )
  .map((rows) => Float32Array.from(rows.flatMap(([x, y, w, h]) => [x / 4, y / 4, (x + w) / 4, (y + h) / 4])));

const metrics: Metric[] = [
  'iou',
  'iof',
  'ios',
  'giou',
  'diou',
  'ciou',
  'eiou',
  'siou',
  nwd({ constant: 20 }),
];

const rules = fc.record({
  thresholds: fc.constantFrom([0.5, 0.4], [0.7, 0.3], [0.5, 0.5], [0.2, 0.05], [0, -0.5]),
  lowQuality: fc.constantFrom('own-best', 'selecting', 'none'),
  minimumPositive: fc.constantFrom(0, 0.3),
  assignAll: fc.boolean(),
  metric: fc.constantFrom(...metrics),
});

const optionsOf = ({
  thresholds,
  ...rest
}: { thresholds: readonly number[] } & MaxIouOptions): MaxIouOptions => ({
  ...rest,
  positiveThreshold: thresholds[0]!,
  negativeThreshold: thresholds[1]!,
});

/** The rule of torchvision and mmdetection on the whole matrix, with what is documented as different. */
function onMatrix({ boxes }: Anchors, groundTruths: Float32Array, options: MaxIouOptions): number[] {
  const { positiveThreshold, negativeThreshold, lowQuality, minimumPositive, assignAll, metric } = options;
  const count = boxes.length / 4;
  const gts = groundTruths.length / 4;
  const { fround } = Math;
  const matrix = pairwiseIou(groundTruths, boxes, { metric: metric! });
  const area = metric === 'iou' || metric === 'iof' || metric === 'ios';
  const none = (value: number): boolean => Number.isNaN(value) || (area && value === 0);
  const best = new Array<number>(count).fill(-1);
  for (let j = 0; j < count; j++) {
    for (let g = 0; g < gts; g++) {
      const value = matrix[g * count + j]!;
      if (!none(value) && (best[j]! < 0 || value > matrix[best[j]! * count + j]!)) best[j] = g;
    }
  }
  const result = best.map((g, j) => {
    const value = g < 0 ? 0 : matrix[g * count + j]!;
    if (g >= 0 && value >= fround(positiveThreshold!)) return g;
    return g < 0 || value < fround(negativeThreshold as number) ? -1 : -2;
  });
  for (let g = 0; g < gts; g++) {
    const row = Array.from(matrix.subarray(g * count, (g + 1) * count), (v) => (none(v) ? -Infinity : v));
    const highest = Math.max(...row);
    if (highest === Number.NEGATIVE_INFINITY || lowQuality === 'none') continue;
    if (lowQuality === 'selecting' && !(highest >= fround(minimumPositive!))) continue;
    for (let j = 0; j < count; j++) {
      if (row[j] !== highest) continue;
      result[j] = lowQuality === 'selecting' ? g : best[j]!;
      if (lowQuality === 'selecting' && !assignAll) break;
    }
  }
  return result;
}

describe('maxIouMatcher', () => {
  it('gives on a grid what it gives on all pairs, for any metric', () => {
    fc.assert(
      fc.property(anchorSets, boxSets, rules, fc.boolean(), (anchors, boxes, rule, ignore) => {
        const half = 4 * (boxes.length >> 3);
        const options = { ...optionsOf(rule), ...(ignore ? { ignoreBoxes: boxes.subarray(half) } : {}) };
        const grid = maxIouMatcher(anchors, boxes, options);
        const dense = maxIouMatcher(anchors.boxes, boxes, options);
        expect(grid.gtIndices).toEqual(dense.gtIndices);
        expect(grid.overlaps).toEqual(dense.overlaps);
      }),
      { numRuns: 150 },
    );
  });

  it('follows the rule of its matrix', () => {
    fc.assert(
      fc.property(anchorSets, boxSets, rules, (anchors, boxes, rule) => {
        const options = optionsOf(rule);
        expect(Array.from(maxIouMatcher(anchors, boxes, options).gtIndices)).toEqual(
          onMatrix(anchors, boxes, options),
        );
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same without wasm', () => {
    try {
      fc.assert(
        fc.property(anchorSets, boxSets, rules, fc.boolean(), (anchors, boxes, rule, plain) => {
          const priors = plain ? anchors.boxes : anchors;
          setBackend('javascript');
          const loops = maxIouMatcher(priors, boxes, optionsOf(rule));
          setBackend('auto');
          expect(maxIouMatcher(priors, boxes, optionsOf(rule))).toEqual(loops);
        }),
        { numRuns: 100 },
      );
    } finally {
      setBackend('auto');
    }
  });

  it('writes into arrays given to it, whatever they hold', () => {
    fc.assert(
      fc.property(anchorSets, boxSets, (anchors, boxes) => {
        const groundTruthClasses = new Uint8Array(boxes.length / 4).fill(3);
        const fresh = maxIouMatcher(anchors, boxes, { groundTruthClasses });
        const out = maxIouMatcher(anchors, Float32Array.of(0, 0, 50, 50), { groundTruthClasses: [1] });
        const again = maxIouMatcher(anchors, boxes, { groundTruthClasses, out });
        expect(again.gtIndices).toBe(out.gtIndices);
        expect(again).toEqual(fresh);
      }),
      { numRuns: 20 },
    );
  });
});

/** The entries of a dense result that are not background. */
function listed(anchors: Anchors, boxes: Float32Array, options: MaxIouOptions) {
  const { gtIndices, overlaps } = maxIouMatcher(anchors, boxes, options);
  const priors = Array.from(gtIndices.keys()).filter((j) => gtIndices[j] !== -1);
  return priors.map((j) => [j, gtIndices[j], overlaps[j]]);
}

describe('sparseMaxIouMatcher', () => {
  const rows = (...[anchors, boxes, options]: Parameters<typeof listed>) => {
    const { priorIndices, gtIndices, overlaps } = sparseMaxIouMatcher(anchors, boxes, options);
    return Array.from(priorIndices, (j, i) => [j, gtIndices[i], overlaps[i]]);
  };

  it('lists what is not background in the result of all priors', () => {
    fc.assert(
      fc.property(anchorSets, boxSets, rules, fc.boolean(), (anchors, boxes, rule, ignore) => {
        const half = 4 * (boxes.length >> 3);
        const options = { ...optionsOf(rule), ...(ignore ? { ignoreBoxes: boxes.subarray(half) } : {}) };
        expect(rows(anchors, boxes, options)).toEqual(listed(anchors, boxes, options));
      }),
      { numRuns: 150 },
    );
  });

  it('does so by the plain IoU, where few anchors are looked at', () => {
    const plain = rules.map((rule) => ({ ...rule, metric: 'iou' as const }));
    const crowded = fc.tuple(boxSets, fc.integer({ min: 1, max: 4 })).map(([boxes, times]) => {
      // the same boxes several times, a little moved: ties and rivals
      const all = new Float32Array(times * boxes.length);
      for (let i = 0; i < times; i++)
        all.set(
          boxes.map((value) => value + (i >> 1) / 4),
          i * boxes.length,
        );
      return all;
    });
    fc.assert(
      fc.property(anchorSets, crowded, plain, (anchors, boxes, rule) => {
        const options = optionsOf(rule);
        expect(rows(anchors, boxes, options)).toEqual(listed(anchors, boxes, options));
      }),
      { numRuns: 400 },
    );
  });

  it('finds the best anchor of boxes of any size on RetinaNet anchors, below every threshold too', () => {
    const sizes = [8, 16, 32, 64, 128].map((stride) => [4, 5.04, 6.35].map((scale) => stride * scale));
    const anchors = torchvisionAnchors({
      image: { width: 500, height: 353 },
      strides: [8, 16, 32, 64, 128],
      sizes,
    });
    const sides = integers(5, 400, 10).map((exponent) => 1.7 ** exponent);
    const places = uniform(6, 400, -40, 500);
    for (let from = 0; from < 200; from += 10) {
      const boxes = Float32Array.from({ length: 40 }, (_, i) => {
        const at = 2 * (from + (i >> 2)) + (i & 1);
        return places[at]! + ((i & 2) === 0 ? 0 : sides[at]!);
      });
      for (const lowQuality of ['own-best', 'selecting', 'none'] as const) {
        const options = { lowQuality, groundTruthClasses: boxes.filter((_, i) => i % 4 === 0) };
        expect(rows(anchors, boxes, options)).toEqual(listed(anchors, boxes, options));
      }
    }
  });

  it('gives classes, and follows each call on another', () => {
    const anchors = torchvisionAnchors({
      image: { width: 64, height: 64 },
      strides: [16],
      sizes: [[16]],
      aspectRatios: [1],
    });
    const boxes = Float32Array.of(8, 8, 24, 24);
    // cell (1, 1) has its centre at 16, 16
    for (let call = 0; call < 2; call++) {
      expect(sparseMaxIouMatcher(anchors, boxes, { groundTruthClasses: [7] })).toEqual({
        priorIndices: Int32Array.of(5),
        gtIndices: Int32Array.of(0),
        overlaps: Float32Array.of(1),
        labels: Int32Array.of(7),
      });
    }
    expect(sparseMaxIouMatcher(anchors, new Float32Array(0)).priorIndices).toEqual(new Int32Array(0));
    expect(() => sparseMaxIouMatcher(anchors, boxes, { positiveThreshold: 0.3 })).toThrow(
      /negativeThreshold/,
    );
    expect(() => sparseMaxIouMatcher(anchors, boxes, { ignoreThreshold: -1 })).toThrow(/ignoreThreshold/);
  });
});

describe('ssdMatcher', () => {
  it.each(['sequential', 'global'] as const)('%s: on a grid as on all pairs', (bipartite) => {
    fc.assert(
      fc.property(anchorSets, boxSets, fc.constantFrom(...metrics), (anchors, boxes, metric) => {
        const options = {
          bipartite,
          metric,
          threshold: 0.5,
          negativeThreshold: 0.4,
          ignoreBoxes: boxes.subarray(0, 4),
        };
        const grid = ssdMatcher(anchors, boxes, options);
        const dense = ssdMatcher(anchors.boxes, boxes, options);
        expect(grid.gtIndices).toEqual(dense.gtIndices);
        expect(grid.overlaps).toEqual(dense.overlaps);
      }),
      { numRuns: 80 },
    );
  });

  it('global gives every overlapped ground truth a prior of its own, the most similar pair first', () => {
    fc.assert(
      fc.property(anchorSets, boxSets, (anchors, boxes) => {
        const count = anchors.boxes.length / 4;
        const gts = boxes.length / 4;
        const matrix = pairwiseIou(boxes, anchors.boxes);
        const left = new Set(Array.from({ length: gts }, (_, g) => g));
        const taken = new Set<number>();
        const { gtIndices } = ssdMatcher(anchors, boxes, { bipartite: 'global', threshold: 2 });
        for (;;) {
          let best: readonly [number, number, number] = [0, -1, -1];
          for (const g of left) {
            for (let j = 0; j < count; j++) {
              const value = matrix[g * count + j]!;
              if (!taken.has(j) && value > best[0]) best = [value, g, j];
            }
          }
          if (best[1] < 0) break;
          expect(gtIndices[best[2]]).toBe(best[1]);
          left.delete(best[1]);
          taken.add(best[2]);
        }
        expect(gtIndices.filter((gt) => gt >= 0)).toHaveLength(taken.size);
      }),
      { numRuns: 60 },
    );
  });
});

describe('matchers that look around ground truths', () => {
  const points = image.map((size) => pointPriors({ image: size, strides: [8, 16, 32] }));
  const given = (anchors: Anchors, boxes: Float32Array, seed: number) => {
    const count = anchors.boxes.length / 4;
    const shift = uniform(seed, 4 * count, -20, 20);
    return {
      groundTruthClasses: integers(seed + 2, boxes.length / 4, 3),
      predictions: {
        boxes: anchors.boxes.map((value, i) => value + shift[i]! + (i % 4 < 2 ? -10 : 10)),
        scores: Float32Array.from(uniform(seed + 3, 3 * count, 0.01, 0.99)),
      },
    };
  };

  it('ATSS: on a grid as on plain levels', () => {
    fc.assert(
      fc.property(anchorSets, boxSets, fc.integer({ min: 1, max: 20 }), (anchors, boxes, topk) => {
        const levels = anchors.levels.map(({ count }) => count);
        const ignoreBoxes = boxes.subarray(0, 4);
        const grid = atssMatcher(anchors, boxes, { topk, ignoreBoxes });
        expect(grid).toEqual(atssMatcher(anchors.boxes, boxes, { topk, levels, ignoreBoxes }));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['SimOTA', simOtaMatcher],
    ['dynamic soft labels', dynamicSoftLabelMatcher],
    ['TaskAligned', taskAlignedMatcher],
  ] as const)('%s: on a grid as on a plain array', (_name, match) => {
    fc.assert(
      fc.property(points, boxSets, fc.integer({ min: 0, max: 1000 }), (anchors, boxes, seed) => {
        const options = given(anchors, boxes, seed);
        expect(match(anchors, boxes, options)).toEqual(match(anchors.boxes, boxes, options));
      }),
      { numRuns: 60 },
    );
  });

  it.each(['mmyolo', 'mmdetection'] as const)('TaskAligned, %s: on a grid as on a plain array', (rule) => {
    fc.assert(
      fc.property(points, boxSets, fc.integer({ min: 0, max: 1000 }), (anchors, boxes, seed) => {
        const options = { ...given(anchors, boxes, seed), rule };
        expect(taskAlignedMatcher(anchors, boxes, options)).toEqual(
          taskAlignedMatcher(anchors.boxes, boxes, options),
        );
      }),
      { numRuns: 40 },
    );
  });
});
