/**
 * Reading tensors of any element type as plain columns of numbers.
 *
 * The type is looked at once a tensor, never once an element: float32 is read in place, everything else is converted
 * in one loop into scratch that is reused between calls. A `slot` names the scratch, so that two converted tensors of
 * one head do not overwrite each other; the columns are only valid until the next decode call.
 */
import { LayoutError, ShapeError } from '../errors.ts';
import type { TensorLike } from './types.ts';

let halfTable: Float32Array | undefined;
const scratch: Float32Array[] = [];

/**
 * float16 bits → number, for all 65,536 of them: one load an element, subnormals and NaN included. 256 kB, made on first
 * use: exponent and fraction moved to where float32 has them are too small by 2^112, except that an exponent of 31
 * (infinity, NaN) becomes 255.
 */
function halfToFloat(): Float32Array {
  if (halfTable !== undefined) return halfTable;
  halfTable = new Float32Array(65536);
  const bits = new Uint32Array(halfTable.buffer);
  for (let half = 0; half < 65536; half++) {
    const special = (half & 0x7c00) === 0x7c00 ? 0x7f800000 : 0;
    bits[half] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13) | special;
    halfTable[half] = halfTable[half]! * 2 ** 112;
  }
  return halfTable;
}

function scratchColumn(slot: number, length: number): Float32Array {
  let column = scratch[slot];
  if (column === undefined || column.length < length) {
    column = new Float32Array(length);
    scratch[slot] = column;
  }
  return column.subarray(0, length);
}

/** Number of elements the dims promise; a negative or fractional dim is a `ShapeError`. */
function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) {
    if (!(dim >= 0) || dim % 1 !== 0)
      throw new ShapeError(`expected dims of whole numbers, got [${dims}]`, { dims });
    count *= dim;
  }
  return count;
}

/**
 * Elements `[start, start + length)` of a tensor as numbers.
 *
 * `Uint16Array` is read as float16 bits unless `type` says `'uint16'`; `BigInt64Array` as two 32-bit halves (exact to
 * 2^53). float32 gives a view of the tensor, everything else scratch number `slot`.
 * Throws `ShapeError` where the data are not as long as the dims say, `LayoutError` for a type without numbers.
 */
export function readColumn(tensor: TensorLike, start: number, length: number, slot = 0): Float32Array {
  const { data, dims, type } = tensor;
  if (data.length !== elementCount(dims)) {
    throw new ShapeError(
      `a tensor of dims [${dims}] holds ${elementCount(dims)} elements, got ${data.length}`,
      {
        dims,
        length: data.length,
      },
    );
  }
  if (data instanceof Float32Array) return data.subarray(start, start + length);
  const out = scratchColumn(slot, length);
  if (data instanceof Uint16Array && type !== 'uint16') {
    const table = halfToFloat();
    for (let i = 0; i < length; i++) out[i] = table[data[start + i]!]!;
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const halves = new Int32Array(data.buffer, data.byteOffset + 8 * start, 2 * length);
    for (let i = 0; i < length; i++) out[i] = halves[2 * i + 1]! * 4294967296 + (halves[2 * i]! >>> 0);
  } else if (type === 'string' || typeof (data[0] ?? 0) !== 'number') {
    throw new LayoutError(`expected a tensor of numbers, got ${type ?? typeof data[0]}`, { type });
  } else if (ArrayBuffer.isView(data)) {
    out.set((data as unknown as Float64Array).subarray(start, start + length));
  } else {
    for (let i = 0; i < length; i++) out[i] = data[start + i] as number;
  }
  return out;
}
