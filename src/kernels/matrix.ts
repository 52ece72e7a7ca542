/**
 * SIMD products of row-major float32 matrices, A·Bᵀ, A·B and Aᵀ·B, by blocks that stay in the cache.
 *
 * Blocks are copied into kernel memory, multiplied there and copied out, so that no view of it leaves and its size does
 * not depend on the matrices. Sums run in float32 over at most 256 products each, and over those partial sums.
 */
import { matrixWasm } from './generated/matrix.ts';
import { KernelModule } from './instance.ts';

interface MatrixExports {
  readonly memory: WebAssembly.Memory;
  begin(): number;
  result(): number;
  packA(alongDepth: number, rows: number, depth: number): void;
  packB(alongDepth: number, columns: number, depth: number): void;
  multiply(rows: number, columns: number, depth: number): void;
}

const module = new KernelModule<MatrixExports>(matrixWasm);

/** Largest block, as the kernel lays it out. */
const ROWS = 256;
const COLUMNS = 512;
const DEPTH = 256;

/** One factor of a product. */
export interface MatrixFactor {
  readonly values: Float32Array;
  /** Its rows run along the extent that is summed over. */
  readonly alongDepth: boolean;
}

export interface MatrixProduct {
  readonly left: MatrixFactor;
  readonly right: MatrixFactor;
  /** Of the result. */
  readonly rows: number;
  readonly columns: number;
  /** Number of products in each sum. */
  readonly depth: number;
  /** rows × columns. */
  readonly out: Float32Array;
  /** Adds to `out`; otherwise overwrites it. */
  readonly accumulate: boolean;
}

/** Runs the product. False, with `out` untouched, when there is no memory for the blocks. */
export function matrixKernel(product: MatrixProduct): boolean {
  const { left, right, rows, columns, depth, out, accumulate } = product;
  const kernel = start();
  if (kernel === null) return false;
  const { exports, staged, result } = kernel;
  for (let i = 0; i < rows; i += ROWS) {
    const height = Math.min(ROWS, rows - i);
    const paddedHeight = padded(height);
    for (let j = 0; j < columns; j += COLUMNS) {
      const width = Math.min(COLUMNS, columns - j);
      const paddedWidth = padded(width);
      if (!accumulate) result.fill(0, 0, paddedHeight * paddedWidth);
      else {
        for (let r = 0; r < height; r++) {
          const at = (i + r) * columns + j;
          result.set(out.subarray(at, at + width), r * paddedWidth);
        }
      }
      for (let k = 0; k < depth; k += DEPTH) {
        const length = Math.min(DEPTH, depth - k);
        const paddedLength = padded(length);
        stage(staged, left, left.alongDepth ? depth : rows, i, height, k, length);
        exports.packA(Number(left.alongDepth), paddedHeight, paddedLength);
        stage(staged, right, right.alongDepth ? depth : columns, j, width, k, length);
        exports.packB(Number(right.alongDepth), paddedWidth, paddedLength);
        exports.multiply(paddedHeight, paddedWidth, paddedLength);
      }
      for (let r = 0; r < height; r++) {
        const from = r * paddedWidth;
        out.set(result.subarray(from, from + width), (i + r) * columns + j);
      }
    }
  }
  return true;
}

interface MatrixMemory {
  readonly exports: MatrixExports;
  readonly staged: Float32Array;
  readonly result: Float32Array;
}

function start(): MatrixMemory | null {
  try {
    const { exports } = module;
    const from = exports.begin();
    const { buffer } = exports.memory;
    return {
      exports,
      staged: new Float32Array(buffer, from, COLUMNS * DEPTH),
      result: new Float32Array(buffer, exports.result(), ROWS * COLUMNS),
    };
  } catch (error) {
    module.drop();
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return null;
    throw error;
  }
}

/** The kernel knows no edges: every extent is a multiple of 8, filled up with zeros. */
const padded = (extent: number): number => (extent + 7) & ~7;

/** Copies one block of a factor whose rows are `stride` long: `count` of its own extent, `length` of the depth. */
function stage(
  staged: Float32Array,
  { values, alongDepth }: MatrixFactor,
  stride: number,
  first: number,
  count: number,
  k: number,
  length: number,
): void {
  const rows = alongDepth ? count : length;
  const width = alongDepth ? length : count;
  const row = alongDepth ? first : k;
  const column = alongDepth ? k : first;
  const paddedRows = padded(rows);
  const paddedWidth = padded(width);
  if (paddedRows !== rows || paddedWidth !== width) staged.fill(0, 0, paddedRows * paddedWidth);
  if (width === stride && paddedWidth === width) {
    staged.set(values.subarray(row * stride, (row + rows) * stride));
    return;
  }
  for (let r = 0; r < rows; r++) {
    const at = (row + r) * stride + column;
    staged.set(values.subarray(at, at + width), r * paddedWidth);
  }
}
