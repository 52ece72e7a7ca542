/**
 * Any boxops loss as a TensorFlow.js op with its analytic gradient.
 *
 * TensorFlow.js differentiates what comes before and after; the loss itself brings its own gradient, computed in one pass
 * on the CPU. The runtime is passed in, never imported: any of its packages and backends will do.
 */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { OptionError } from '../errors.ts';

/** The part of `@tensorflow/tfjs` or `@tensorflow/tfjs-core` this needs. */
export interface TensorFlowLike {
  customGrad: typeof import('@tensorflow/tfjs-core').customGrad;
  mul: typeof import('@tensorflow/tfjs-core').mul;
  scalar: typeof import('@tensorflow/tfjs-core').scalar;
  tensor: typeof import('@tensorflow/tfjs-core').tensor;
}

/** What a loss gives: the value, and a gradient for each input, in order. */
export interface LossWithGradients {
  readonly value: number;
  readonly gradients: readonly ArrayLike<number>[];
}

/**
 * Turns a loss into a differentiable op.
 *
 * `loss` receives each input tensor's values as a `Float32Array` (row-major) and gives the value and one gradient an
 * input, as long as that input. The op takes the tensors and gives a scalar; `tf.grad`, `tf.variableGrads` and
 * `optimizer.minimize` go through it.
 *
 * @throws OptionError where the gradients do not belong to the inputs
 *
 * @example
 * const loss = lossOp(tf, (logits) => {
 *   const { value, gradient } = crossEntropyLoss(logits, labels, { classes: 10 });
 *   return { value, gradients: [gradient] };
 * });
 * optimizer.minimize(() => loss(model(images)));
 */
export function lossOp(
  tf: TensorFlowLike,
  loss: (...inputs: Float32Array<ArrayBuffer>[]) => LossWithGradients,
): (...inputs: Tensor[]) => Scalar {
  return tf.customGrad((...given) => {
    // the runtime passes its `save` function after the inputs
    const inputs = given.filter((input): input is Tensor => typeof input !== 'function');
    const { value, gradients } = loss(...inputs.map((input) => Float32Array.from(input.dataSync())));
    const fits =
      gradients.length === inputs.length && gradients.every((g, i) => g.length === inputs[i]!.size);
    if (!fits) {
      throw new OptionError(
        `the loss must give a gradient as long as each of its ${inputs.length} inputs, got lengths [${gradients.map((g) => g.length).join(', ')}]`,
        {
          inputs: inputs.map((input) => input.shape),
          gradients: gradients.map((gradient) => gradient.length),
        },
      );
    }
    // copied now: a loss may write the next call's gradient into the same buffer
    const kept = gradients.map((gradient) => Float32Array.from(gradient));
    return {
      value: tf.scalar(value),
      gradFunc: (dy: Scalar) => {
        const slopes = kept.map((gradient, i) => tf.mul(tf.tensor(gradient, inputs[i]!.shape), dy));
        return slopes.length === 1 ? slopes[0]! : slopes;
      },
    };
  });
}
