/** GIoU and CIoU of aligned float32 pairs with their gradient by the first box, on SIMD; float64 in between. */
import { pairsWasm } from './generated/pairs.ts';
import { KernelModule } from './instance.ts';

/** Addresses of two columns of boxes, of the similarities and of the slopes; the sum of the similarities, or NaN. */
type PairKernel = (
  count: number,
  a: number,
  b: number,
  values: number,
  gradients: number,
  scale: number,
  ...guards: number[]
) => number;

interface PairsExports {
  readonly memory: WebAssembly.Memory;
  begin(count: number): number;
  partners(): number;
  values(): number;
  gradients(): number;
  giou: PairKernel;
  ciou: PairKernel;
}

const module = new KernelModule<PairsExports>(pairsWasm);

export interface PairGradientInput {
  readonly metric: 'giou' | 'ciou';
  /** N. */
  readonly count: number;
  /** 4·N corners each. */
  readonly a: Float32Array;
  readonly b: Float32Array;
  /** The run-time scalars of the metric's generated loop, in its order. */
  readonly guards: Float64Array;
  /** Factor on the slopes. */
  readonly scale: number;
  /** N similarities, where they are wanted. */
  readonly values: Float32Array | null;
  /** 4·N slopes by the boxes of `a`. */
  readonly gradient: Float32Array;
  /**
   * Computes pairs [from, to) in the kernel's place and gives the sum of their similarities: a part with a coordinate
   * that is not finite, or for CIoU with an aspect ratio below 0 or without height.
   */
  readonly otherwise: (from: number, to: number) => number;
}

/** Boxes a part: they, their partners and the slopes stay in a second-level cache. */
const PART = 2048;

/** The sum of the similarities; null, with nothing written, where there is no memory. */
export function pairGradientKernel(input: PairGradientInput): number | null {
  const { metric, count, a, b, guards, scale, values, gradient, otherwise } = input;
  const kernel = start();
  if (kernel === null) return null;
  const { exports, at, first, second, found, slopes } = kernel;
  const run = exports[metric];
  let sum = 0;
  for (let from = 0; from < count; from += PART) {
    const size = Math.min(PART, count - from);
    first.set(a.subarray(4 * from, 4 * (from + size)));
    second.set(b.subarray(4 * from, 4 * (from + size)));
    if (size % 2 === 1) {
      // the other half of the last step: a pair like the one before it
      first.copyWithin(4 * size, 4 * size - 4, 4 * size);
      second.copyWithin(4 * size, 4 * size - 4, 4 * size);
    }
    const part = run(size, ...at, scale, ...guards);
    if (Number.isNaN(part)) {
      sum += otherwise(from, from + size);
      continue;
    }
    sum += part;
    values?.set(found.subarray(0, size), from);
    gradient.set(slopes.subarray(0, 4 * size), 4 * from);
  }
  return sum;
}

interface PairsMemory {
  readonly exports: PairsExports;
  /** Addresses of the four columns. */
  readonly at: readonly [number, number, number, number];
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly found: Float32Array;
  readonly slopes: Float32Array;
}

/** Lays the columns out; null where there is no memory. */
function start(): PairsMemory | null {
  try {
    const { exports } = module;
    const at = [exports.begin(PART), exports.partners(), exports.values(), exports.gradients()] as const;
    const { buffer } = exports.memory;
    const column = (address: number, width: number) => new Float32Array(buffer, address, width * PART);
    return {
      exports,
      at,
      first: column(at[0], 4),
      second: column(at[1], 4),
      found: column(at[2], 1),
      slopes: column(at[3], 4),
    };
  } catch (error) {
    module.drop();
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return null;
    throw error;
  }
}
