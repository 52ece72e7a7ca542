/** The SIMD form of greedy NMS by plain IoU on float32 boxes: filter, sort, bucket, suppress in one call. */
import { nmsWasm } from './generated/nms.ts';
import { KernelModule } from './instance.ts';

interface NmsExports {
  readonly memory: WebAssembly.Memory;
  prepare(count: number): number;
  run(
    count: number,
    ordered: number,
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

export interface NmsKernelInput {
  readonly boxes: Float32Array;
  /** float32 scores are filtered and sorted by the kernel; otherwise give `order`. */
  readonly scores?: Float32Array | undefined;
  /** Candidates, best first, already cut to the limit. */
  readonly order?: Uint32Array | undefined;
  readonly classIds?: Int32Array | undefined;
  readonly scoreFloor: number;
  readonly maxCandidates: number;
  readonly maxDetections: number;
  readonly iouThreshold: number;
  readonly inclusive: boolean;
  /**
   * Decides pairs by another metric. `iouThreshold` is then the plain IoU below which none passes, and the coordinates
   * must be such that a float32 IoU is within a few ulp of the exact one.
   */
  readonly confirm?: Confirm | undefined;
}

/** Kept indices, or null when the kernel ran out of memory (the caller runs the JavaScript twin). */
export function nmsKernel(input: NmsKernelInput): Uint32Array<ArrayBuffer> | null {
  const { boxes, scores, order, classIds } = input;
  const count = boxes.length / 4;
  // A caller's metric that calls back into suppression finds the kernel's memory in use.
  if (confirming !== null) return null;
  confirming = input.confirm ?? null;
  try {
    const { memory, prepare, run } = kernel.exports;
    const base = prepare(count);
    const padded = (count + 3) & ~3;
    const keepAt = base + 24 * padded;
    new Float32Array(memory.buffer, base, boxes.length).set(boxes);
    if (scores !== undefined) new Float32Array(memory.buffer, base + 16 * padded, count).set(scores);
    if (classIds !== undefined) new Int32Array(memory.buffer, base + 20 * padded, count).set(classIds);
    if (order !== undefined) new Uint32Array(memory.buffer, keepAt, order.length).set(order);
    const size = run(
      count,
      order === undefined ? -1 : order.length,
      input.scoreFloor,
      Math.min(input.maxCandidates, NO_LIMIT),
      Math.min(input.maxDetections, NO_LIMIT),
      classIds === undefined ? 0 : 1,
      floatBelow(input.iouThreshold, input.inclusive),
      input.iouThreshold,
      input.confirm === undefined ? 0 : 1,
    );
    const result = new Uint32Array(memory.buffer, keepAt, size).slice();
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
