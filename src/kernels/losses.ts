/** Sigmoid focal loss with exponent 2 on SIMD, float32 in and out, float64 in between. */
import { lossesWasm } from './generated/losses.ts';
import { KernelModule } from './instance.ts';

interface LossesExports {
  readonly memory: WebAssembly.Memory;
  begin(count: number): number;
  targets(): number;
  gradient(): number;
  focal(count: number, positive: number, negative: number, scale: number): number;
}

const module = new KernelModule<LossesExports>(lossesWasm);

/** Elements a chunk: logits, targets and gradients stay in a second-level cache. */
const CHUNK = 8192;

export interface FocalKernelInput {
  readonly logits: Float32Array;
  /** A number in 0–1 an element, or with `labels` a class index a sample: below 0 or `columns`, background. */
  readonly targets: ArrayLike<number>;
  readonly labels: boolean;
  readonly columns: number;
  /** Weights of positives and negatives, and the factor on the gradient. */
  readonly positive: number;
  readonly negative: number;
  readonly scale: number;
  readonly gradient: Float32Array | Float64Array;
}

/** The sum of the terms; null, with nothing written, where the kernel does not take the input. */
export function focalKernel(input: FocalKernelInput): number | null {
  const { logits, targets, labels, columns, positive, negative, scale, gradient } = input;
  if (columns > CHUNK) return null;
  const kernel = start();
  if (kernel === null) return null;
  const { exports, logitsIn, targetsIn, out } = kernel;
  const step = labels ? columns * Math.floor(CHUNK / columns) : CHUNK;
  let sum = 0;
  for (let from = 0; from < logits.length; from += step) {
    const count = Math.min(step, logits.length - from);
    logitsIn.set(logits.subarray(from, from + count));
    if (labels) fillLabels(targetsIn, targets, from / columns, count / columns, columns);
    else for (let i = 0; i < count; i++) targetsIn[i] = targets[from + i]!;
    if (count % 2 === 1) {
      // the other half of the last pair: a term of 0
      logitsIn[count] = -1e4;
      targetsIn[count] = 0;
    }
    sum += exports.focal(count + (count % 2), positive, negative, scale);
    gradient.set(count === CHUNK ? out : out.subarray(0, count), from);
  }
  return sum;
}

function fillLabels(
  targets: Float32Array,
  labels: ArrayLike<number>,
  first: number,
  samples: number,
  columns: number,
): void {
  targets.fill(0, 0, samples * columns);
  for (let i = 0; i < samples; i++) {
    const label = labels[first + i]!;
    if (label >= 0 && label < columns) targets[i * columns + label] = 1;
  }
}

/** The instance and its first three columns, of {@link CHUNK} numbers each. */
interface LossesMemory {
  readonly exports: LossesExports;
  readonly logitsIn: Float32Array;
  readonly targetsIn: Float32Array;
  readonly out: Float32Array;
}

/** Lays the columns out; null where there is no memory. */
function start(): LossesMemory | null {
  try {
    const { exports } = module;
    const at = exports.begin(CHUNK);
    const { buffer } = exports.memory;
    return {
      exports,
      logitsIn: new Float32Array(buffer, at, CHUNK),
      targetsIn: new Float32Array(buffer, exports.targets(), CHUNK),
      out: new Float32Array(buffer, exports.gradient(), CHUNK),
    };
  } catch (error) {
    module.drop();
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return null;
    throw error;
  }
}
