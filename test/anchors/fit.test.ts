/** Anchor sizes fitted to boxes: YOLOv5's report, clustering, evolution. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anchorFit,
  evolveAnchors,
  fitAnchors,
  kmeansAnchors,
  yoloAnchorSizes,
} from '../../src/anchors/index.ts';
import golden from '../golden/anchors/anchors.json';
import { uniform } from '../golden/seeded.ts';
import { dataPath, describeWithData } from '../support/data.ts';

const v5 = yoloAnchorSizes.yolov5.flat();

describe('anchorFit', () => {
  it.each(golden.reports)(
    'is YOLOv5’s report on sizes from $low to $high',
    ({ seed, low, high, ...wanted }) => {
      const fit = anchorFit(uniform(seed, 1000, low, high), v5);
      for (const [name, value] of Object.entries(wanted))
        expect(fit[name as keyof typeof fit]).toBeCloseTo(value, 12);
    },
  );
  it('is 1 for anchors that are the boxes, 0 without boxes', () => {
    expect(anchorFit(v5, v5)).toMatchObject({ bestPossibleRecall: 1, fitness: 1, meanBest: 1, meanIou: 1 });
    expect(anchorFit([], v5)).toMatchObject({ bestPossibleRecall: 0, fitness: 0 });
    expect(() => anchorFit([1, 2, 3], v5)).toThrow(/got 3 numbers/);
    expect(() => anchorFit([1, 2], [0, 1])).toThrow(/anchors must be > 0/);
  });
});

describe('kmeansAnchors', () => {
  it.each(['iou', 'euclidean'] as const)('finds clusters that are far apart, by %s', (distance) => {
    const centres = [8, 12, 40, 30, 100, 160, 300, 90];
    const jitter = uniform(5, 2000, -0.06, 0.06);
    const sizes = jitter.map((value, i) => centres[2 * ((i >> 1) % 4) + (i % 2)]! * (1 + value));
    for (let seed = 0; seed < 5; seed++) {
      const anchors = kmeansAnchors(sizes, { count: 4, distance, seed });
      expect(anchors).toHaveLength(8);
      const wanted = [8, 12, 40, 30, 100, 160, 300, 90];
      const order = [0, 2, 4, 6].sort((a, b) => wanted[a]! * wanted[a + 1]! - wanted[b]! * wanted[b + 1]!);
      order.forEach((k, i) => {
        expect(anchors[2 * i]! / wanted[k]!).toBeCloseTo(1, 1);
        expect(anchors[2 * i + 1]! / wanted[k + 1]!).toBeCloseTo(1, 1);
      });
    }
  });
  it('is the same for the same seed, sorted by area, within the range of the boxes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 9 }), (seed, count) => {
        const sizes = uniform(seed, 120, 2, 90);
        const anchors = kmeansAnchors(sizes, { count, seed });
        expect(kmeansAnchors(sizes, { count, seed })).toEqual(anchors);
        for (let k = 0; k < anchors.length; k += 2) {
          expect(Math.min(anchors[k]!, anchors[k + 1]!)).toBeGreaterThanOrEqual(2);
          if (k > 0)
            expect(anchors[k]! * anchors[k + 1]!).toBeGreaterThanOrEqual(anchors[k - 2]! * anchors[k - 1]!);
        }
      }),
      { numRuns: 40 },
    );
  });
  it('needs as many different sizes as anchors', () => {
    expect(() => kmeansAnchors([3, 4, 3, 4, 0, 9], { count: 2 })).toThrow(/2 different sizes.*got 1/);
    expect(Array.from(kmeansAnchors([3, 4, 5, 6], { count: 2 }))).toEqual([3, 4, 5, 6]);
  });
});

describe('evolveAnchors', () => {
  it('is never worse than what it began with, and the same for the same seed', () => {
    const sizes = uniform(12, 400, 5, 240);
    const start = kmeansAnchors(sizes, { count: 4 });
    const evolved = evolveAnchors(sizes, start, { generations: 300, seed: 3 });
    expect(anchorFit(sizes, evolved).fitness).toBeGreaterThan(anchorFit(sizes, start).fitness);
    expect(evolveAnchors(sizes, start, { generations: 300, seed: 3 })).toEqual(evolved);
    expect(evolveAnchors(sizes, start, { generations: 0 })).toEqual(start);
  });
  it('ends where no mutation changes anything', () => {
    expect(Array.from(evolveAnchors([10, 10], [], { generations: 2 }))).toEqual([]);
    expect(Array.from(evolveAnchors([10, 10], [5, 5], { generations: 2, sigma: 1e-18 }))).toEqual([5, 5]);
  });
});

describe('fitAnchors', () => {
  it('keeps anchors that are good enough', () => {
    const sizes = uniform(2, 1000, 20, 200);
    expect(fitAnchors(sizes, { current: v5 })).toMatchObject({
      changed: false,
      anchors: Float64Array.from(v5),
    });
  });
  it('finds as many anchors as are in use (check_anchors: na = m.anchors.numel() // 2)', () => {
    const sizes = uniform(2, 400, 20, 220);
    const { anchors, changed } = fitAnchors(sizes, { current: [2, 2, 3, 3, 4, 4], generations: 5 });
    expect(changed).toBe(true);
    expect(anchors).toHaveLength(6);
    expect(fitAnchors(sizes, { generations: 5 }).anchors).toHaveLength(18);
  });
  it('keeps those in use where the boxes are too few to cluster', () => {
    for (const sizes of [[], [10, 10], [300, 300, 300, 300], [0, 9, 300, 300], [1, 1, 900, 900]]) {
      const { anchors, changed } = fitAnchors(sizes, { current: [2, 2, 3, 3] });
      expect(changed).toBe(false);
      expect(Array.from(anchors)).toEqual([2, 2, 3, 3]);
    }
    expect(() => fitAnchors([10, 10], { count: 2 })).toThrow(/2 different sizes.*got 1/);
  });
  it('replaces those that are not', () => {
    const sizes = uniform(2, 400, 1, 12);
    const { changed, fit, currentFit } = fitAnchors(sizes, {
      current: [400, 400],
      count: 3,
      generations: 50,
    });
    expect(changed).toBe(true);
    expect(currentFit!.bestPossibleRecall).toBe(0);
    expect(fit.bestPossibleRecall).toBeGreaterThan(0.9);
  });
});

describeWithData('real boxes', () => {
  it('fits anchors to pills better than YOLOv5’s own, with a recall that YOLOv5 accepts', () => {
    const file = dataPath('data/pills/train/_annotations.coco.json');
    const { annotations } = JSON.parse(readFileSync(file, 'utf8')) as { annotations: { bbox: number[] }[] };
    const sizes = annotations.flatMap(({ bbox }) => [bbox[2]!, bbox[3]!]);
    const { fit } = fitAnchors(sizes, { generations: 200 });
    const before = anchorFit(sizes, v5);
    expect(fit.bestPossibleRecall).toBeGreaterThan(0.98);
    expect(fit.meanBest).toBeGreaterThan(before.meanBest);
  });
});
