/**
 * Presets equal their libraries from class scores to kept rows, on seeded sets: torchvision's RoIHeads and supervision's
 * with_nms themselves, Ultralytics, mmdetection and TensorFlow restated; TensorFlow also against tfjs.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { type LibraryPreset, presetDetections, presetNms } from '../../src/heads/index.ts';
import golden from '../golden/nms/presets.json' with { type: 'json' };
import { hashIndices, makeSet } from '../golden/nms/sets.ts';

interface Summary {
  readonly count: number;
  readonly hash: number;
  readonly rows: readonly (readonly number[])[];
}

type Case = { readonly kind: string; readonly boxes: number; readonly classes: number } & Readonly<
  Record<string, Summary>
>;
const cases = Object.entries(golden as unknown as Record<string, Case>);

/** The twin of presets.py's class_scores. */
function classScores(seed: number, count: number, classes: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count * classes }, (_, k) => {
    const value = (((k + 1) * 7919 * ((seed % 97) + 1)) % 1000003) / 1000003;
    return Math.floor(k / classes) % classes === k % classes ? value : value * 0.2;
  });
}

function inputs(seed: string, { kind, boxes: count, classes }: Case) {
  const { boxes } = makeSet({ seed: Number(seed), kind, count, classes, threshold: 0 });
  return { boxes, scores: classScores(Number(seed), count, classes), classes };
}

function expectRows(
  found: { indices: ArrayLike<number>; classIds: ArrayLike<number> },
  expected: Summary,
  classes: number,
) {
  const rows = Array.from(found.indices, (index, i) => [index, found.classIds[i]!]);
  expect(rows.slice(0, 5)).toEqual(expected.rows);
  expect(rows.length).toBe(expected.count);
  expect(hashIndices(rows.map(([index, id]) => index! * classes + id!))).toBe(expected.hash);
}

/** What RoIHeads does before: boxes cut at the image. */
function clipped(boxes: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(boxes, (value, i) => Math.min(Math.max(value, 0), i % 2 === 0 ? 700 : 600));
}

const variants = [
  ['ultralytics', 'ultralytics', {}],
  ['ultralytics-val', 'ultralytics', { scoreThreshold: 0.001, multiLabel: true }],
  ['ultralytics-agnostic', 'ultralytics', { iouThreshold: 0.45, agnostic: true }],
  ['torchvision', 'torchvision', {}],
  ['mmdetection', 'mmdetection', {}],
  ['supervision', 'supervision', {}],
  ['tensorflow', 'tensorflow', {}],
] as const;

describe.each(cases)('set %s', (seed, spec) => {
  it.each(variants.filter(([name]) => name in spec))('%s', (name, preset, options) => {
    const { boxes, scores, classes } = inputs(seed, spec);
    const own = preset === 'torchvision' ? clipped(boxes) : boxes;
    expectRows(presetDetections(own, scores, classes, preset, options), spec[name]!, classes);
  });
});

describe('rotated boxes', () => {
  it.each(cases.filter(([, spec]) => 'ultralytics-obb' in spec))('set %s', (seed, spec) => {
    const { boxes, scores, classes } = inputs(seed, spec);
    const angles = Float32Array.from(
      { length: spec.boxes },
      (_, i) => (((i * 37 + Number(seed)) % 201) - 100) / 64,
    );
    const best = presetDetections(boxes, scores, classes, 'supervision', { iouThreshold: 1 });
    expect(best.indices.length).toBe(spec.boxes);
    const kept = presetNms({ boxes, angles, scores: best.scores, classIds: best.classIds }, 'ultralytics');
    const found = { indices: kept, classIds: Array.from(kept, (row) => best.classIds[row]!) };
    expectRows(found, spec['ultralytics-obb']!, classes);
  });
});

describe('tensorflow', () => {
  it('equals tfjs class by class', async () => {
    await tf.setBackend('cpu');
    const usable = cases.filter(([, { boxes, kind }]) => boxes > 0 && boxes <= 500 && kind !== 'degenerate');
    for (const [seed, spec] of usable) {
      const { boxes, scores, classes } = inputs(seed, spec);
      const found: [score: number, row: number, id: number][] = [];
      for (let c = 0; c < Math.min(classes, 6); c++) {
        const own = Float32Array.from({ length: spec.boxes }, (_, i) => scores[i * classes + c]!);
        const yxyx = boxes.map((_, i) => boxes[(i & ~3) + [1, 0, 3, 2][i & 3]!]!);
        const kept = tf.image
          .nonMaxSuppression(tf.tensor2d(yxyx, [spec.boxes, 4]), tf.tensor1d(own), 100, 0.6, 0)
          .dataSync();
        for (const row of kept) found.push([own[row]!, row, c]);
      }
      found.sort((a, b) => b[0] - a[0]);
      const only = Float32Array.from(scores, (value, k) => (k % classes < 6 ? value : 0));
      const ours = presetDetections(boxes, only, classes, 'tensorflow');
      expect(Array.from(ours.indices, (row, i) => [row, ours.classIds[i]])).toEqual(
        found.slice(0, 100).map(([, row, id]) => [row, id]),
      );
    }
  });
});

describe('rules', () => {
  const boxes = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 10, 50, 50, 60, 60);
  const scores = Float32Array.of(0.9, 0.9, 0.3);
  const classIds = Int32Array.of(0, 0, 0);
  const names: LibraryPreset[] = ['ultralytics', 'torchvision', 'mmdetection', 'supervision', 'tensorflow'];
  it.each(names)('%s: limits and overrides', (preset) => {
    expect(presetNms({ boxes, scores, classIds }, preset).length).toBe(2);
    expect(presetNms({ boxes, scores, classIds }, preset, { maxDetections: 1 }).length).toBe(1);
    expect(presetNms({ boxes, scores, classIds }, preset, { scoreThreshold: 0.5 }).length).toBe(1);
    expect(presetNms({ boxes, scores, classIds }, preset, { iouThreshold: 1 }).length).toBe(3);
    const none = { boxes: new Float32Array(0), scores: new Float32Array(0), classIds: new Int32Array(0) };
    expect(presetNms(none, preset).length).toBe(0);
    const bad = Float32Array.of(Number.NaN, 0.9, Number.POSITIVE_INFINITY);
    expect([...presetNms({ boxes, scores: bad, classIds }, preset)]).toEqual([1]);
  });
  it('of equal scores supervision keeps the later row, the others the earlier', () => {
    expect([...presetNms({ boxes, scores, classIds }, 'supervision')]).toEqual([1, 2]);
    expect([...presetNms({ boxes, scores, classIds }, 'torchvision')]).toEqual([0, 2]);
  });
  it('mmdetection moves classes apart also from 10 000 rows on, where it goes class by class', () => {
    // class 79 begins at 79 · 1310 = 103 490, where float32 counts in 128ths: 5.003 is 5 there, and the IoU 0.5, not more
    for (const count of [9_000, 12_000]) {
      const many = new Float32Array(4 * count);
      for (let i = 2; i < count; i++) many.set([1300, 1300, 1309, 1309], 4 * i);
      many.set([0, 0, 10, 10, 0, 0, 10, 5.003]);
      const rows = {
        boxes: many,
        scores: Float32Array.from({ length: count }, (_, i) => 1 - i / (2 * count)),
        classIds: new Int32Array(count).fill(3).fill(79, 0, 2),
      };
      expect([count, ...presetNms(rows, 'mmdetection')]).toEqual([count, 0, 1, 2]);
    }
  });
  it('mmdetection forgets class_agnostic from 10 000 rows on, as mmcv batched_nms does', () => {
    // two equal boxes of two classes among others far apart: 10 000 rows go class by class, 9 999 in one NMS
    const rows = (count: number) => {
      const boxes = new Float32Array(4 * count);
      for (let i = 1; i < count; i++) boxes.set([20 * i, 0, 20 * i + 10, 10], 4 * i);
      boxes.copyWithin(0, 4, 8);
      return {
        boxes,
        scores: new Float32Array(count).fill(0.5),
        classIds: Int32Array.from({ length: count }, (_, i) => (i === 0 ? 1 : 0)),
      };
    };
    const kept = (count: number) =>
      presetNms(rows(count), 'mmdetection', { agnostic: true, maxDetections: count }).length;
    expect([kept(9999), kept(10_000)]).toEqual([9998, 10_000]);
  });

  it('takes a box a class', () => {
    const perClass = Float32Array.of(0, 0, 10, 10, 20, 20, 30, 30);
    const found = presetDetections(perClass, Float32Array.of(0.6, 0.5), 2, 'torchvision');
    expect([...found.classIds]).toEqual([0, 1]);
    expect(() => presetDetections(perClass, Float32Array.of(0.6, 0.5, 0.1), 3, 'torchvision')).toThrow(
      ShapeError,
    );
  });
  it('rotated boxes are Ultralytics’ only: gone with any better box of the class at or above the threshold', () => {
    const angles = Float32Array.of(0.3, 0.3, 0);
    const rows = { boxes, scores: Float32Array.of(0.8, 0.9, 0.5), classIds, angles };
    expect([...presetNms(rows, 'ultralytics')]).toEqual([1, 2]);
    expect([...presetNms({ ...rows, classIds: Int32Array.of(0, 1, 0) }, 'ultralytics')]).toEqual([1, 0, 2]);
    expect(() => presetNms(rows, 'torchvision')).toThrow(OptionError);
  });
  it('names presets it does not know', () => {
    expect(() => presetNms({ boxes, scores, classIds }, 'darknet' as 'ultralytics')).toThrow(
      /ultralytics, torch/,
    );
  });
});
