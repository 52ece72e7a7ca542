/** boxops losses inside TensorFlow.js: gradients through a network, and networks that learn. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../models/digits/synthesis/digits.ts';
import { OptionError } from '../../src/errors.ts';
import { arcFaceLoss, crossEntropyLoss, iouLoss, mseLoss, sigmoidFocalLoss } from '../../src/losses/index.ts';
import { lossOp } from '../../src/tfjs/index.ts';
import { integers, uniform } from '../golden/seeded.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  await tf.ready();
});

const classes = 10;
const perClass = 150;
const held = 60;
const pixels = 784;

/** The first `count` digits of each class, one class after another within every ten rows. */
function digits(split: 'training' | 'heldOut', count: number): { images: tf.Tensor2D; labels: Int32Array } {
  const data = new Float32Array(classes * count * pixels);
  const labels = Int32Array.from({ length: classes * count }, (_, row) => row % classes);
  loadDigits(split).forEach((ofClass, digit) => {
    for (let i = 0; i < count; i++) data.set(ofClass[i]!.ink, (i * classes + digit) * pixels);
  });
  return { images: tf.tensor2d(data, [classes * count, pixels]), labels };
}

const weights = (seed: number, rows: number, columns: number): tf.Variable<tf.Rank.R2> =>
  tf.variable(
    tf.tensor2d(
      Float32Array.from(uniform(seed, rows * columns, -1, 1), (v) => v * Math.sqrt(3 / rows)),
      [rows, columns],
    ),
  );

function accuracy(scores: tf.Tensor2D, labels: Int32Array): number {
  const guesses = tf.argMax(scores, 1).dataSync();
  return labels.reduce((hits, label, i) => hits + (guesses[i] === label ? 1 : 0), 0) / labels.length;
}

afterEach(() => tf.disposeVariables());

describe('lossOp', () => {
  it('keeps the gradient of each call, also where a loss writes them into one buffer', () => {
    const x = tf.tensor1d([1, -2]);
    const out = new Float32Array(2);
    const half = lossOp(tf, (values) => {
      const { value, gradient } = mseLoss(values, [0, 0], { factor: 0.5, reduction: 'sum', out });
      return { value, gradients: [gradient] };
    });
    // x²/2 and (3x)²/2: slopes x and 9x
    const slopes = tf.grad((t: tf.Tensor) => tf.add(half(t), half(tf.mul(t, 3))))(x);
    expect(Array.from(slopes.dataSync())).toEqual([10, -20]);
  });
  it('passes the analytic gradient through the chain rule', () => {
    const x = tf.tensor2d(Float32Array.from(uniform(1, 12, -2, 2)), [3, 4]);
    const w = tf.tensor2d(Float32Array.from(uniform(2, 20, -1, 1)), [4, 5]);
    const labels = [1, 4, 0];
    const own = lossOp(tf, (logits) => {
      const { value, gradient } = crossEntropyLoss(logits, labels, { classes: 5 });
      return { value, gradients: [gradient] };
    });
    const onehot = tf.oneHot(tf.tensor1d(labels, 'int32'), 5);
    const theirs = (logits: tf.Tensor): tf.Scalar =>
      tf.neg(tf.mean(tf.sum(tf.mul(tf.cast(onehot, 'float32'), tf.logSoftmax(logits)), 1))) as tf.Scalar;
    const gradients = [own, theirs].map((loss) =>
      tf
        .grad((v) => tf.mul(loss(tf.matMul(x, v as tf.Tensor2D)), 3))(w)
        .dataSync(),
    );
    gradients[0]!.forEach((g, i) => {
      expect(g).toBeCloseTo(gradients[1]![i]!, 5);
    });
  });

  it('differentiates with respect to several inputs, and refuses gradients that do not fit', () => {
    const f = tf.tensor2d(Float32Array.from(uniform(3, 12, -1, 1)), [2, 6]);
    const w = tf.tensor2d(Float32Array.from(uniform(4, 24, -1, 1)), [4, 6]);
    const shape = { dimensions: 6, classes: 4 };
    const loss = lossOp(tf, (a, b) => {
      const result = arcFaceLoss(a, b, [2, 3], shape);
      return { value: result.value, gradients: [result.gradient, result.weightGradient] };
    });
    const [df, dw] = tf.grads((a, b) => loss(a, b))([f, w]);
    const expected = arcFaceLoss(
      Float32Array.from(f.dataSync()),
      Float32Array.from(w.dataSync()),
      [2, 3],
      shape,
    );
    expect([...df!.dataSync()]).toEqual([...expected.gradient]);
    expect([...dw!.dataSync()]).toEqual([...expected.weightGradient]);
    const wrong = lossOp(tf, () => ({ value: 0, gradients: [[1, 2]] }));
    expect(() => wrong(f)).toThrow(OptionError);
  });
});

describe('training in Node', () => {
  const train = digits('training', perClass);
  const test = digits('heldOut', held);

  function learn(
    network: (x: tf.Tensor2D) => tf.Tensor2D,
    loss: (scores: tf.Tensor2D, labels: Int32Array) => tf.Tensor,
    epochs: number,
  ): void {
    const optimizer = tf.train.adam(0.003);
    const batch = 60;
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (let start = 0; start < train.labels.length; start += batch) {
        tf.tidy(() => {
          const x = tf.slice(train.images, [start, 0], [batch, pixels]);
          const y = train.labels.subarray(start, start + batch);
          optimizer.minimize(() => loss(network(x), y) as tf.Scalar);
        });
      }
    }
  }

  it('reads handwritten digits: focal loss reaches 85 % on digits it never saw', () => {
    const first = weights(11, pixels, 32);
    const second = weights(12, 32, classes);
    const network = (x: tf.Tensor2D): tf.Tensor2D => tf.matMul(tf.relu(tf.matMul(x, first)), second);
    learn(
      network,
      (scores, labels) =>
        lossOp(tf, (logits) => {
          const { value, gradient } = sigmoidFocalLoss(logits, labels, { classes, avgFactor: labels.length });
          return { value, gradients: [gradient] };
        })(scores),
      8,
    );
    expect(accuracy(network(test.images), test.labels)).toBeGreaterThan(0.85);
  });

  it('separates classes on the sphere: ArcFace with learnt class weights reaches 85 %', () => {
    const first = weights(21, pixels, 32);
    const second = weights(22, 32, 16);
    const centres = weights(23, classes, 16);
    const network = (x: tf.Tensor2D): tf.Tensor2D => tf.matMul(tf.relu(tf.matMul(x, first)), second);
    learn(
      network,
      (features, labels) =>
        lossOp(tf, (f, w) => {
          const result = arcFaceLoss(f, w, labels, { dimensions: 16, classes, scale: 16, margin: 0.3 });
          return { value: result.value, gradients: [result.gradient, result.weightGradient] };
        })(features, centres),
      8,
    );
    const unit = (x: tf.Tensor2D): tf.Tensor2D => tf.div(x, tf.norm(x, 2, 1, true)) as tf.Tensor2D;
    const cosines = tf.matMul(
      unit(network(test.images)),
      unit(centres as unknown as tf.Tensor2D),
      false,
      true,
    );
    expect(accuracy(cosines as tf.Tensor2D, test.labels)).toBeGreaterThan(0.85);
  });

  it('fits boxes: CIoU gradients move 20 random boxes onto their targets', () => {
    const corner = uniform(31, 40, 0, 1);
    const size = uniform(32, 40, 0.25, 1);
    const target = Float32Array.from({ length: 80 }, (_, i) => {
      const at = 2 * Math.floor(i / 4) + (i % 2);
      return corner[at]! + (i % 4 > 1 ? size[at]! : 0);
    });
    const shift = integers(33, 80, 41);
    const boxes = tf.variable(
      tf.tensor2d(
        target.map((v, i) => v + (shift[i]! - 20) / 100),
        [20, 4],
      ),
    );
    const loss = lossOp(tf, (x) => {
      const { value, gradient } = iouLoss(x, target, { metric: 'ciou' });
      return { value, gradients: [gradient] };
    });
    const optimizer = tf.train.adam(0.01);
    const before = loss(boxes).dataSync()[0]!;
    for (let i = 0; i < 150; i++) optimizer.minimize(() => loss(boxes) as tf.Scalar);
    expect(before).toBeGreaterThan(0.3);
    expect(loss(boxes).dataSync()[0]).toBeLessThan(0.03);
  });
});
