/**
 * Takes the colour profile out of a picture file.
 *
 * Detectors are trained on pixels as OpenCV and Pillow read them: the stored numbers, whatever the embedded profile
 * says. Chromium and Firefox can be asked for those (`colorSpaceConversion: 'none'`), WebKitGTK and Skia in Node cannot,
 * so the file goes in without its profile. (Two of the first 32 pictures of COCO val2017 come out different otherwise.)
 */
import { copyBytes, holds, without } from './bytes.ts';
import type { ImageKind } from './container.ts';

/** The same picture without profile: the bytes themselves where there is none, else a changed copy. */
export function withoutColorProfile(bytes: Uint8Array, kind: ImageKind): Uint8Array {
  if (kind === 'jpeg') return withoutJpegProfile(bytes);
  if (kind === 'png') return withoutPngProfile(bytes);
  if (kind === 'webp') return withoutWebpProfile(bytes);
  return bytes;
}

/** Drops the APP2 segments that begin with `ICC_PROFILE`. */
function withoutJpegProfile(bytes: Uint8Array): Uint8Array {
  const cuts: [number, number][] = [];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const next = at + 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    if (bytes[at + 1] === 0xe2 && holds(bytes, at + 4, 'ICC_PROFILE')) cuts.push([at, next]);
    at = next;
  }
  return without(bytes, cuts);
}

/** Drops the chunks that change how the samples are read as colours. */
function withoutPngProfile(bytes: Uint8Array): Uint8Array {
  const cuts: [number, number][] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 8;
  while (at + 12 <= bytes.length && !holds(bytes, at + 4, 'IDAT')) {
    const next = at + 12 + view.getUint32(at);
    if (['iCCP', 'gAMA', 'cHRM', 'cICP', 'sRGB'].some((type) => holds(bytes, at + 4, type)))
      cuts.push([at, next]);
    at = next;
  }
  return without(bytes, cuts);
}

/** Renames the `ICCP` chunk, which readers then skip, and clears its flag. */
function withoutWebpProfile(bytes: Uint8Array): Uint8Array {
  const profileFlag = 0x20;
  if (!holds(bytes, 12, 'VP8X') || (bytes[20] & profileFlag) === 0 || !holds(bytes, 30, 'ICCP')) return bytes;
  const copy = copyBytes(bytes);
  copy[20] &= ~profileFlag;
  copy.set([0x58, 0x58, 0x58, 0x58], 30);
  return copy;
}
