/** LVIS, VOC, TIDE and LRP on 40 seeded sets, against lvis-api, py-faster-rcnn's rule, tidecv and the paper. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DatasetError, OptionError } from '../../src/errors.ts';
import {
  type CocoDataset,
  type CocoResult,
  confidenceCurves,
  confusionMatrix,
  errorBreakdown,
  errorTypes,
  evaluateCoco,
  evaluateLrp,
  evaluateLvis,
  evaluateVoc,
} from '../../src/evaluation/index.ts';
import { detectionSet } from '../golden/evaluation/detection-sets.ts';
import golden from '../golden/evaluation/protocols.json' with { type: 'json' };
import { dataPath, describeWithData } from '../support/data.ts';

const sets = golden.sets.map((expected) => ({ expected, ...detectionSet(expected.seed, expected.ties) }));

function expectClose(got: readonly number[], expected: readonly number[], what: string, digits = 10): void {
  expect(got, what).toHaveLength(expected.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `${what}, number ${i}: ${value}, ${expected[i]}`).toBeLessThan(
      10 ** -digits,
    );
  });
}

describe('LVIS', () => {
  it.each(['bbox', 'segm'] as const)('gives the numbers of lvis-api: %s', (type) => {
    for (const { expected, dataset, results } of sets) {
      const { stats } = evaluateLvis(dataset, results, { type });
      expectClose(stats, expected.lvis[type], `seed ${expected.seed}`);
    }
  });
  it('keeps the best detections of an image over all classes', () => {
    for (const { expected, dataset, results } of sets) {
      const { stats } = evaluateLvis(dataset, results, { type: 'bbox', maxDetections: 5 });
      expectClose(stats, expected.lvis.bbox5, `seed ${expected.seed}`);
    }
  });
  it('names its numbers and keeps the frequency of each class', () => {
    const { statNames, perClass } = evaluateLvis(sets[0]!.dataset, sets[0]!.results, { type: 'bbox' });
    expect(statNames.join(' ')).toBe('AP AP50 AP75 APs APm APl APr APc APf AR ARs ARm ARl');
    expect(perClass.map(({ frequency }) => frequency)).toEqual(['r', 'c', 'f', 'f', 'c']);
  });
  it('refuses keypoints', () => {
    const { dataset, results } = sets[0]!;
    expect(() => evaluateLvis(dataset, results, { type: 'keypoints' as 'bbox' })).toThrow(OptionError);
  });
});

describe('COCO without categories', () => {
  it('gives the numbers of pycocotools with useCats = 0', () => {
    for (const { expected, dataset, results } of sets) {
      const { stats } = evaluateCoco(dataset, results, { classAgnostic: true });
      expectClose(stats, expected.agnostic, `seed ${expected.seed}`);
    }
  });
});

describe('VOC', () => {
  it('gives the numbers of voc_eval, by area and by 11 points, with and without the last pixel', () => {
    for (const { expected, dataset, results } of sets) {
      for (const [n, settings] of (
        [
          { iouThreshold: 0.5, pixelOffset: 1 },
          { iouThreshold: 0.3, pixelOffset: 0 },
        ] as const
      ).entries()) {
        for (const [m, method] of (['all-point', '11-point'] as const).entries()) {
          const { perClass, map } = evaluateVoc(dataset, results, { ...settings, method });
          const wanted = expected.voc.map((row) => row[n]?.[m] ?? -1);
          expectClose(
            perClass.map(({ ap }) => ap),
            wanted,
            `seed ${expected.seed} ${method}`,
          );
          const present = wanted.filter((ap) => ap >= 0);
          expect(map).toBeCloseTo(present.reduce((a, b) => a + b, 0) / present.length, 12);
        }
      }
    }
  });
});

describeWithData('voc-metrics', () => {
  it('gives the published average precisions', () => {
    const folder = dataPath('data/voc-metrics');
    const rows = (kind: string) =>
      readdirSync(`${folder}/${kind}`)
        .sort()
        .flatMap((name, i) =>
          readFileSync(`${folder}/${kind}/${name}`, 'utf8')
            .trim()
            .split('\n')
            .map((line) => ({ image_id: i + 1, values: line.trim().split(/\s+/).slice(1).map(Number) })),
        );
    const truths = rows('groundtruths');
    const dataset: CocoDataset = {
      images: [1, 2, 3, 4, 5, 6, 7].map((id) => ({ id })),
      categories: [{ id: 1, name: 'person' }],
      annotations: truths.map(({ image_id, values }, i) => ({
        id: i + 1,
        image_id,
        category_id: 1,
        bbox: values,
        area: values[2]! * values[3]!,
      })),
    };
    const results: CocoResult[] = rows('detections').map(({ image_id, values }) => ({
      image_id,
      category_id: 1,
      score: values[0]!,
      bbox: values.slice(1),
    }));
    expect([truths.length, results.length]).toEqual([15, 24]);
    const { iouThreshold, precise } = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8'));
    const settings = { iouThreshold, comparator: '>=', pixelOffset: 1 } as const;
    const ap = (method: 'all-point' | '11-point') =>
      evaluateVoc(dataset, results, { ...settings, method }).map;
    expect(ap('all-point')).toBeCloseTo(precise.ap_all_point, 5);
    expect(ap('11-point')).toBeCloseTo(precise.ap_11_point, 5);
  });
});

describe('error breakdown', () => {
  const short = ['Cls', 'Loc', 'Both', 'Dupe', 'Bkg', 'Miss'] as const;
  it('gives the counts and the AP of tidecv', () => {
    for (const { expected, dataset, results } of sets) {
      const { tide, seed } = expected;
      const got = errorBreakdown(dataset, results);
      expect(
        errorTypes.map((type) => got.counts[type]),
        `seed ${seed}`,
      ).toEqual(short.map((name) => tide.counts[name]));
      expectClose(
        [got.ap, ...errorTypes.map((type) => got.deltaAp[type]), got.falsePositives, got.falseNegatives],
        [tide.ap, ...short.map((name) => tide.main[name]), tide.special.FalsePos, tide.special.FalseNeg].map(
          (value) => value / 100,
        ),
        `seed ${seed}`,
      );
    }
  });
  it('finds every kind of error in the sets', () => {
    const totals = errorTypes.map((type) =>
      sets.reduce((sum, { dataset, results }) => sum + errorBreakdown(dataset, results).counts[type], 0),
    );
    expect(Math.min(...totals)).toBeGreaterThan(20);
  });
});

describe('LRP', () => {
  it('gives the optimum of every class by the definition', () => {
    for (const { expected, dataset, results } of sets) {
      const { perClass, ...means } = evaluateLrp(dataset, results);
      perClass.forEach((row, k) => {
        const wanted = expected.lrp[k];
        const got = [row.olrp, row.localization, row.falsePositive, row.falseNegative, row.threshold];
        if (wanted === null || wanted === undefined) expect(row.olrp).toBe(-1);
        else {
          expectClose(
            got.map((value) => (Number.isNaN(value) ? -7 : value)),
            wanted.map((value) => value ?? -7),
            `seed ${expected.seed}, class ${k}`,
          );
        }
      });
      const present = expected.lrp.flatMap((row) => (row === null ? [] : [row[0]!]));
      expect(means.olrp).toBeCloseTo(present.reduce((a, b) => a + b, 0) / present.length, 12);
    }
  });
});

describe('edges', () => {
  const empty: CocoDataset = { images: [{ id: 1 }], annotations: [], categories: [{ id: 1, name: 'thing' }] };
  const row: CocoResult = { image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], score: 0.5 };
  it('have answers: nothing at all, detections without objects, objects without detections', () => {
    expect(evaluateVoc(empty, []).map).toBe(-1);
    expect(evaluateLvis(empty, [], { type: 'bbox' }).stats).toEqual(Array(13).fill(-1));
    expect(evaluateLrp(empty, []).olrp).toBe(-1);
    expect(errorBreakdown(empty, []).ap).toBe(0);
    expect(errorBreakdown(empty, [row]).counts.background).toBe(1);
    const object = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], area: 16 };
    const missed = { ...empty, annotations: [object] };
    expect(errorBreakdown(missed, []).counts.missed).toBe(1);
    expect(evaluateLrp(missed, [])).toMatchObject({ olrp: 1, falseNegative: 1 });
    expect(evaluateVoc(missed, []).map).toBe(0);
    expect(evaluateVoc(missed, [row]).map).toBe(1);
  });
  it('are refused by name: options misspelt or of another kind, and a dataset that is none', () => {
    const all = [
      evaluateCoco,
      evaluateVoc,
      evaluateLrp,
      evaluateLvis,
      errorBreakdown,
      confusionMatrix,
      confidenceCurves,
    ] as ((...given: unknown[]) => unknown)[];
    for (const evaluate of all) {
      for (const options of [null, 'segm', { iou_type: 'segm' }, { type: 5, iouThreshold: '0.5' }]) {
        expect(() => evaluate(empty, [], options), `${evaluate.name} ${options}`).toThrow(OptionError);
      }
      expect(() => evaluate(undefined, []), evaluate.name).toThrow(DatasetError);
    }
    expect(() => confusionMatrix(empty, [], { iou: 0.5 } as never)).toThrow(
      /no option 'iou'; expected preset/,
    );
    const lone = {
      ...empty,
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], area: 16 }],
    };
    // an option that is undefined is one that is not given
    expect(confusionMatrix(lone, [row], { iouThreshold: undefined } as never).matrix).toEqual(
      confusionMatrix(lone, [row]).matrix,
    );
  });
  it('are refused by name: rows that are no objects, in every evaluation', () => {
    const nothing = [null] as never[];
    const all = [
      evaluateCoco,
      evaluateVoc,
      evaluateLrp,
      evaluateLvis,
      errorBreakdown,
      confusionMatrix,
      confidenceCurves,
    ];
    for (const evaluate of all) {
      for (const key of ['images', 'annotations', 'categories'] as const) {
        const broken = { ...empty, [key]: [...empty[key], ...nothing] };
        expect(() => evaluate(broken, []), `${evaluate.name} ${key}`).toThrow(
          `${key}[${empty[key].length}] must be an object, got null`,
        );
      }
      expect(() => evaluate(empty, nothing), evaluate.name).toThrow('results[0] must be an object, got null');
      const without = { ...empty, categories: undefined as never };
      expect(() => evaluate(without, []), evaluate.name).toThrow('categories must be an array');
    }
  });
  it('are refused by name: unknown images, boxes and thresholds that are none', () => {
    const astray = [{ ...row, image_id: 2 }];
    for (const evaluate of [evaluateVoc, evaluateLrp, errorBreakdown]) {
      expect(() => evaluate(empty, astray)).toThrow(DatasetError);
      expect(() => evaluate(empty, [{ ...row, bbox: [1, 2, Number.NaN, 4] }])).toThrow(DatasetError);
      expect(() => evaluate(empty, [{ ...row, score: Number.NaN }])).toThrow(DatasetError);
    }
    expect(() => evaluateVoc(empty, [], { iouThreshold: 2 })).toThrow(OptionError);
    expect(() => evaluateLrp(empty, [], { iouThreshold: 1 })).toThrow(OptionError);
    expect(() => evaluateVoc(empty, [], { comparator: '<' as '>' })).toThrow(OptionError);
  });
});
