/**
 * A plain network on typed arrays: full layers with leaky rectifiers between them, trained by Adam. Its matrix products
 * are those of the losses, so that they run on SIMD.
 */
import type { Random } from '../../models/digits/synthesis/random.ts';
import { addProduct, addTransposedProduct, multiplyTransposed } from '../../src/losses/recognition/matrix.ts';

type Floats = Float32Array<ArrayBuffer>;

const slope = 0.1;

/** Trained numbers with their gradient and Adam's moments. */
export class Parameters {
  readonly values: Floats;
  readonly gradient: Floats;
  readonly #mean: Floats;
  readonly #square: Floats;
  #steps = 0;

  /** Uniform, with the variance that keeps activations of `inputs` numbers as they are (He). */
  constructor(length: number, inputs: number, random: Random) {
    const bound = Math.sqrt(6 / inputs);
    this.values = Float32Array.from({ length }, () => random.range([-bound, bound]));
    this.gradient = new Float32Array(length);
    this.#mean = new Float32Array(length);
    this.#square = new Float32Array(length);
  }

  /** One step of Adam down `gradient` (Kingma and Ba, 2015). */
  descend(rate: number): void {
    const [beta1, beta2] = [0.9, 0.999];
    this.#steps++;
    const size = (rate * Math.sqrt(1 - beta2 ** this.#steps)) / (1 - beta1 ** this.#steps);
    for (let i = 0; i < this.values.length; i++) {
      const g = this.gradient[i]!;
      const mean = (this.#mean[i] = beta1 * this.#mean[i]! + (1 - beta1) * g);
      const square = (this.#square[i] = beta2 * this.#square[i]! + (1 - beta2) * g * g);
      this.values[i]! -= (size * mean) / (Math.sqrt(square) + 1e-8);
    }
  }
}

class Layer {
  readonly weights: Parameters;
  readonly biases: Parameters;
  readonly inputs: number;
  readonly outputs: number;

  constructor(inputs: number, outputs: number, random: Random) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.weights = new Parameters(inputs * outputs, inputs, random);
    this.biases = new Parameters(outputs, inputs, random);
    this.biases.values.fill(0);
  }

  forward(x: Floats, rows: number): Floats {
    const out = new Float32Array(rows * this.outputs);
    multiplyTransposed(x, this.weights.values, rows, this.outputs, this.inputs, out);
    for (let i = 0; i < out.length; i++) out[i]! += this.biases.values[i % this.outputs]!;
    return out;
  }

  /** Leaves the gradients of weights and biases behind. */
  gradients(x: Floats, gradient: Floats, rows: number): void {
    this.weights.gradient.fill(0);
    addTransposedProduct(gradient, x, rows, this.outputs, this.inputs, this.weights.gradient);
    this.biases.gradient.fill(0);
    for (let i = 0; i < gradient.length; i++) this.biases.gradient[i % this.outputs]! += gradient[i]!;
  }

  /** The gradient of what came in. */
  backward(gradient: Floats, rows: number): Floats {
    const out = new Float32Array(rows * this.inputs);
    addProduct(gradient, this.weights.values, rows, this.outputs, this.inputs, out);
    return out;
  }
}

export class Network {
  readonly #layers: readonly Layer[];
  #inputs: Floats[] = [];

  /** `widths`: of the input, the hidden layers and the output. */
  constructor(widths: readonly number[], random: Random) {
    this.#layers = widths.slice(1).map((outputs, i) => new Layer(widths[i]!, outputs, random));
  }

  /** Features of the rows of x; what `backward` needs is kept. */
  forward(x: Floats): Floats {
    const rows = x.length / this.#layers[0]!.inputs;
    this.#inputs = [];
    let values = x;
    this.#layers.forEach((layer, i) => {
      if (i > 0) values = values.map((value) => (value > 0 ? value : slope * value));
      this.#inputs.push(values);
      values = layer.forward(values, rows);
    });
    return values;
  }

  /** From the features' gradient to that of every parameter, and a step down it. */
  backward(gradient: Floats, rate: number): void {
    let flowing = gradient;
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = this.#layers[i]!;
      const x = this.#inputs[i]!;
      const rows = x.length / layer.inputs;
      layer.gradients(x, flowing, rows);
      if (i > 0) {
        flowing = layer.backward(flowing, rows);
        // of the rectifier before this layer: its output has the sign of its input
        for (let k = 0; k < flowing.length; k++) if (x[k]! <= 0) flowing[k]! *= slope;
      }
      layer.weights.descend(rate);
      layer.biases.descend(rate);
    }
  }
}
