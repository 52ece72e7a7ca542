/**
 * SIMD similarity matrices and best matches of float32 boxes, for iou, iof, ios, giou, diou and ciou.
 *
 * Rows go through in chunks that stay in the cache: the boxes of a in, the results out, both copied, so that no view of
 * kernel memory leaves and its size depends on b alone.
 */
import { iouWasm } from './generated/iou.ts';
import { KernelModule } from './instance.ts';

interface IouExports {
  readonly memory: WebAssembly.Memory;
  begin(columns: number, rows: number, cells: number): number;
  bAngles(): number;
  aBoxes(): number;
  aAngles(): number;
  out(): number;
  outIndices(): number;
  plain(boxes: number, count: number): number;
  pack(columns: number): void;
  packAreas(columns: number): void;
  matrix(metric: number, rows: number, columns: number, diagonalEps: number, alphaEps: number): void;
  best(metric: number, rows: number, columns: number, diagonalEps: number, alphaEps: number): void;
}

const module = new KernelModule<IouExports>(iouWasm);

/** Metrics in the order the kernel numbers them. */
export const kernelMetrics = ['iou', 'iof', 'ios', 'giou', 'diou', 'ciou'] as const;
export type IouKernelMetric = (typeof kernelMetrics)[number];

/** Results a chunk: 64 kB, half of a small first-level cache and its share of the second. */
const CHUNK_CELLS = 16_384;
/** Rows a chunk of a best match, which has one result a row. */
const CHUNK_ROWS = 4096;

/** Writes the aspect angle of each row-major float32 box, as the metric's own loop computes it. */
export type AspectAngles = (boxes: Float32Array, angles: Float32Array) => void;

export class IouSimd {
  readonly #metric: number;
  readonly #angles: AspectAngles | undefined;

  /** `angles` is what `'ciou'` needs; the others do without. */
  constructor(metric: IouKernelMetric, angles?: AspectAngles) {
    this.#metric = kernelMetrics.indexOf(metric);
    this.#angles = angles;
  }

  /**
   * `out[at + i * columns + j]`: similarity of box i of a and box j of b. False when memory ran out, or at a box that is
   * not finite, very large or very narrow: some of `out` may then be written.
   */
  matrix(a: Float32Array, b: Float32Array, parameters: Float64Array, out: Float32Array, at: number): boolean {
    const rows = a.length / 4;
    const columns = b.length / 4;
    const step = Math.max(1, Math.min(rows, Math.floor(CHUNK_CELLS / columns)));
    return guarded((kernel) => {
      if (!this.#begin(kernel, b, step, step * columns)) return false;
      kernel.pack(columns);
      const { buffer } = kernel.memory;
      const results = new Float32Array(buffer, kernel.out(), step * columns);
      for (let from = 0; from < rows; from += step) {
        const count = Math.min(step, rows - from);
        if (!this.#load(kernel, a, from, count)) return false;
        kernel.matrix(this.#metric, count, columns, parameters[0] ?? 0, parameters[1] ?? 0);
        const filled = count === step ? results : results.subarray(0, count * columns);
        out.set(filled, at + from * columns);
      }
      return true;
    });
  }

  /** Largest similarity of each row and its column plus `indexOffset`, the lower at a tie. False as {@link matrix}. */
  best(
    a: Float32Array,
    b: Float32Array,
    parameters: Float64Array,
    indexOffset: number,
    values: Float32Array,
    indices: Int32Array,
    at: number,
  ): boolean {
    const rows = a.length / 4;
    const columns = b.length / 4;
    const step = Math.max(1, Math.min(rows, CHUNK_ROWS));
    return guarded((kernel) => {
      if (!this.#begin(kernel, b, step, step)) return false;
      kernel.packAreas(columns);
      const { buffer } = kernel.memory;
      for (let from = 0; from < rows; from += step) {
        const count = Math.min(step, rows - from);
        if (!this.#load(kernel, a, from, count)) return false;
        kernel.best(this.#metric, count, columns, parameters[0] ?? 0, parameters[1] ?? 0);
        values.set(new Float32Array(buffer, kernel.out(), count), at + from);
        const found = new Int32Array(buffer, kernel.outIndices(), count);
        if (indexOffset === 0) indices.set(found, at + from);
        else for (let i = 0; i < count; i++) indices[at + from + i] = found[i]! + indexOffset;
      }
      return true;
    });
  }

  #begin(kernel: IouExports, b: Float32Array, rows: number, cells: number): boolean {
    const columns = b.length / 4;
    const bIn = kernel.begin(columns, rows, cells);
    new Float32Array(kernel.memory.buffer, bIn, b.length).set(b);
    if (kernel.plain(bIn, columns) === 0) return false;
    this.#angles?.(b, new Float32Array(kernel.memory.buffer, kernel.bAngles(), columns));
    return true;
  }

  #load(kernel: IouExports, a: Float32Array, from: number, count: number): boolean {
    const part = a.subarray(4 * from, 4 * (from + count));
    new Float32Array(kernel.memory.buffer, kernel.aBoxes(), 4 * count).set(part);
    if (kernel.plain(kernel.aBoxes(), count) === 0) return false;
    this.#angles?.(part, new Float32Array(kernel.memory.buffer, kernel.aAngles(), count));
    return true;
  }
}

function guarded(work: (kernel: IouExports) => boolean): boolean {
  try {
    const done = work(module.exports);
    module.release();
    return done;
  } catch (error) {
    module.drop();
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return false;
    throw error;
  }
}
