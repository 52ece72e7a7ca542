/** A small network from pixels to two numbers, trained on one objective; a pure function of its seed. */
import { hashSeed, Random } from '../../models/digits/synthesis/random.ts';
import { copyMoved, type DigitSet, pixels, shuffled } from './digits.ts';
import { Network, Parameters } from './network.ts';
import { dimensions, type Objective } from './objectives.ts';

const hidden = [128, 64] as const;

export interface TrainingOptions {
  readonly epochs: number;
  /** Default 100. */
  readonly batch?: number;
  readonly seed: number;
  readonly progress?: (step: number, steps: number) => void;
}

/** Features, 2·N, of N images. */
export type Embedding = (images: Float32Array) => Float32Array<ArrayBuffer>;

/** Adam, its rate falling to 0 as half a cosine; every image is moved by up to a pixel each time it is seen. */
export function train(
  objective: Objective,
  { images, labels }: DigitSet,
  { epochs, batch = 100, seed, progress }: TrainingOptions,
): Embedding {
  const random = new Random(hashSeed(seed));
  const network = new Network([pixels, ...hidden, dimensions], random);
  const weights = new Parameters(objective.weightRows * dimensions, dimensions, random);
  const perEpoch = Math.floor(labels.length / batch);
  const steps = epochs * perEpoch;
  let order = shuffled(labels.length, random);
  for (let step = 0; step < steps; step++) {
    if (step % perEpoch === 0) order = shuffled(labels.length, random);
    const from = (step % perEpoch) * batch;
    const rows = order.subarray(from, from + batch);
    const data = new Float32Array(batch * pixels);
    rows.forEach((row, i) => {
      copyMoved(
        images,
        row,
        data.subarray(i * pixels, (i + 1) * pixels),
        random.integer([-1, 1]),
        random.integer([-1, 1]),
      );
    });
    const batchLabels = Int32Array.from(rows, (row) => labels[row]!);
    const rate = 0.002 * (1 + Math.cos((Math.PI * step) / steps));
    const features = network.forward(data);
    const { gradient, weightGradient } = objective.loss(features, weights.values, batchLabels, step / steps);
    network.backward(gradient, rate);
    if (weightGradient !== undefined) {
      weights.gradient.set(weightGradient);
      weights.descend(rate);
    }
    progress?.(step + 1, steps);
  }
  return (given) => {
    const data = new Float32Array(given.length);
    for (let row = 0; row < given.length / pixels; row++) {
      copyMoved(given, row, data.subarray(row * pixels, (row + 1) * pixels), 0, 0);
    }
    return network.forward(data);
  };
}
