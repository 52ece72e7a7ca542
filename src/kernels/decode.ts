/** The SIMD form of "best class of every anchor" over class-major scores, what most YOLO exports need first. */
import { decodeWasm } from './generated/decode.ts';
import { KernelModule } from './instance.ts';

interface DecodeExports {
  readonly memory: WebAssembly.Memory;
  begin(anchors: number, rows: number, threshold: number): number;
  scores(): number;
  classes(): number;
  compete(first: number, rows: number): void;
}

const module = /* @__PURE__ */ new KernelModule<DecodeExports>(decodeWasm);

/** Scores a copy: 256 kB, which stay in the second-level cache until they are read. */
const CHUNK = 65_536;

/**
 * `scores[a]` and `classes[a]`: the largest score above the threshold and its class (ties to the lower), or the threshold
 * and 0. Class c of anchor a lies at `data[start + c * anchors + a]`. False when memory ran out.
 */
export function bestClasses(
  data: Float32Array,
  start: number,
  anchors: number,
  classCount: number,
  threshold: number,
  scores: Float32Array,
  classes: Int32Array,
): boolean {
  const step = Math.max(1, Math.min(classCount, Math.floor(CHUNK / anchors)));
  try {
    const kernel = module.exports;
    const rowsAt = kernel.begin(anchors, step, threshold);
    const { buffer } = kernel.memory;
    const rows = new Float32Array(buffer, rowsAt, step * anchors);
    for (let first = 0; first < classCount; first += step) {
      const count = Math.min(step, classCount - first);
      const from = start + first * anchors;
      rows.set(data.subarray(from, from + count * anchors));
      kernel.compete(first, count);
    }
    scores.set(new Float32Array(buffer, kernel.scores(), anchors));
    classes.set(new Int32Array(buffer, kernel.classes(), anchors));
    module.release();
    return true;
  } catch (error) {
    module.drop();
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return false;
    throw error;
  }
}
