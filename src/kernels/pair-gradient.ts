/** GIoU and CIoU of aligned float32 pairs with their gradient by the first box, on SIMD; float64 in between. */
import { CHUNK, startLosses } from './losses.ts';

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
const PART = CHUNK / 4;

/** The sum of the similarities; null, with nothing written, where there is no memory. */
export function pairGradientKernel(input: PairGradientInput): number | null {
  const { metric, count, a, b, guards, scale, values, gradient, otherwise } = input;
  const kernel = startLosses();
  if (kernel === null) return null;
  const { exports, logitsIn, targetsIn, out } = kernel;
  const found = new Float32Array(exports.memory.buffer, exports.values(), PART);
  const run = exports[metric];
  const at = [logitsIn, targetsIn, found, out].map((column) => column.byteOffset) as [
    number,
    number,
    number,
    number,
  ];
  let sum = 0;
  for (let from = 0; from < count; from += PART) {
    const size = Math.min(PART, count - from);
    logitsIn.set(a.subarray(4 * from, 4 * (from + size)));
    targetsIn.set(b.subarray(4 * from, 4 * (from + size)));
    if (size % 2 === 1) {
      // the other half of the last step: a pair like the one before it
      logitsIn.copyWithin(4 * size, 4 * size - 4, 4 * size);
      targetsIn.copyWithin(4 * size, 4 * size - 4, 4 * size);
    }
    const part = run(size, ...at, scale, ...guards);
    if (Number.isNaN(part)) {
      sum += otherwise(from, from + size);
      continue;
    }
    sum += part;
    values?.set(found.subarray(0, size), from);
    gradient.set(out.subarray(0, 4 * size), 4 * from);
  }
  return sum;
}
