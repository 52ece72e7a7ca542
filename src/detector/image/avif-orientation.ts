/**
 * How an AVIF picture is turned: by its properties `irot` and `imir`, which Chromium and Firefox apply, WebKitGTK and
 * Skia in Node do not. So they are taken off the file, and the pixels are turned afterwards.
 */
import { copyBytes, holds } from './bytes.ts';

/** EXIF orientation by quarter turns counter-clockwise, for no mirror, one top to bottom, one left to right after them. */
const orientations = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
] as const;

/** An AVIF file without the properties that turn it, and the EXIF orientation (1–8) that they amount to. */
export function takeAvifTurns(bytes: Uint8Array<ArrayBuffer>): {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly orientation: number;
} {
  let quarters = 0;
  let mirror = 0;
  /** Positions of the associations with them. */
  const turns: { at: number; size: number }[] = [];
  // `meta` has a version and flags before its boxes
  for (const meta of boxes(bytes, { start: 0, end: bytes.length }, 'meta')) {
    for (const properties of boxes(bytes, { start: meta.start + 4, end: meta.end }, 'iprp')) {
      const turning = new Set<number>();
      for (const list of boxes(bytes, properties, 'ipco')) {
        for (const [index, { start, type }] of boxes(bytes, list).entries()) {
          if (type === 'irot') quarters = bytes[start] & 3;
          else if (type === 'imir') mirror = 1 + (bytes[start] & 1);
          else continue;
          turning.add(index + 1);
        }
      }
      for (const list of boxes(bytes, properties, 'ipma')) {
        for (const one of associations(bytes, list)) if (turning.has(one.index)) turns.push(one);
      }
    }
  }
  const orientation = orientations[quarters][mirror];
  if (orientation === 1) return { bytes, orientation };
  const upright = copyBytes(bytes);
  // index 0: no property
  for (const { at, size } of turns) upright.fill(0, at, at + size);
  return { bytes: upright, orientation };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Contents of the boxes in a range, all or those of a type. */
function boxes(
  bytes: Uint8Array,
  { start, end }: Range,
  wanted?: string,
): (Range & { readonly type: string })[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: (Range & { type: string })[] = [];
  for (let at = start; at + 8 < end; ) {
    const size = view.getUint32(at);
    // 0 reaches to the end; 1 announces a 64-bit size, which only pixel data have
    const next = size === 0 ? end : size === 1 && at + 16 <= end ? at + view.getUint32(at + 12) : at + size;
    if (next < at + 8) break;
    if (next <= end && (wanted === undefined || holds(bytes, at + 4, wanted))) {
      const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
      found.push({ start: at + 8, end: next, type });
    }
    at = next;
  }
  return found;
}

/** The property indices (from 1, in the order of `ipco`) in an `ipma` box, and where each stands. */
function* associations(
  bytes: Uint8Array,
  { start, end }: Range,
): Generator<{ readonly index: number; readonly at: number; readonly size: number }> {
  // version and flags, a count of items; for each its number, a count, and so many indices below a bit `essential`
  const itemSize = bytes[start] === 0 ? 2 : 4;
  const size = (bytes[start + 3] & 1) === 0 ? 1 : 2;
  for (let at = start + 8 + itemSize; at < end; at += itemSize) {
    for (let left = bytes[at++]; left > 0 && at + size <= end; left--, at += size) {
      const index = size === 1 ? bytes[at] & 0x7f : ((bytes[at] & 0x7f) << 8) | bytes[at + 1];
      yield { index, at, size };
    }
  }
}
