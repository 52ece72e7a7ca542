/**
 * How an AVIF picture is turned: by its properties `irot` and `imir`, which browsers apply and Skia in Node does not.
 */
import { holds } from './bytes.ts';

/** EXIF orientation by quarter turns counter-clockwise, for no mirror, one top to bottom, one left to right after them. */
const orientations = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
] as const;

/** The EXIF orientation (1–8) that the properties of an AVIF file's picture amount to. */
export function avifOrientation(bytes: Uint8Array): number {
  let quarters = 0;
  let mirror = 0;
  const whole = { start: 0, end: bytes.length };
  // `meta` has a version and flags before its boxes
  for (const meta of boxes(bytes, whole, 'meta')) {
    for (const properties of boxes(bytes, { start: meta.start + 4, end: meta.end }, 'iprp')) {
      for (const list of boxes(bytes, properties, 'ipco')) {
        for (const { start } of boxes(bytes, list, 'irot')) quarters = bytes[start] & 3;
        for (const { start } of boxes(bytes, list, 'imir')) mirror = 1 + (bytes[start] & 1);
      }
    }
  }
  return orientations[quarters][mirror];
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Contents of the boxes of a type in a range. */
function boxes(bytes: Uint8Array, { start, end }: Range, type: string): Range[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Range[] = [];
  for (let at = start; at + 8 < end; ) {
    const size = view.getUint32(at);
    // 0 reaches to the end; 1 announces a 64-bit size, which only pixel data have
    const next = size === 0 ? end : size === 1 && at + 16 <= end ? at + view.getUint32(at + 12) : at + size;
    if (next < at + 8) break;
    if (next <= end && holds(bytes, at + 4, type)) found.push({ start: at + 8, end: next });
    at = next;
  }
  return found;
}
