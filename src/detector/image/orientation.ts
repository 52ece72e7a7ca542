/**
 * The EXIF orientation of PNG and WebP files and the turns of AVIF files, applied here.
 *
 * Decoders differ: Skia in Node turns WebP but not PNG, Chromium PNG but not WebP. So the file is decoded without its
 * orientation and the pixels are turned afterwards. That of JPEG, which all apply, is left to them.
 */
import type { RawImage } from '../types.ts';
import { takeAvifTurns } from './avif-orientation.ts';
import { copyBytes, holds, without } from './bytes.ts';
import type { ImageKind } from './container.ts';

/** A file whose orientation no decoder will apply, and that orientation (1, upright, to 8). */
export interface OrientedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly orientation: number;
}

/** Takes the orientation out of a PNG, WebP or AVIF file; other files and upright ones stay as they are. */
export function takeOrientation(bytes: Uint8Array<ArrayBuffer>, kind: ImageKind): OrientedFile {
  if (kind === 'avif') return takeAvifTurns(bytes);
  const asIs = { bytes, orientation: 1 };
  if (kind !== 'png' && kind !== 'webp') return asIs;
  const chunk = kind === 'png' ? findPngExif(bytes) : findWebpExif(bytes);
  if (chunk === undefined) return asIs;
  const at = orientationOffset(bytes, chunk.start, chunk.end);
  if (at === undefined) return asIs;
  const orientation = viewOf(bytes).getUint16(at, isLittleEndian(bytes, chunk.start));
  if (orientation < 2 || orientation > 8) return asIs;
  if (kind === 'png') {
    // length and type before the data, the checksum after it
    return {
      bytes: without(bytes, [[chunk.start - 8, chunk.end + 4]]) as Uint8Array<ArrayBuffer>,
      orientation,
    };
  }
  const upright = copyBytes(bytes);
  upright.set(isLittleEndian(bytes, chunk.start) ? [1, 0] : [0, 1], at);
  return { bytes: upright, orientation };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Data of the `eXIf` chunk. */
function findPngExif(bytes: Uint8Array): Range | undefined {
  const view = viewOf(bytes);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const start = at + 8;
    const end = start + view.getUint32(at);
    if (holds(bytes, at + 4, 'eXIf') && end + 4 <= bytes.length) return { start, end };
    at = end + 4;
  }
  return undefined;
}

/** Data of the `EXIF` chunk; some writers put JPEG's `Exif\0\0` before it. */
function findWebpExif(bytes: Uint8Array): Range | undefined {
  const view = viewOf(bytes);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const start = at + 8;
    const length = view.getUint32(at + 4, true);
    const end = Math.min(start + length, bytes.length);
    if (holds(bytes, at, 'EXIF')) return { start: holds(bytes, start, 'Exif\0\0') ? start + 6 : start, end };
    at = start + length + (length & 1);
  }
  return undefined;
}

const orientationTag = 0x0112;

/** Where the two bytes of the orientation lie in a TIFF block (its first directory), if it has one. */
function orientationOffset(bytes: Uint8Array, start: number, end: number): number | undefined {
  const little = isLittleEndian(bytes, start);
  if (!little && !holds(bytes, start, 'MM\0*')) return undefined;
  const view = viewOf(bytes);
  if (start + 8 > end) return undefined;
  const directory = start + view.getUint32(start + 4, little);
  if (directory + 2 > end) return undefined;
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > end) return undefined;
    if (view.getUint16(entry, little) === orientationTag) return entry + 8;
  }
  return undefined;
}

function isLittleEndian(bytes: Uint8Array, start: number): boolean {
  return holds(bytes, start, 'II*\0');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The picture as EXIF `orientation` (1–8) says it is to be seen. */
export function turnUpright(image: RawImage, orientation: number): RawImage {
  if (orientation === 1) return image;
  const { width, height, data } = image;
  const turned = orientation >= 5;
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  const across = fromRight ? -1 : 1;
  const down = fromBelow ? -width : width;
  const first = (fromRight ? width - 1 : 0) + (fromBelow ? width * (height - 1) : 0);
  const [stepX, stepY] = turned ? [down, across] : [across, down];
  const size = turned ? { width: height, height: width } : { width, height };
  const from = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const to = new Uint32Array(width * height);
  for (let y = 0, at = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) to[at++] = from[first + y * stepY + x * stepX];
  }
  return { data: new Uint8Array(to.buffer), ...size };
}
