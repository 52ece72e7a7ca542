/** Options that follow one library against that library; and float32 where a margin's slope is steepest. */
import { describe, expect, it } from 'vitest';
import { distributionCoder } from '../../src/coders/index.ts';
import { OptionError } from '../../src/errors.ts';
import * as losses from '../../src/losses/index.ts';
import golden from '../golden/losses/conventions.json' with { type: 'json' };
import { integers, uniform } from '../golden/seeded.ts';

type Floats = Float64Array;

function expectGolden(name: keyof typeof golden.losses, { value, gradient }: losses.LossResult): void {
  const expected = golden.losses[name];
  expect(value).toBeCloseTo(expected.value, 8);
  expect(gradient).toHaveLength(expected.gradient.length);
  gradient.forEach((g: number, i: number) => {
    expect(g).toBeCloseTo(expected.gradient[i]!, 8);
  });
}

const boxes = (seed: number): Floats => {
  const b = uniform(seed, 80, 0.5, 10);
  return b.map((v, i) => (i % 4 < 2 ? v : b[i - 2]! + v / 3));
};

describe('as the library', () => {
  const [f, y] = [uniform(1, 60, -1.5, 1.5), integers(2, 12, 3)];
  const unit = { dimensions: 5, normalise: true, average: 'nonzero' } as const;
  it('pytorch-metric-learning: contrastive, and triplets with the anchor swapped', () => {
    const margins = { margin: 0.9, positiveMargin: 0.1 };
    expectGolden('contrastive', losses.contrastiveLoss(f, y, { ...unit, ...margins, power: 1 }));
    const swapped = { ...unit, distance: 'euclidean', margin: 0.05, swap: true } as const;
    expectGolden('tripletSwap', losses.tripletLoss(f, y, swapped));
  });
  it('mmdetection: a weight an element of the bounded IoU, a floor under every transform of the IoU', () => {
    const [p, g, weights] = [boxes(3), boxes(4), uniform(5, 80, 0, 2)];
    const preset = 'mmdetection';
    expectGolden('boundedIou', losses.boundedIouLoss(p, g, { weights, avgFactor: 7, preset }));
    for (const transform of ['linear', 'square', 'log'] as const) {
      const options = { transform, weights, avgFactor: 3, preset, floor: 0.01 } as const;
      expectGolden(`iou ${transform}`, losses.iouLoss(p, g, options));
    }
  });
  it('mmdetection: the bounded IoU where sizes are equal or the bound is 0, both halves of the kink', () => {
    // torch's minimum and maximum give ½ to each side of a tie, which is what a central difference sees at a kink
    const p = new Float64Array([1, 2, 5, 4, 1, 2, 5, 4, 4, 1, 8, 6]);
    const g = new Float64Array([1, 2, 5, 4, 2, 2.5, 6, 4.5, 0, 0, 6, 5]);
    const sum = { reduction: 'sum' } as const;
    const { gradient } = losses.boundedIouLoss(p, g, sum);
    for (let k = 0; k < p.length; k++) {
      const moved = (by: number): number => losses.boundedIouLoss(p.with(k, p[k]! + by), g, sum).value;
      expect(gradient[k]).toBeCloseTo((moved(1e-6) - moved(-1e-6)) / 2e-6, 5);
    }
  });
  it('a pixel offset that is none is refused', () => {
    const call = () => losses.iouLoss(boxes(3), boxes(4), { pixelOffset: 2 as 1 });
    expect(call).toThrow(OptionError);
  });
  it('mmdetection: a mean of cross-entropy over ignored samples too', () => {
    const x = uniform(8, 12, -2, 2);
    const options = { classes: 3, ignoreIndex: 255 } as const;
    const counted = losses.crossEntropyLoss(x, [0, 255, 2, 1], options);
    const all = losses.crossEntropyLoss(x, [0, 255, 2, 1], { ...options, preset: 'mmdetection' });
    expect(all.value).toBeCloseTo((counted.value * 3) / 4, 12);
  });
  it('torch: softmax focal loss of soft targets, which for one-hot targets is that of labels', () => {
    const [x, q] = [uniform(6, 40, -4, 4), uniform(7, 40, 0, 1)];
    expectGolden('softmaxFocalSoft', losses.softmaxFocalLoss(x, q, { classes: 5, gamma: 1.5 }));
    const labels = integers(9, 8, 5);
    const onehot = x.map((_, i) => (labels[Math.floor(i / 5)] === i % 5 ? 1 : 0));
    const [hard, soft] = [labels, onehot].map((t) => losses.softmaxFocalLoss(x, t, { classes: 5 }));
    expect(soft!.value).toBeCloseTo(hard!.value, 12);
    expect([...soft!.gradient]).toEqual([...hard!.gradient]);
  });
});

describe('through a distribution over distances', () => {
  it('the gradient is that of central differences', () => {
    const through = distributionCoder({ bins: 8 });
    const logits = uniform(11, 2 * 32, -2, 2);
    const priors = Float64Array.of(20, 20, 28, 28, 30, 24, 38, 32);
    const target = Float64Array.of(10, 12, 40, 37, 20, 9, 50, 60);
    const run = (x: Floats) =>
      losses.iouLoss(x, target, { metric: 'ciou', through, priors, reduction: 'sum' });
    // alpha of CIoU is held; boxes of DIoU have no such term
    const free = (x: Floats) => losses.iouLoss(x, target, { metric: 'diou', through, priors });
    expect(run(logits).gradient).toHaveLength(64);
    const { gradient } = free(logits);
    for (let i = 0; i < logits.length; i++) {
      const [up, down] = [1e-6, -1e-6].map(
        (step) => free(logits.map((v, k) => (k === i ? v + step : v))).value,
      );
      expect(gradient[i]).toBeCloseTo((up! - down!) / 2e-6, 7);
    }
  });
});

describe('float32 beside float64 where features lie near their own class', () => {
  const [N, C, D] = [6, 4, 3];
  const shape = { dimensions: D, classes: C };
  const labels = integers(20, N, C);
  const w = Float32Array.from(uniform(21, C * D, -1, 1));
  const margins: Record<string, (f: Floats, w: Floats) => losses.MarginSoftmaxResult> = {
    arc: (a, b) => losses.arcFaceLoss(a, b, labels, { ...shape, scale: 8 }),
    combined: (a, b) => losses.combinedMarginLoss(a, b, labels, { ...shape, scale: 8, m2: 0.3, m3: 0.1 }),
    ada: (a, b) => losses.adaFaceLoss(a, b, labels, { ...shape, scale: 8 }),
    curricular: (a, b) => losses.curricularFaceLoss(a, b, labels, { ...shape, scale: 8 }),
    subCenter: (a, b) => losses.subCenterArcFaceLoss(a, b, labels, { ...shape, scale: 8, subCenters: 1 }),
  };
  const close = (single: ArrayLike<number>, double: ArrayLike<number>): void => {
    const bound = 1e-5 * Math.max(1, ...Array.from(double, Math.abs));
    for (let i = 0; i < double.length; i++)
      expect(Math.abs(single[i]! - double[i]!)).toBeLessThanOrEqual(bound);
  };
  const near = (angle: number): Float32Array =>
    Float32Array.from(uniform(22, N * D, -angle, angle), (v, i) => {
      return w[labels[Math.floor(i / D)]! * D + (i % D)]! + v;
    });
  it.each([0.1, 0.01, 0.003])('at angles of about %f', (angle) => {
    const f = near(angle);
    for (const run of Object.values(margins)) {
      const single = run(f as unknown as Floats, w as unknown as Floats);
      const double = run(Float64Array.from(f), Float64Array.from(w));
      close(single.gradient, double.gradient);
      close(single.weightGradient, double.weightGradient);
    }
    const options = { dimensions: D, distance: 'angle' } as const;
    close(
      losses.tripletLoss(f, labels, options).gradient,
      losses.tripletLoss(Float64Array.from(f), labels, options).gradient,
    );
  });
  it('cosines of a large batch run on the kernel and agree as well', () => {
    const features = Float32Array.from(uniform(23, 256 * 64, -1, 1));
    const ids = integers(24, 256, 40);
    for (const loss of [losses.circleLoss, losses.supervisedContrastiveLoss, losses.multiSimilarityLoss]) {
      const single = loss(features, ids, { dimensions: 64 });
      const double = loss(Float64Array.from(features), ids, { dimensions: 64 });
      expect(single.value).toBeCloseTo(double.value, 4);
      close(single.gradient, double.gradient);
    }
  });
});
