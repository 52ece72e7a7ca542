/** Every loss at its limits: logits of ±100 in float32, NaN anywhere, kinks; and the conventions that are options. */
import { describe, expect, it } from 'vitest';
import { NumericError } from '../../src/errors.ts';
import * as losses from '../../src/losses/index.ts';
import { integers, uniform } from '../golden/seeded.ts';

const [N, C, D] = [8, 5, 4];
const labels = integers(1, N, C);
const shape = { dimensions: D, classes: C };
const soft = uniform(2, N * C, 0, 1);
const hard = Float64Array.from({ length: N * C }, (_, i) => (labels[Math.floor(i / C)] === i % C ? 1 : 0));
const targets = uniform(3, N * C, -2, 2);

interface Outcome {
  readonly value: number;
  readonly gradients: readonly ArrayLike<number>[];
}
type Run = (...inputs: Float32Array[]) => Outcome;
const one = (r: losses.LossResult): Outcome => ({ value: r.value, gradients: [r.gradient] });
const both = (r: losses.MarginSoftmaxResult): Outcome => ({
  value: r.value,
  gradients: [r.gradient, r.weightGradient],
});

/** One array of N·C logits or regression outputs. */
const overLogits: Record<string, Run> = {
  crossEntropy: (x) => one(losses.crossEntropyLoss(x!, labels, { classes: C })),
  crossEntropySmoothed: (x) => one(losses.crossEntropyLoss(x!, labels, { classes: C, labelSmoothing: 0.1 })),
  binaryCrossEntropy: (x) => one(losses.binaryCrossEntropyLoss(x!, soft)),
  sigmoidFocal: (x) => one(losses.sigmoidFocalLoss(x!, labels, { classes: C })),
  sigmoidFocalSteep: (x) => one(losses.sigmoidFocalLoss(x!, soft, { gamma: 0.5 })),
  poly: (x) => one(losses.sigmoidFocalLoss(x!, hard, { polyEpsilon: 1 })),
  softmaxFocal: (x) => one(losses.softmaxFocalLoss(x!, labels, { classes: C })),
  qualityFocal: (x) => one(losses.qualityFocalLoss(x!, soft)),
  varifocal: (x) => one(losses.varifocalLoss(x!, soft)),
  varifocalDetached: (x) => one(losses.varifocalLoss(x!, soft, { detachWeight: true })),
  distributionFocal: (x) => one(losses.distributionFocalLoss(x!, uniform(4, N, 0, C - 1.5), { bins: C })),
  gaussianFocal: (x) => one(losses.gaussianFocalLoss(x!, soft)),
  ghmClassification: (x) => one(losses.ghmClassificationLoss(x!, hard)),
  ghmRegression: (x) => one(losses.ghmRegressionLoss(x!, targets)),
  seesaw: (x) => one(losses.seesawLoss(x!, labels, { classes: C, sampleCounts: integers(5, C, 50) })),
  l1: (x) => one(losses.l1Loss(x!, targets)),
  mse: (x) => one(losses.mseLoss(x!, targets)),
  smoothL1: (x) => one(losses.smoothL1Loss(x!, targets)),
  huber: (x) => one(losses.huberLoss(x!, targets)),
  balancedL1: (x) => one(losses.balancedL1Loss(x!, targets)),
};

/** Features, and class weights or centres. */
const overFeatures: Record<string, Run> = {
  modifiedSoftmax: (f, w) => both(losses.modifiedSoftmaxLoss(f!, w!, labels, shape)),
  normalisedSoftmax: (f, w) => both(losses.normalisedSoftmaxLoss(f!, w!, labels, shape)),
  sphereFace: (f, w) => both(losses.sphereFaceLoss(f!, w!, labels, shape)),
  cosFace: (f, w) => both(losses.cosFaceLoss(f!, w!, labels, shape)),
  arcFace: (f, w) => both(losses.arcFaceLoss(f!, w!, labels, shape)),
  combined: (f, w) => both(losses.combinedMarginLoss(f!, w!, labels, { ...shape, m2: 0.3, m3: 0.1 })),
  adaFace: (f, w) => both(losses.adaFaceLoss(f!, w!, labels, shape)),
  magFace: (f, w) => both(losses.magFaceLoss(f!, w!, labels, shape)),
  curricularFace: (f, w) => both(losses.curricularFaceLoss(f!, w!, labels, shape)),
  subCenter: (f, w) => both(losses.subCenterArcFaceLoss(f!, w!, labels, { ...shape, subCenters: 1 })),
  center: (f, c) => {
    const result = losses.centerLoss(f!, c!, labels, shape);
    return { value: result.value, gradients: [result.gradient, result.centerGradient] };
  },
  triplet: (f) => one(losses.tripletLoss(f!, labels, { dimensions: D })),
  contrastive: (f) => one(losses.contrastiveLoss(f!, labels, { dimensions: D })),
  supCon: (f) => one(losses.supervisedContrastiveLoss(f!, labels, { dimensions: D })),
  multiSimilarity: (f) => one(losses.multiSimilarityLoss(f!, labels, { dimensions: D, minerEpsilon: null })),
  circle: (f) => one(losses.circleLoss(f!, labels, { dimensions: D })),
  nPair: (f) => one(losses.nPairLoss(f!, f!.slice(), { dimensions: D })),
};
const oneInput = ['triplet', 'contrastive', 'supCon', 'multiSimilarity', 'circle', 'nPair'];

const corners = Float32Array.of(0, 0, 2, 2, 1, 1, 4, 3, 5, 5, 6, 9);
const others = Float32Array.of(1, 0, 3, 2, 1, 1, 4, 4, 0, 0, 1, 1);
const overBoxes: Record<string, Run> = {
  giou: (p, g) => one(losses.iouLoss(p!, g!, { metric: 'giou' })),
  ciou: (p, g) => one(losses.iouLoss(p!, g!, { metric: 'ciou' })),
  log: (p, g) => one(losses.iouLoss(p!, g!, { transform: 'log' })),
  square: (p, g) => one(losses.iouLoss(p!, g!, { metric: 'eiou', transform: 'square' })),
  wise: (p, g) => one(losses.wiseIouLoss(p!, g!, { mean: 0.5 })),
  focalEiou: (p, g) => one(losses.focalEiouLoss(p!, g!)),
  bounded: (p, g) => one(losses.boundedIouLoss(p!, g!)),
};

const finite = ({ value, gradients }: Outcome): boolean =>
  Number.isFinite(value) && gradients.every((gradient) => Array.from(gradient).every(Number.isFinite));

describe('logits of ±100 in float32', () => {
  it.each(Object.entries(overLogits))('%s', (_, run) => {
    for (let seed = 0; seed < 20; seed++) {
      const x = Float32Array.from(integers(seed, N * C, 3), (k) => 100 * (k - 1));
      expect(finite(run(x))).toBe(true);
    }
  });
  it.each(Object.entries(overFeatures))('%s, features between 10⁻¹⁰ and 100', (_, run) => {
    for (let seed = 0; seed < 20; seed++) {
      const sizes = [1e-10, 1, 100];
      const draw = (from: number, rows: number): Float32Array =>
        Float32Array.from(uniform(from, rows * D, -1, 1), (v) => v * sizes[seed % 3]!);
      expect(finite(run(draw(seed, N), draw(seed + 100, C)))).toBe(true);
    }
  });
});

describe('a number that is not finite is reported, wherever it is', () => {
  const x = Float32Array.from(uniform(6, N * C, -1, 1));
  const f = Float32Array.from(uniform(7, N * D, -1, 1));
  const w = Float32Array.from(uniform(8, C * D, -1, 1));
  const all: [string, Run, Float32Array[]][] = [
    ...Object.entries(overLogits).map(([name, run]): [string, Run, Float32Array[]] => [name, run, [x]]),
    ...Object.entries(overFeatures).map(([name, run]): [string, Run, Float32Array[]] => {
      return [name, run, oneInput.includes(name) ? [f] : [f, w]];
    }),
    ...Object.entries(overBoxes).map(([name, run]): [string, Run, Float32Array[]] => [
      name,
      run,
      [corners, others],
    ]),
  ];
  it.each(all)('%s', (_, run, inputs) => {
    expect(finite(run(...inputs))).toBe(true);
    inputs.forEach((input, n) => {
      for (const at of [0, input.length - 1]) {
        const broken = inputs.map((values) => values.slice());
        broken[n]![at] = Number.NaN;
        expect(() => run(...broken)).toThrow(NumericError);
      }
    });
  });
});

describe('subgradients at kinks', () => {
  const slope = (run: (x: Float64Array) => losses.LossResult, at: number): number =>
    run(Float64Array.of(at)).gradient[0]!;
  it('of elementwise losses are torch’s', () => {
    expect(slope((x) => losses.l1Loss(x, [0]), 0)).toBe(0);
    expect(slope((x) => losses.smoothL1Loss(x, [0], { beta: 0.5 }), 0.5)).toBe(1);
    expect(slope((x) => losses.smoothL1Loss(x, [0], { beta: 0 }), 0)).toBe(0);
    expect(slope((x) => losses.huberLoss(x, [0], { delta: 2 }), 2)).toBe(2);
    expect(slope((x) => losses.balancedL1Loss(x, [0]), 0)).toBe(0);
  });
  it('give half to each of two boxes whose edges coincide, and pass the gradient where they touch', () => {
    const run = (p: number[], g: number[], metric: 'iou' | 'giou') =>
      losses.iouLoss(Float64Array.from(p), Float64Array.from(g), { metric, eps: 0 }).gradient;
    // moved right, x2 loses nothing of the intersection and half of what the union gains
    const same = run([0, 0, 1, 1], [0, 0, 1, 1], 'iou');
    expect(same[2]).toBeCloseTo(-(0.5 - (1 - 0.5)), 12);
    const touching = run([0, 0, 1, 1], [1, 0, 2, 1], 'iou');
    expect(touching[2]).toBeCloseTo(-1 / 2, 12); // −dI/dx2 / U, though I is 0
  });
});

describe('conventions', () => {
  it('divide a focal sum as each library does', () => {
    const counts = { samples: 10, classes: 80, positives: 3 };
    const by = (convention: Parameters<typeof losses.lossNormalizer>[0]) =>
      losses.lossNormalizer(convention, counts);
    expect([by('torchvision'), by('mmcv'), by('detr'), by('retinanet'), by('efficientdet')]).toEqual([
      800, 10, 3, 3, 4,
    ]);
    expect(losses.lossNormalizer('detr', { ...counts, positives: 0 })).toBe(1);
  });
  it('square with and without ½', () => {
    const x = Float64Array.of(3, -1);
    const half = losses.mseLoss(x, [1, 1], { factor: 0.5, reduction: 'sum' });
    const whole = losses.mseLoss(x, [1, 1], { reduction: 'sum' });
    expect([half.value, whole.value]).toEqual([4, 8]);
    expect([[...half.gradient], [...whole.gradient]]).toEqual([
      [2, -2],
      [4, -4],
    ]);
  });
  it('move centres as the paper, as FaceNet and by a gradient', () => {
    const f = Float64Array.of(2, 0, 0, 4, 1, 1);
    const c = Float64Array.of(0, 0, 1, 1);
    const y = [0, 0, 1];
    const small = { dimensions: 2, classes: 2 };
    // class 0: Σ(c − f) = (−2, −4), two members
    const moved = losses.centerLoss(f, c, y, { ...small, alpha: 0.6 }).centers;
    [0.4, 0.8, 1, 1].forEach((value, i) => {
      expect(moved[i]).toBeCloseTo(value, 12);
    });
    const facenet = losses.centerLoss(f, c, y, { ...small, alpha: 0.9, convention: 'facenet' });
    expect(facenet.centers[1]).toBeCloseTo(0.4, 12);
    const paper = losses.centerLoss(f, c, y, small);
    const sgd = losses.centerLoss(f, c, y, { ...small, convention: 'sgd' });
    expect([...sgd.centers]).toEqual([...c]);
    expect(sgd.value).toBeCloseTo(2 * paper.value, 12);
    expect([...sgd.centerGradient]).toEqual([...paper.centerGradient].map((g) => 2 * g));
  });
  it('train a sampled classifier as the whole one where every class takes part', () => {
    const f = uniform(9, N * D, -1, 1);
    const w = uniform(10, C * D, -1, 1);
    const whole = losses.arcFaceLoss(f, w, labels, shape);
    const sample = losses.sampleClasses(labels, { classes: C, sampleRate: 1, seed: 3 });
    const rows = losses.gatherRows(w, sample.classIds, D);
    const part = losses.arcFaceLoss(f, rows, sample.labels, {
      dimensions: D,
      classes: sample.classIds.length,
    });
    expect(part.value).toBe(whole.value);
    sample.classIds.forEach((id, row) => {
      expect(part.weightGradient.slice(row * D, (row + 1) * D)).toEqual(
        whole.weightGradient.slice(id * D, (id + 1) * D),
      );
    });
  });
  it('count a box’s last pixel where asked to', () => {
    const [p, g] = [Float64Array.of(0, 0, 9, 9), Float64Array.of(0, 0, 9, 19)];
    expect(losses.iouLoss(p, g, { pixelOffset: 1, eps: 0 }).value).toBeCloseTo(0.5, 12);
  });
  it('write into the buffers they are given', () => {
    const f = uniform(9, N * D, -1, 1);
    const w = uniform(10, C * D, -1, 1);
    const [out, weightOut] = [new Float64Array(N * D), new Float64Array(C * D)];
    const result = losses.arcFaceLoss(f, w, labels, { ...shape, out, weightOut });
    expect([result.gradient, result.weightGradient]).toEqual([out, weightOut]);
    expect(result.gradient).toBe(out);
    expect(result.weightGradient).toBe(weightOut);
  });
});
