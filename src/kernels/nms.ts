/** The SIMD form of greedy NMS by plain IoU on float32 boxes: filter, sort, bucket, suppress in one call. */
import { nmsWasm } from './generated/nms.ts';
import { KernelModule } from './instance.ts';

interface NmsExports {
  readonly memory: WebAssembly.Memory;
  prepare(count: number): number;
  run(
    count: number,
    scoreFloor: number,
    maxCandidates: number,
    maxDetections: number,
    classAware: number,
    threshold: number,
    bound: number,
    ask: number,
  ): number;
}

/** Whether box `kept` suppresses box `index`. */
export type Confirm = (index: number, kept: number) => boolean;

let confirming: Confirm | null = null;

const kernel = new KernelModule<NmsExports>(nmsWasm, {
  confirm: (index, kept) => (confirming!(index!, kept!) ? 1 : 0),
});

const NO_LIMIT = 0x7fffffff;

export interface NmsKernelLimits {
  /** Rounded to float32 on its way in. */
  readonly scoreThreshold: number;
  readonly maxCandidates: number;
  readonly maxDetections: number;
  readonly classIds?: Int32Array | undefined;
}

/**
 * Kept indices, or null where the JavaScript twin has to run: also when the kernel ran out of memory.
 *
 * A box goes when its float32 IoU with a kept one is above `floor` ({@link floatBelow} the threshold). `confirm` decides pairs
 * by another metric: `bound` is then the plain IoU below which none passes, and the coordinates must be such that a float32
 * IoU is within a few ulp of the exact one.
 */
export function nmsKernel(
  boxes: Float32Array,
  scores: Float32Array,
  limits: NmsKernelLimits,
  bound: number,
  floor: number,
  confirm?: Confirm,
): Uint32Array<ArrayBuffer> | null {
  // Below 0 boxes pass that do not touch. And a caller's metric that calls back finds the kernel's memory in use.
  if (floor < 0 || confirming !== null) return null;
  const { classIds } = limits;
  const count = scores.length;
  confirming = confirm ?? null;
  try {
    const { memory, prepare, run } = kernel.exports;
    const base = prepare(count);
    const padded = (count + 3) & ~3;
    new Float32Array(memory.buffer, base).set(boxes);
    new Float32Array(memory.buffer, base + 16 * padded).set(scores);
    if (classIds !== undefined) new Int32Array(memory.buffer, base + 20 * padded).set(classIds);
    const size = run(
      count,
      limits.scoreThreshold,
      Math.min(limits.maxCandidates, NO_LIMIT),
      Math.min(limits.maxDetections, NO_LIMIT),
      classIds === undefined ? 0 : 1,
      floor,
      bound,
      confirm === undefined ? 0 : 1,
    );
    const result = new Uint32Array(memory.buffer, base + 24 * padded, size).slice();
    kernel.release();
    return result;
  } catch (error) {
    kernel.drop();
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return null;
    throw error;
  } finally {
    confirming = null;
  }
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The float32 f for which `x > f` decides `x > threshold` (inclusive: `x >= threshold`) for every float32 x. */
export function floatBelow(threshold: number, inclusive: boolean): number {
  float[0] = threshold;
  if (float[0] > threshold || (inclusive && float[0] === threshold)) {
    if (float[0] === 0) return -1e-45;
    bits[0]! += float[0] > 0 ? -1 : 1;
  }
  return float[0];
}
