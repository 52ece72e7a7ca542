/** Boxes, masks and keypoints on 100 seeded sets, against pycocotools. */
import { describe, expect, it } from 'vitest';
import { DatasetError, OptionError } from '../../src/errors.ts';
import { evaluateCoco } from '../../src/evaluation/index.ts';
import golden from '../golden/evaluation/coco.json' with { type: 'json' };
import { cocoSet } from '../golden/evaluation/coco-sets.ts';

describe.each(['bbox', 'segm', 'keypoints'] as const)('%s', (type) => {
  it('gives the numbers of pycocotools to 1e-10 on every set', () => {
    expect(golden.sets).toHaveLength(100);
    for (const expected of golden.sets) {
      const { dataset, results } = cocoSet(expected.seed);
      const { stats } = evaluateCoco(dataset, results, { type });
      expect(stats).toHaveLength(expected[type].length);
      stats.forEach((value, i) => {
        expect(Math.abs(value - expected[type][i]!), `seed ${expected.seed}, number ${i}`).toBeLessThan(
          1e-10,
        );
      });
    }
  });
});

describe('bad rows', () => {
  const { dataset, results } = cocoSet(1);
  it('are refused by name', () => {
    const broken = (change: object) => results.map((row, i) => (i === 0 ? { ...row, ...change } : row));
    expect(() => evaluateCoco(dataset, broken({ segmentation: 7 }), { type: 'segm' })).toThrow(DatasetError);
    expect(() => evaluateCoco(dataset, broken({ keypoints: [1, 2] }), { type: 'keypoints' })).toThrow(
      DatasetError,
    );
    expect(() => evaluateCoco(dataset, broken({ bbox: [1, 2, 3] }))).toThrow(DatasetError);
    expect(() => evaluateCoco(dataset, results, { type: 'boxes' as 'bbox' })).toThrow(OptionError);
  });
});
