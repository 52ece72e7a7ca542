/** Boxes, masks and keypoints on 100 seeded sets, against pycocotools. */
import { describe, expect, it } from 'vitest';
import { DatasetError, OptionError } from '../../src/errors.ts';
import { type EvaluationTensor, evaluateCoco } from '../../src/evaluation/index.ts';
import golden from '../golden/evaluation/coco.json' with { type: 'json' };
import { cocoSet } from '../golden/evaluation/coco-sets.ts';
import tensors from '../golden/evaluation/coco-tensors.json' with { type: 'json' };
import { tensorSet } from '../golden/evaluation/coco-tensors.ts';

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
    for (const segmentation of [7, null, [null], { counts: [1] }, { size: [4, 4], counts: null }]) {
      expect(() => evaluateCoco(dataset, broken({ segmentation }), { type: 'segm' })).toThrow(DatasetError);
    }
    expect(() => evaluateCoco(dataset, broken({ keypoints: [1, 2] }), { type: 'keypoints' })).toThrow(
      DatasetError,
    );
    expect(() => evaluateCoco(dataset, broken({ bbox: [1, 2, 3] }))).toThrow(DatasetError);
    expect(() => evaluateCoco(dataset, results, { type: 'boxes' as 'bbox' })).toThrow(OptionError);
    for (const row of [null, 7, 'x']) {
      expect(() => evaluateCoco(dataset, [row as unknown as (typeof results)[0]])).toThrow('results[0]');
    }
    const { area, ...without } = dataset.annotations[0]!;
    const annotations = [without as (typeof dataset.annotations)[0], ...dataset.annotations.slice(1)];
    expect(() => evaluateCoco({ ...dataset, annotations }, results)).toThrow('area of annotation 1');
  });
  it('options outside their domain are refused', () => {
    for (const options of [
      { iouThresholds: [] },
      { iouThresholds: [0.5, 0.5] },
      { iouThresholds: [Number.NaN] },
      { recallThresholds: [0.5, 0] },
      { recallThresholds: [2] },
      { maxDetections: [Number.NaN] },
      { maxDetections: [10, 1] },
    ]) {
      expect(() => evaluateCoco(dataset, results, options), JSON.stringify(options)).toThrow(OptionError);
    }
  });
});

describe('tensors', () => {
  const parameters = {
    default: {},
    limits: { maxDetections: [1, 3, 7] },
    thresholds: { iouThresholds: [0.3, 0.5, 0.8], recallThresholds: [0, 0.25, 0.5, 1] },
  } as const;
  // a weighted sum an area and limit, as the golden has it
  const sums = ({ data, dims }: EvaluationTensor): number[] => {
    const cells = dims[3]! * dims[4]!;
    const out = Array<number>(cells).fill(0);
    data.forEach((value, i) => {
      out[i % cells]! += value * (1 + (Math.floor(i / cells) % 97));
    });
    return out;
  };
  it.each(Object.keys(parameters) as (keyof typeof parameters)[])('are those of pycocotools: %s', (name) => {
    for (const expected of tensors.sets) {
      const { dataset, results } = tensorSet(expected.seed);
      const got = evaluateCoco(dataset, results, parameters[name]);
      const wanted = expected[name];
      expect(got.precision.dims).toEqual(wanted.shape);
      wanted.recall.forEach((value, i) => {
        expect(Math.abs(got.recall.data[i]! - value), `seed ${expected.seed}`).toBeLessThan(1e-12);
      });
      for (const key of ['precision', 'scores'] as const) {
        sums(got[key]).forEach((value, i) => {
          expect(Math.abs(value - wanted[key][i]!), `seed ${expected.seed}, ${key}`).toBeLessThan(1e-7);
        });
      }
      got.perClass.forEach(({ ap }, k) => {
        expect(ap).toBeCloseTo(wanted.perClass[k]!, 12);
      });
      if (name === 'default') {
        got.stats.forEach((value, i) => {
          expect(value).toBeCloseTo(expected.default.stats[i]!, 12);
        });
      }
    }
  });
});
