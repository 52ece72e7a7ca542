/** numpy's `.npy`, version 1.0: a header that says type and shape, then the numbers. */
import { bytesOf, elementTypeOf, type NamedTensor } from './tensors.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];

/**
 * Bytes of a file that `numpy.load` reads; the numbers start at a multiple of 64. Throws {@link ShapeError} where the
 * shape does not hold as many numbers as there are, {@link OptionError} for elements of another type.
 */
export function writeNpy(tensor: NamedTensor<ArrayBufferLike>): Uint8Array<ArrayBuffer> {
  const { shape, data } = tensor;
  const { numpy } = elementTypeOf(tensor, 'writeNpy');
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${numpy}', 'fortran_order': False, 'shape': (${sides}), }`;
  const start = Math.ceil((magic.length + 2 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.fill(32, 0, start);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint16(magic.length, start - magic.length - 2, true);
  bytes.set(new TextEncoder().encode(text), magic.length + 2);
  bytes[start - 1] = 10;
  bytes.set(bytesOf(data), start);
  return bytes;
}
