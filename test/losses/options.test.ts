/** What losses do with options that are misspelt or out of range, numbers of samples that do not count, and recipes with arrays that do not belong together. */
import { describe, expect, it } from 'vitest';
import { NumericError, OptionError, ShapeError } from '../../src/errors.ts';
import * as losses from '../../src/losses/index.ts';

const f = (...values: number[]): Float64Array => Float64Array.from(values);
const fill = (n: number, value: number): Float64Array => new Float64Array(n).fill(value);
const logits = f(1, 2, 3, 4);

describe('a weight that is not finite', () => {
  const weights = [Number.NaN, 1];
  const classWeights = [1, Number.POSITIVE_INFINITY];
  it.each<[string, () => unknown]>([
    [
      'crossEntropyLoss: weights[0]',
      () => losses.crossEntropyLoss(logits, [-100, 0], { classes: 2, weights }),
    ],
    ['softmaxFocalLoss: weights[0]', () => losses.softmaxFocalLoss(logits, [-1, 0], { classes: 2, weights })],
    [
      'softmaxFocalLoss: classWeights[1]',
      () => losses.softmaxFocalLoss(logits, [0, 0], { classes: 2, classWeights }),
    ],
    [
      'seesawLoss: weights[0]',
      () => losses.seesawLoss(logits, [-100, 0], { classes: 2, weights, sampleCounts: [1, 2] }),
    ],
    [
      'sigmoidFocalLoss: weights[0]',
      () => losses.sigmoidFocalLoss(logits, [-1, 0], { classes: 2, weights, ignoreIndex: -1 }),
    ],
    [
      'binaryCrossEntropyLoss: weights[0]',
      () => losses.binaryCrossEntropyLoss(logits, [-1, 0], { classes: 2, weights, ignoreIndex: -1 }),
    ],
  ])('of a sample or class that counts for nothing: %s', (place, loss) => {
    expect(loss).toThrow(NumericError);
    expect(loss).toThrow(place);
  });
});

describe('gaussianFocalLoss', () => {
  it.each([0, 0.5, 1, 2])('has slope 0 where the sigmoid is exactly 0 or 1, also for alpha %s', (alpha) => {
    // p·(1 − p)·d/dp → 0 at both ends
    const { gradient } = losses.gaussianFocalLoss(f(-800, 800, 800, -800), f(0.5, 0.5, 1, 1), { alpha });
    gradient.forEach((slope) => {
      expect(Math.abs(slope)).toBe(0);
    });
  });
});

describe('an option out of range', () => {
  const box = f(0, 0, 2, 2);
  it.each<[string, () => unknown]>([
    ['bins', () => losses.ghmClassificationLoss(f(1), [1], { bins: 0 })],
    ['bins', () => losses.ghmRegressionLoss(f(1), [1], { bins: 2.5 })],
    ['momentum', () => losses.ghmClassificationLoss(f(1), [1], { momentum: 2 })],
    ['momentum', () => losses.ghmRegressionLoss(f(1), [1], { momentum: Number.NaN })],
    ['mu', () => losses.ghmRegressionLoss(f(1), [1], { mu: -1 })],
    ['mean', () => losses.wiseIouLoss(box, box, { mean: Number.NaN, version: 1 })],
    ['momentum', () => losses.wiseIouLoss(box, box, { momentum: Number.NaN })],
    ['classes', () => losses.sampleClasses([0, 1], { classes: 10.5, seed: 1 })],
  ])('is an OptionError: %s', (name, loss) => {
    expect(loss).toThrow(OptionError);
    expect(loss).toThrow(name);
  });
  it('but μ = 0 is |d|, without a slope at 0', () => {
    const { value, gradient } = losses.ghmRegressionLoss(f(1, 3), [1, 1], { mu: 0, reduction: 'sum' });
    // two elements in two bins: each weighs 2/1/2 = 1
    expect(value).toBe(2);
    expect(Array.from(gradient)).toEqual([0, 1]);
  });
});

describe('a misspelt option', () => {
  const [features, labels] = [f(1, 2, 3, 4, 5, 7), [0, 0, 1]];
  const shape = { dimensions: 2, classes: 2 };
  it.each<[string, () => unknown]>([
    ['mining', () => losses.tripletLoss(features, labels, { dimensions: 2, mining: 'hard' as 'batch-hard' })],
    ['distance', () => losses.tripletLoss(features, labels, { dimensions: 2, distance: 'cos' as 'angle' })],
    ['average', () => losses.tripletLoss(features, labels, { dimensions: 2, average: 'none' as 'all' })],
    ['average', () => losses.contrastiveLoss(features, labels, { dimensions: 2, average: 'none' as 'all' })],
    [
      'convention',
      () => losses.centerLoss(f(1, 2), fill(4, 0), [0], { ...shape, convention: 'caffe' as 'sgd' }),
    ],
    [
      'fallback',
      () => losses.arcFaceLoss(f(1, 2), fill(4, 1), [0], { ...shape, fallback: 'hard' as 'easy' }),
    ],
    [
      'averageOver',
      () => losses.crossEntropyLoss(logits, [0, 1], { classes: 2, averageOver: 'each' as 'all' }),
    ],
    ['input', () => losses.gaussianFocalLoss(f(0.5), [1], { input: 'scores' as 'logits' })],
    ['normalizer', () => losses.focalEiouLoss(f(0, 0, 1, 1), f(0, 0, 1, 2), { normalizer: 'n' as 'count' })],
  ])('is an OptionError: %s', (name, loss) => {
    expect(loss).toThrow(OptionError);
    expect(loss).toThrow(`${name}: expected`);
  });
});

describe('a recipe', () => {
  const retinanet = {
    logits: f(1, 2),
    boxes: fill(8, 0.1),
    labels: Int32Array.of(-2, -1),
    boxTargets: fill(8, 0.2),
    classes: 1,
    images: 1,
  };
  const fcos = {
    logits: f(0, 0),
    distances: fill(8, 3),
    centreness: f(0, 0),
    labels: Int32Array.of(0, -1),
    boxTargets: f(0, 0, 8, 8, 0, 0, 8, 8),
    priors: f(0, 0, 8, 8, 0, 0, 8, 8),
    classes: 1,
  };
  const detr = {
    logits: fill(4, 0),
    boxes: fill(8, 0.5),
    labels: Int32Array.of(-1, -1),
    boxTargets: fill(8, 0.5),
    classes: 2,
  };
  const level = {
    boxes: fill(8, 0.1),
    objectness: f(0, 0),
    logits: fill(4, 0),
    matches: Int32Array.of(0, 1),
    boxTargets: fill(8, 1),
    anchors: fill(4, 1),
    classIds: Int32Array.of(1, 0),
  };
  const yolox = {
    logits: fill(4, 0),
    objectness: f(0, 0),
    boxes: fill(8, 2),
    positives: Int32Array.of(0, 1),
    classIds: Int32Array.of(1, 0),
    overlaps: [0.5, 0.5],
    boxTargets: fill(8, 2),
    classes: 2,
  };
  const yolov8 = {
    logits: f(0, 0),
    distributions: fill(128, 0),
    targetScores: f(0, 0),
    positives: new Int32Array(0),
    boxTargets: fill(8, 0),
    priors: fill(8, 1),
    classes: 1,
    images: 1,
  };
  const two = { classes: 2, images: 1 };
  const outside = Int32Array.of(2, 0); // would fall into the next row
  it.each<[string, typeof ShapeError | typeof OptionError | typeof NumericError, () => unknown]>([
    ['labels', ShapeError, () => losses.retinanetLoss({ ...retinanet, labels: Int32Array.of(0) })],
    ['labels', ShapeError, () => losses.retinanetLoss({ ...retinanet, labels: Int32Array.of(0, 0, 0) })],
    ['labels[1]', OptionError, () => losses.retinanetLoss({ ...retinanet, labels: Int32Array.of(0, 1) })],
    ['boxes', ShapeError, () => losses.retinanetLoss({ ...retinanet, boxes: fill(4, 0) })],
    ['logits[0]', NumericError, () => losses.retinanetLoss({ ...retinanet, logits: f(Number.NaN, 1) })],
    [
      'boxes[2]',
      NumericError,
      () => losses.retinanetLoss({ ...retinanet, boxes: fill(8, 0).fill(1 / 0, 2) }),
    ],
    [
      'convention',
      OptionError,
      () => losses.retinanetLoss({ ...retinanet, convention: 'tv' as 'torchvision' }),
    ],
    ['labels[1]', OptionError, () => losses.fcosLoss({ ...fcos, labels: Int32Array.of(0, 1) })],
    ['centreness', ShapeError, () => losses.fcosLoss({ ...fcos, centreness: f(0) })],
    ['convention', OptionError, () => losses.fcosLoss({ ...fcos, convention: 'tv' as 'torchvision' })],
    ['labels[0]', OptionError, () => losses.detrLoss({ ...detr, labels: Int32Array.of(1, -1) })],
    ['boxes', ShapeError, () => losses.detrLoss({ ...detr, boxes: fill(4, 0.5) })],
    ['classification', OptionError, () => losses.detrLoss({ ...detr, classification: 'bce' as 'focal' })],
    ['labels[0]', OptionError, () => losses.yolov5Loss([{ ...level, classIds: outside }], two)],
    ['logits', ShapeError, () => losses.yolov5Loss([{ ...level, logits: fill(2, 0) }], two)],
    ['labels[0]', OptionError, () => losses.yoloxLoss({ ...yolox, classIds: outside })],
    ['boxes', ShapeError, () => losses.yoloxLoss({ ...yolox, boxes: fill(12, 1) })],
    ['distributions', ShapeError, () => losses.yolov8Loss({ ...yolov8, distributions: fill(64, 0) })],
  ])('names what does not fit: %s', (name, kind, loss) => {
    expect(loss).toThrow(kind);
    expect(loss).toThrow(name);
  });
  it('takes what fits', () => {
    for (const { value } of [
      losses.retinanetLoss(retinanet),
      losses.fcosLoss(fcos),
      losses.detrLoss(detr),
      losses.yolov5Loss([level], two),
      losses.yoloxLoss(yolox),
      losses.yolov8Loss(yolov8),
    ]) {
      expect(value).toBeGreaterThan(0);
    }
  });
});
