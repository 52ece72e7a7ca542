/** What must hold for greedy NMS with any metric, scope and comparator, in both precisions and on both engines. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generatedMetrics } from '../../src/iou/generated/registry.ts';
import { distanceIou, innerIou, type Metric, mpdiou, nwd, pairwiseIou } from '../../src/iou/index.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { clusterNms, multiLabelNms, nms, nmsBatch } from '../../src/nms/index.ts';
import { makeSet } from '../golden/nms/sets.ts';
import { greedyReference, rank } from '../nms/reference.ts';

// MPDIoU needs an image size and comes from its factory below.
const names = Object.keys(generatedMetrics).filter((name) => name !== 'mpdiou') as Extract<Metric, string>[];
const made: Metric[] = [
  distanceIou({ exponent: 0.6 }),
  mpdiou({ width: 640, height: 640 }),
  nwd({ constant: 12.8 }),
  innerIou({ base: 'diou', ratio: 0.7 }),
];

const kinds = ['uniform', 'detector', 'grid', 'negative', 'thin', 'tile'];

describe('nms with any metric equals the plain loop over the matrix', () => {
  for (const metric of [...names, ...made]) {
    it(typeof metric === 'string' ? metric : metric.name, () => {
      kinds.forEach((kind, k) => {
        // 450 boxes go through tiles where the metric has a bound, 60 through the plain list.
        for (const count of k < 2 ? [60, 450] : [60]) {
          const set = makeSet({ seed: 40 + k + count, kind, count, classes: 2, threshold: 0 });
          for (const boxes of [set.boxes, Float64Array.from(set.boxes)]) {
            // Only the plain IoU is compared in float32; all else in float64, whatever the boxes are.
            const exact = metric === 'iou' ? boxes : Float64Array.from(boxes);
            const matrix = pairwiseIou(exact, exact, { metric });
            const ranked = {
              order: rank(set.scores),
              similarity: (i: number, j: number) => matrix[i * count + j]!,
              sameClass: () => true,
              scores: set.scores,
            };
            for (const iouThreshold of count === 60 ? [0.5, 0.1, 0, -0.5] : [0.45]) {
              for (const comparator of ['>', '>='] as const) {
                const expected = greedyReference(ranked, iouThreshold, comparator === '>=');
                const kept = nms(boxes, set.scores, { metric, iouThreshold, comparator });
                expect(
                  [...kept],
                  `${kind} ${count} ${boxes.constructor.name} ${comparator} ${iouThreshold}`,
                ).toEqual(expected);
              }
            }
          }
        }
      });
    }, 120_000);
  }
});

const engines = fc.constantFrom('javascript' as const, 'simd' as const);

const boxSets = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  kind: fc.constantFrom(...kinds, 'degenerate', 'integer', 'huge'),
  count: fc.integer({ min: 0, max: 600 }),
  classes: fc.integer({ min: 1, max: 5 }),
  threshold: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
});

describe('properties', () => {
  it('both engines keep the same', () => {
    fc.assert(
      fc.property(
        boxSets,
        fc.constantFrom('>' as const, '>=' as const),
        fc.boolean(),
        (spec, comparator, aware) => {
          const { boxes, scores, classIds } = makeSet(spec);
          const options = {
            metric: (['iou', 'diou', 'giou', 'ciou', 'eiou', 'siou'] as const)[spec.seed % 6]!,
            iouThreshold: spec.threshold,
            comparator,
            maxCandidates: spec.seed % 3 === 0 ? 100 : 1e6,
            maxDetections: spec.seed % 5 === 0 ? 10 : 1e6,
            ...(aware ? { classIds } : {}),
          };
          setBackend('javascript');
          const script = nms(boxes, scores, options);
          setBackend('simd');
          const simd = nms(boxes, scores, options);
          setBackend('auto');
          expect([...simd]).toEqual([...script]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('boxes that tiles do not suit, met at any place of the order, leave the result as it is', () => {
    const odd: readonly ((x: number, y: number) => number[])[] = [
      (x, y) => [x, y, x + 1e-20, y + 1e-20],
      (x, y) => [x * 1e-20, y * 1e-20, (x + 9) * 1e-20, (y + 9) * 1e-20],
      (x, y) => [x, y, x, y + 30],
      (x, y) => [x + 30, y + 30, x, y],
      (x, y) => [x + 30, y, x, y + 30],
      (x, y) => [-x * 4e15, -y * 4e15, x * 4e15, y * 4e15],
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom('uniform', 'detector'),
        fc.constantFrom('iou' as const, 'diou' as const, 'iof' as const),
        fc.array(fc.tuple(fc.nat(499), fc.nat(odd.length - 1)), { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        engines,
        (seed, kind, metric, places, double, engine) => {
          const set = makeSet({ seed, kind, count: 500, classes: 1, threshold: 0 });
          for (const [i, k] of places)
            set.boxes.set(odd[k]!(set.boxes[4 * i]!, set.boxes[4 * i + 1]!), 4 * i);
          const boxes = double ? Float64Array.from(set.boxes) : set.boxes;
          const exact = metric === 'iou' ? boxes : Float64Array.from(boxes);
          const matrix = pairwiseIou(exact, exact, { metric });
          const expected = greedyReference(
            {
              order: rank(set.scores),
              similarity: (i, j) => matrix[i * 500 + j]!,
              sameClass: () => true,
              scores: set.scores,
            },
            0.45,
          );
          setBackend(engine);
          expect([...nms(boxes, set.scores, { metric, iouThreshold: 0.45 })]).toEqual(expected);
          setBackend('auto');
        },
      ),
      { numRuns: 120 },
    );
  });

  it('kept boxes do not suppress each other, dropped ones are suppressed by a kept one; a second pass changes nothing', () => {
    fc.assert(
      fc.property(boxSets, (spec) => {
        const { boxes, scores } = makeSet(spec);
        const keep = nms(boxes, scores, { iouThreshold: spec.threshold });
        const keptBoxes = Float32Array.from([...keep].flatMap((i) => [...boxes.subarray(4 * i, 4 * i + 4)]));
        const keptScores = Float32Array.from(keep, (i) => scores[i]!);
        const again = nms(keptBoxes, keptScores, { iouThreshold: spec.threshold });
        expect([...again]).toEqual([...again.keys()]);
        const values = pairwiseIou(boxes, keptBoxes);
        const kept = new Set(keep);
        for (let i = 0; i < scores.length; i++) {
          if (kept.has(i)) continue;
          const row = values.subarray(i * keep.length, (i + 1) * keep.length);
          expect(row.some((iou, k) => iou > spec.threshold && keptScores[k]! >= scores[i]!)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('class-aware is one run a class; a batch is one run an image, on both engines', () => {
    fc.assert(
      fc.property(boxSets, engines, (spec, engine) => {
        setBackend(engine);
        const { boxes, scores, classIds } = makeSet(spec);
        const aware = new Set(nms(boxes, scores, { classIds, iouThreshold: spec.threshold }));
        const byClass = new Set<number>();
        for (const id of new Set(classIds)) {
          const masked = scores.map((score, i) => (classIds[i] === id ? score : Number.NaN));
          for (const index of nms(boxes, masked, { iouThreshold: spec.threshold })) byClass.add(index);
        }
        expect(aware).toEqual(byClass);
        const cut = spec.count >> 1;
        const batch = nmsBatch(boxes, scores, [0, cut, cut, spec.count], { iouThreshold: spec.threshold });
        const second = nms(boxes.subarray(4 * cut), scores.subarray(cut), { iouThreshold: spec.threshold });
        expect(batch.offsets[1]).toBe(batch.offsets[2]);
        expect([...batch.indices.subarray(batch.offsets[2])]).toEqual([...second].map((i) => i + cut));
        setBackend('auto');
      }),
      { numRuns: 60 },
    );
  });

  it('multi-label rows are kept as if each class were asked alone, on both engines', () => {
    fc.assert(
      fc.property(boxSets, engines, (spec, engine) => {
        setBackend(engine);
        const { boxes, scores } = makeSet({ ...spec, kind: 'detector' });
        const classes = 3;
        const matrix = Float32Array.from({ length: scores.length * classes }, (_, i) =>
          Math.abs(scores[Math.floor(i / classes)]! * Math.sin(i + 1)),
        );
        const options = { scoreThreshold: 0.2, iouThreshold: spec.threshold };
        const rows = multiLabelNms(boxes, matrix, options);
        const order = [...rows.scores];
        expect(order).toEqual([...order].sort((a, b) => b - a));
        for (let c = 0; c < classes; c++) {
          const column = Float32Array.from(scores, (_, i) => matrix[classes * i + c]!);
          const alone = nms(boxes, column, options);
          expect([...rows.indices].filter((_, i) => rows.classIds[i] === c)).toEqual([...alone]);
        }
        const limited = multiLabelNms(boxes, matrix, { ...options, maxDetections: 3 });
        expect([...limited.indices]).toEqual([...rows.indices.subarray(0, 3)]);
        setBackend('auto');
      }),
      { numRuns: 40 },
    );
  });

  it('Cluster-NMS is greedy NMS where it converges', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer({ min: 0, max: 1e6 }),
          kind: fc.constantFrom(...kinds),
          count: fc.integer({ min: 0, max: 120 }),
          classes: fc.integer({ min: 1, max: 4 }),
          threshold: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        }),
        fc.constantFrom<Metric>('iou', 'giou', 'diou', 'ciou', distanceIou({ exponent: 0.9 })),
        fc.constantFrom('>' as const, '>=' as const),
        (spec, metric, comparator) => {
          const { boxes, scores, classIds } = makeSet(spec);
          const options = { metric, iouThreshold: spec.threshold, comparator, classIds };
          const exact = Float64Array.from(boxes);
          const { indices } = clusterNms(exact, scores, {
            ...options,
            postThreshold: Number.NEGATIVE_INFINITY,
          });
          expect([...indices]).toEqual([...nms(exact, scores, options)]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('an inclusive last pixel is a box one pixel larger', () => {
    const boxes = Float32Array.of(0, 0, 9, 9, 0, 0, 9, 4);
    const scores = Float32Array.of(0.9, 0.8);
    expect([...nms(boxes, scores, { iouThreshold: 0.49, pixelOffset: 1 })]).toEqual([0]);
    expect([...nms(boxes, scores, { iouThreshold: 0.5, pixelOffset: 1 })]).toEqual([0, 1]);
    expect([...boxes]).toEqual([0, 0, 9, 9, 0, 0, 9, 4]);
  });
});
