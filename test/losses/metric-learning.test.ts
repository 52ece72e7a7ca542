/** Recognition losses against pytorch-metric-learning itself, 200 random cases each. */
import { describe, it } from 'vitest';
import * as losses from '../../src/losses/index.ts';
import golden from '../golden/losses/metric_learning.json' with { type: 'json' };
import { integers, uniform } from '../golden/seeded.ts';
import { expectRecorded, type ManyOutcome, unpack } from './many.ts';

const [N, C, D] = [9, 5, 6];
const shape = { dimensions: D, classes: C };
type Floats = Float64Array;
type Loss = (f: Floats, w: Floats, y: Int32Array) => losses.LossResult | losses.MarginSoftmaxResult;

/** Its triplets, all of a batch, compare unit features by their distance; those that cost nothing do not count. */
const triplets = {
  dimensions: D,
  mining: 'batch-all',
  distance: 'euclidean',
  normalise: true,
  average: 'nonzero',
} as const;

const table: Record<keyof typeof golden.losses, Loss> = {
  arcFace: (f, w, y) => losses.arcFaceLoss(f, w, y, shape),
  cosFace: (f, w, y) => losses.cosFaceLoss(f, w, y, shape),
  sphereFace: (f, w, y) => losses.sphereFaceLoss(f, w, y, shape),
  subCenter: (f, w, y) => losses.subCenterArcFaceLoss(f, w, y, shape),
  normalisedSoftmax: (f, w, y) => losses.normalisedSoftmaxLoss(f, w, y, { ...shape, scale: 20 }),
  triplet: (f, _, y) => losses.tripletLoss(f, y, { ...triplets, margin: 0.2 }),
  tripletSoft: (f, _, y) => losses.tripletLoss(f, y, { ...triplets, softMargin: true }),
  multiSimilarity: (f, _, y) => losses.multiSimilarityLoss(f, y, { dimensions: D, minerEpsilon: null }),
  circle: (f, _, y) => losses.circleLoss(f, y, { dimensions: D }),
  supCon: (f, _, y) =>
    losses.supervisedContrastiveLoss(f, y, { dimensions: D, temperature: 0.1, baseTemperature: 0.1 }),
};

describe('pytorch-metric-learning in float64', () => {
  it.each(Object.keys(table) as (keyof typeof table)[])('%s', (name) => {
    unpack(golden.losses[name]).forEach((recorded, k) => {
      const seed = 900_000 + 1000 * k;
      const y = integers(seed + 3, N, C);
      const inputs = [
        uniform(seed, N * D, -1.5, 1.5),
        uniform(seed + 1, D * (name === 'subCenter' ? 3 * C : C), -1, 1),
      ];
      const [double, single] = [
        inputs,
        inputs.map((input) => Float32Array.from(input) as unknown as Floats),
      ].map(([f, w]): ManyOutcome => {
        const result = table[name](f!, w!, y);
        const gradients =
          'weightGradient' in result ? [result.gradient, result.weightGradient] : [result.gradient];
        return { value: result.value, gradients };
      });
      expectRecorded(recorded, seed, double!, single!);
    });
  });
});
