/**
 * What kind of picture some bytes are, and whether they are all there.
 *
 * Decoders disagree about damaged files: some paint what came and leave the rest blank, some refuse. A detector must
 * not answer for half a picture, so a file whose container ends early is refused here, in every runtime alike.
 */
import { ImageError } from '../../errors.ts';
import { holds } from './bytes.ts';

export type ImageKind = 'jpeg' | 'png' | 'webp' | 'gif' | 'bmp' | 'avif';

const expected = 'JPEG, PNG, WebP, GIF, BMP or AVIF';

/**
 * The kind of a complete picture file.
 *
 * Throws {@link ImageError} for no bytes, for bytes that are none of the kinds, and for a JPEG without its end marker,
 * a PNG without its `IEND` chunk or a WebP shorter than its header says.
 */
export function checkImageBytes(bytes: Uint8Array): ImageKind {
  if (bytes.length === 0) throw new ImageError(`The image has no bytes; expected ${expected}.`, { bytes: 0 });
  const kind = sniff(bytes);
  if (kind === undefined) {
    const head = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new ImageError(
      `Not an image: the ${bytes.length} bytes start with ${head}; expected ${expected}.`,
      { bytes: bytes.length, head },
    );
  }
  if (!isComplete(bytes, kind)) {
    throw new ImageError(
      `The ${kind.toUpperCase()} image is truncated: it ends after ${bytes.length} bytes, before its end marker.`,
      { bytes: bytes.length, kind },
    );
  }
  return kind;
}

function sniff(bytes: Uint8Array): ImageKind | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'jpeg';
  if (bytes[0] === 0x89 && holds(bytes, 1, 'PNG')) return 'png';
  if (holds(bytes, 0, 'RIFF') && holds(bytes, 8, 'WEBP')) return 'webp';
  if (holds(bytes, 0, 'GIF8')) return 'gif';
  if (holds(bytes, 0, 'BM')) return 'bmp';
  if (holds(bytes, 4, 'ftypavi')) return 'avif';
  return undefined;
}

function isComplete(bytes: Uint8Array, kind: ImageKind): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (kind) {
    case 'jpeg':
      return jpegEnds(bytes);
    case 'png': {
      // chunks: length, type, data, checksum; IEND is the last
      for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
        if (holds(bytes, at + 4, 'IEND')) return true;
      }
      return false;
    }
    case 'webp':
      return bytes.length >= 8 + view.getUint32(4, true);
    case 'gif':
      return bytes.length > 13;
    case 'bmp':
      // some writers leave the size field 0
      return bytes.length >= 26 && bytes.length >= view.getUint32(2, true);
    case 'avif':
      return bytes.length > 32;
  }
}

/** Walks the segments (so that a thumbnail's end marker inside one is not taken for the end) to the EOI marker. */
function jpegEnds(bytes: Uint8Array): boolean {
  let at = 2;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1];
    if (marker === 0xd9) return true;
    if (marker === 0xff) {
      at++;
    } else if (marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      // a stuffed byte, a restart or another marker without a length
      at += 2;
    } else {
      if (at + 3 >= bytes.length) return false;
      at += 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    }
  }
  return false;
}
