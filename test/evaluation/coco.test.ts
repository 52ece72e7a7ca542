/** COCO evaluation against pycocotools' numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../../src/errors.ts';
import { type CocoDataset, type CocoResult, evaluateCoco } from '../../src/evaluation/index.ts';
import { dataPath, describeWithData } from '../support/data.ts';

const json = (name: string) => JSON.parse(readFileSync(dataPath(`data/coco-eval-100/${name}`), 'utf8'));

function scene(truths: number[][], detections: number[][], ids?: number[]): [CocoDataset, CocoResult[]] {
  return [
    {
      images: [{ id: 1 }],
      categories: [{ id: 1, name: 'thing' }],
      annotations: truths.map((bbox, i) => ({
        id: ids?.[i] ?? i + 1,
        image_id: 1,
        category_id: 1,
        bbox: bbox.slice(0, 4),
        area: bbox[2]! * bbox[3]!,
        iscrowd: bbox[4] ?? 0,
      })),
    },
    detections.map((row) => ({ image_id: 1, category_id: 1, bbox: row.slice(0, 4), score: row[4]! })),
  ];
}

const stats = (truths: number[][], detections: number[][], ids?: number[]) =>
  evaluateCoco(...scene(truths, detections, ids)).stats;

describeWithData('coco-eval-100', () => {
  it('gives the twelve numbers of pycocotools to 1e-10', () => {
    const expected = json('expected.json');
    const values: number[] = expected.bbox;
    const result = evaluateCoco(
      json('instances_val2014_100.json'),
      json('instances_val2014_fakebbox100_results.json'),
    );
    expect(result.stats).toHaveLength(12);
    expect(Math.max(...result.stats.map((value, i) => Math.abs(value - values[i]!)))).toBeLessThan(1e-10);
  });
});

describe('evaluateCoco on small scenes with known numbers', () => {
  const box = [100, 100, 50, 50];
  // pycocotools adds one spacing to the denominator of the precision, so that 1 is 1 − 2e-16
  const rounded = (values: number[]) => values.map((value) => Number(value.toFixed(12)));
  it('scores a perfect detection 1', () => {
    expect(rounded(stats([box], [[...box, 0.9]]))).toEqual([1, 1, 1, -1, 1, -1, 1, 1, 1, -1, 1, -1]);
  });
  it('never counts a match of a truth with id 0', () => {
    expect(stats([box], [[...box, 0.9]], [0])).toEqual([0, 0, 0, -1, 0, -1, 0, 0, 0, -1, 0, -1]);
  });
  it('gives AP 0.7 at IoU 0.8', () => {
    const result = stats([box], [[100, 100, 40, 50, 0.9]]);
    expect(result[0]).toBeCloseTo(0.7, 12);
    expect(result[2]).toBeCloseTo(1, 12);
  });
  it('counts an area of exactly 1024 as small and medium', () => {
    const result = stats([[0, 0, 32, 32]], [[0, 0, 32, 32, 0.5]]);
    expect(result[3]).toBeCloseTo(1, 12);
    expect(result[4]).toBeCloseTo(1, 12);
  });
  it('halves AP for a false positive that scores higher', () => {
    const result = stats(
      [box],
      [
        [400, 100, 50, 50, 0.9],
        [...box, 0.8],
      ],
    );
    expect(result[0]).toBeCloseTo(0.5, 12);
    expect(result[6]).toBe(0);
    expect(result[7]).toBeCloseTo(1, 12);
  });
  it('samples two truths with one false positive in between at 101 recalls', () => {
    const far = [300, 300, 50, 50];
    const result = stats(
      [box, far],
      [
        [...box, 0.9],
        [500, 0, 50, 50, 0.8],
        [...far, 0.7],
      ],
    );
    expect(result[0]).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
    expect(result[6]).toBe(0.5);
  });
  it('lets a crowd absorb detections without counting them', () => {
    const crowd = [
      [110, 110, 20, 20, 0.9],
      [130, 130, 20, 20, 0.8],
      [150, 150, 20, 20, 0.7],
    ];
    const result = stats(
      [
        [100, 100, 100, 100, 1],
        [300, 300, 50, 50],
      ],
      [...crowd, [300, 300, 50, 50, 0.5]],
    );
    expect(result[0]).toBeCloseTo(1, 12);
    expect(result[6]).toBe(0);
  });
  it('matches the later of two identical truths', () => {
    const [dataset, results] = scene([box, box], [[...box, 0.9]], [7, 0]);
    expect(evaluateCoco(dataset, results).stats[0]).toBe(0); // the later one has id 0
  });
  it('refuses detections on unknown images and scores that are not numbers', () => {
    const [dataset, results] = scene([box], [[...box, 0.9]]);
    expect(() => evaluateCoco(dataset, [{ ...results[0]!, image_id: 9 }])).toThrow(DatasetError);
    expect(() => evaluateCoco(dataset, [{ ...results[0]!, score: Number.NaN }])).toThrow(DatasetError);
  });
});
