/**
 * Keep lists equal torchvision's on 500 seeded sets of 0 to 100 000 boxes: ties, negative coordinates, boxes without
 * area, identical boxes, IoUs exactly at the threshold, 1 to 1000 classes with large and negative ids.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activeBackend, setBackend } from '../../src/kernels/index.ts';
import { nms } from '../../src/nms/index.ts';
import golden from '../golden/nms/keep-lists.json' with { type: 'json' };
import { hashIndices, makeSet } from '../golden/nms/sets.ts';

type Recorded = readonly [count: number, hash: number, first: readonly number[], last: readonly number[]];

function record(indices: Uint32Array): Recorded {
  return [indices.length, hashIndices(indices), [...indices.slice(0, 4)], [...indices.slice(-2)]];
}

describe.each(['javascript', 'simd'] as const)('nms equals torchvision: %s', (backend) => {
  beforeAll(() => {
    setBackend(backend);
    expect(activeBackend()).toBe(backend);
  });
  afterAll(() => setBackend('auto'));

  for (let start = 0; start < golden.sets.length; start += 50) {
    it(`on sets ${start} to ${start + 49}`, () => {
      for (const set of golden.sets.slice(start, start + 50)) {
        const { boxes, scores, classIds } = makeSet(set);
        const label = `seed ${set.seed} ${set.kind} N=${set.count} t=${set.threshold}`;
        const iouThreshold = set.threshold;
        expect(record(nms(boxes, scores, { iouThreshold })), label).toEqual(set.agnostic);
        expect(record(nms(boxes, scores, { iouThreshold, classIds })), `${label} a class`).toEqual(
          set.classAware,
        );
        if (set.batched !== undefined) {
          expect(record(nms(boxes, scores, { iouThreshold, classIds })), `${label} batched`).toEqual(
            set.batched,
          );
        }
      }
    });
  }
});
