/** Total losses of detectors against torch autograd on restatements of the libraries. */
import { describe, expect, it } from 'vitest';
import * as losses from '../../src/losses/index.ts';
import golden from '../golden/losses/recipes.json' with { type: 'json' };
import { integers, uniform } from '../golden/seeded.ts';
import { checkSlopes } from './frozen.ts';
import { expectRecorded, manyNames, recordedCases } from './many.ts';

const { images, classes: C, bins } = golden;
const R = images * golden.rows;

interface Outcome {
  readonly value: number;
  readonly gradients: readonly ArrayLike<number>[];
  /** What the gradients belong to; a recipe reads them anew each time. */
  readonly inputs: readonly Float64Array[];
}

/** Columns side by side: row i of the result is row i of every part. */
function beside(...parts: readonly (readonly [ArrayLike<number>, number])[]): Float64Array {
  const rows = parts[0]![0].length / parts[0]![1];
  return Float64Array.from(
    Array.from({ length: rows }, (_, i) =>
      parts.flatMap(([values, width]) => Array.from({ length: width }, (_, k) => values[i * width + k]!)),
    ).flat(),
  );
}

function outcomes(seed: number): Record<string, () => Outcome> {
  const n = (offset: number, width: number, low = -2, high = 2): Float64Array =>
    uniform(seed + offset, R * width, low, high);
  const logits = n(0, C);
  const reg = n(1, 4);
  const ctr = n(2, 1);
  const labels = integers(seed + 3, R, C + 2).map((label) => label - 2);
  const boxTargets = n(4, 4);
  const centre = n(7, 2, 4.5, 5.5);
  const priors = beside([centre.map((v) => v - 0.5), 2], [centre.map((v) => v + 0.5), 2]);
  const low = n(8, 2, 0, 4);
  const high = n(9, 2, 0, 4);
  const inside = beside(
    [centre.map((v, i) => v - 0.25 - low[i]!), 2],
    [centre.map((v, i) => v + 0.25 + high[i]!), 2],
  );
  const distances = n(10, 4, 0.25, 6);
  const unit = beside([n(11, 2, 0.25, 0.75), 2], [n(12, 2, 0.125, 0.5), 2]);
  const unitTargets = beside([n(13, 2, 0.25, 0.75), 2], [n(14, 2, 0.125, 0.5), 2]);
  const distributions = n(17, 4 * bins);
  const positives = Int32Array.of(1, 4, 7, 15, 20);
  const scoreClass = integers(seed + 15, 5, C);
  const score = uniform(seed + 16, 5, 0.125, 1);
  const targetScores = new Float64Array(R * C);
  positives.forEach((row, i) => {
    targetScores[row * C + scoreClass[i]!] = score[i]!;
  });
  const wide = beside([n(20, 2, 10, 20), 2], [n(21, 2, 8, 30), 2]);
  const wideTargets = beside([uniform(seed + 22, 10, 10, 20), 2], [uniform(seed + 23, 10, 8, 30), 2]);
  const both = <A extends string>(
    loss: losses.DetectorLoss<string, A>,
    inputs: Partial<Record<A, Float64Array>>,
  ): Outcome => ({
    value: loss.value,
    gradients: (Object.keys(inputs) as A[]).map((name) => loss.gradients[name]),
    inputs: Object.values<Float64Array>(inputs as Record<A, Float64Array>),
  });
  const retinanet = (convention: 'torchvision' | 'mmdetection' | 'detectron2') => () =>
    both(
      losses.retinanetLoss({
        logits,
        boxes: reg,
        labels,
        boxTargets,
        classes: C,
        images,
        convention,
        normalizer: 17,
      }),
      { logits, boxes: reg },
    );
  const fcos = (convention: 'torchvision' | 'mmdetection') => () =>
    both(
      losses.fcosLoss({
        logits,
        distances,
        centreness: ctr,
        labels: labels.map((l) => Math.max(l, -1)),
        boxTargets: inside,
        priors,
        classes: C,
        convention,
      }),
      { logits, distances, centreness: ctr },
    );
  return {
    ssd: () =>
      both(
        losses.ssdLoss({
          logits,
          boxes: reg,
          labels: labels.map((l) => Math.max(l, 0)),
          boxTargets,
          classes: C,
          images,
        }),
        { logits, boxes: reg },
      ),
    'retinanet torchvision': retinanet('torchvision'),
    'retinanet mmdetection': retinanet('mmdetection'),
    'retinanet detectron2': retinanet('detectron2'),
    'fcos torchvision': fcos('torchvision'),
    'fcos mmdetection': fcos('mmdetection'),
    'detr softmax': () =>
      both(
        losses.detrLoss({
          logits,
          boxes: unit,
          labels: labels.map((l) => (l >= C - 1 ? -1 : Math.max(l, -1))),
          boxTargets: unitTargets,
          classes: C,
        }),
        { logits, boxes: unit },
      ),
    'detr focal': () =>
      both(
        losses.detrLoss({
          logits,
          boxes: unit,
          labels: labels.map((l) => Math.max(l, -1)),
          boxTargets: unitTargets,
          classes: C,
          classification: 'focal',
        }),
        { logits, boxes: unit },
      ),
    yolov8: () =>
      both(
        losses.yolov8Loss({
          logits,
          distributions,
          targetScores,
          positives,
          boxTargets: inside,
          priors,
          classes: C,
          images,
          bins,
        }),
        { logits, distributions },
      ),
    yolox: () =>
      both(
        losses.yoloxLoss({
          logits,
          objectness: ctr,
          boxes: wide,
          positives,
          classIds: integers(seed + 18, 5, C),
          overlaps: uniform(seed + 19, 5, 0.25, 1),
          boxTargets: wideTargets,
          classes: C,
        }),
        { logits, objectness: ctr, boxes: wide },
      ),
    yolov5: () => {
      const levels = [0, 1, 2].map((l) => ({
        boxes: n(80 + l, 4),
        objectness: n(90 + l, 1),
        logits: n(95 + l, C),
        matches: integers(seed + 30 + l, 6, R),
        boxTargets: beside([uniform(seed + 40 + l, 12, -0.5, 1.5), 2], [uniform(seed + 50 + l, 12, 1, 6), 2]),
        anchors: uniform(seed + 60 + l, 12, 1, 5),
        classIds: integers(seed + 70 + l, 6, C),
      }));
      const { value, gradients } = losses.yolov5Loss(levels, { classes: C, images });
      return {
        value,
        gradients: [
          ...gradients.map(({ boxes }) => boxes),
          ...gradients.map(({ objectness }) => objectness),
          ...gradients.map(({ logits: l }) => l),
        ],
        inputs: [],
      };
    },
  };
}

describe('detector losses equal central differences in float64', () => {
  // the two others detach CIoU's alpha, which the tests of the boxes hold
  const names = Object.keys(outcomes(1)).filter((name) => name !== 'yolov8' && name !== 'yolov5');
  it.each(names)('%s', (name) => {
    checkSlopes((seed) => {
      const run = outcomes(seed)[name]!;
      const { inputs, gradients } = run();
      return { inputs, gradients, held: () => run().value };
    });
  });
  it('yolox with the L1 term of its last epochs', () => {
    const positives = Int32Array.of(0, 2, 3);
    checkSlopes((seed) => {
      const raw = uniform(seed, 12, -1, 1);
      const boxes = uniform(seed + 1, 16, 4, 9);
      const held = () =>
        losses.yoloxLoss({
          logits: uniform(seed + 2, 4 * C, -1, 1),
          objectness: uniform(seed + 3, 4, -1, 1),
          boxes,
          positives,
          classIds: integers(seed + 4, 3, C),
          overlaps: [0.5, 0.7, 0.9],
          boxTargets: uniform(seed + 5, 12, 4, 9),
          classes: C,
          l1: { raw, targets: uniform(seed + 6, 12, -1, 1) },
        });
      return { inputs: [raw], gradients: [held().gradients.raw], held: () => held().value };
    });
  });
});

describe('detector losses equal torch autograd in float64', () => {
  it.each(manyNames('recipes'))('200 random cases: %s', (name) => {
    recordedCases('recipes', name).forEach((recorded, k) => {
      const seed = 700_000 + 1000 * k;
      expectRecorded(recorded, seed, outcomes(seed)[name]!());
    });
  });

  for (const { seed, losses: expected } of golden.cases) {
    const table = outcomes(seed);
    it.each(Object.entries(expected))(`seed ${seed}: %s`, (name, { value, gradients }) => {
      const result = table[name]!();
      expect(Math.abs(result.value - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
      gradients.forEach((gradient, g) => {
        const bound = Math.max(1, ...gradient.map(Math.abs));
        const worst = Math.max(...gradient.map((slope, i) => Math.abs(slope - result.gradients[g]![i]!)));
        expect(worst).toBeLessThanOrEqual(1e-6 * bound);
      });
    });
  }

  it('gives zero gradients and finite values without positives', () => {
    const labels = new Int32Array(4).fill(-1);
    const logits = uniform(1, 4 * C, -1, 1);
    const boxes = uniform(2, 16, -1, 1);
    const { value, gradients } = losses.retinanetLoss({
      logits,
      boxes,
      labels,
      boxTargets: boxes,
      classes: C,
      images: 1,
    });
    expect(Number.isFinite(value)).toBe(true);
    expect(gradients.boxes.every((g) => g === 0)).toBe(true);
    const ssd = losses.ssdLoss({
      logits,
      boxes,
      labels: new Int32Array(4),
      boxTargets: boxes,
      classes: C,
      images: 1,
    });
    expect(ssd.value).toBe(0);
  });
});
