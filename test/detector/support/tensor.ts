/** One input tensor from a fixed picture, as a hash of its bits: the same in every runtime. */
import { InputBuffer } from '../../../src/detector/preprocess/input.ts';
import { integers } from './numbers.ts';

/**
 * FNV-1a of the float32 bits of a 123×77 random picture in a 96×64 letterbox, of the float16 bits, and of the float32 bits
 * of the antialiased one.
 */
export function tensorHashes(): readonly string[] {
  const next = integers(11);
  const data = Uint8Array.from({ length: 4 * 123 * 77 }, (_, i) => (i % 4 === 3 ? 255 : next(256)));
  const preprocessing = {
    size: { width: 96, height: 64 },
    fit: 'letterbox',
    padValue: 114,
    channelOrder: 'bgr',
    mean: [103.53, 116.28, 123.675],
    std: [57.375, 57.12, 58.395],
    layout: 'nchw',
  } as const;
  const kinds = [
    ['float32', false],
    ['float16', false],
    ['float32', true],
  ] as const;
  return kinds.map(([type, antialias]) => {
    const buffer = new InputBuffer({ ...preprocessing, antialias }, type);
    buffer.reserve(1);
    buffer.fill(0, { data, width: 123, height: 77 });
    const values = buffer.data();
    return fnv(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  });
}

/** What {@link tensorHashes} gives; OpenCV 4.11 or Pillow 11.3, and NumPy, make the same tensors. */
export const expectedHashes = ['bf5e2b9e', '1368b3b7', '944bf1bf'];

/** FNV-1a of bytes. */
export function fnv(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
