/** The outline of a mask, found inside the box of its pixels only: a mask is a small part of its image. */
import { maskContours } from '../masks/contours.ts';
import { encodeRle } from '../masks/rle.ts';
import { rleToBoxes } from '../masks/rle-algebra.ts';
import type { Rle } from '../masks/types.ts';

/** Closed contours x, y, x, y, … in pixels of the image; see `maskContours`. */
export function maskOutline(mask: Rle): Float32Array<ArrayBuffer>[] {
  const [left, top, right, bottom] = rleToBoxes([mask]);
  const width = right - left;
  const height = bottom - top;
  if (!(width > 0 && height > 0)) return [];
  const imageHeight = mask.size[0];
  const pixels = new Uint8Array(width * height);
  let at = 0;
  for (let run = 0; run < mask.counts.length; run++) {
    const end = at + mask.counts[run];
    if (run % 2 === 1) {
      for (let p = at; p < end; p++) {
        const column = Math.floor(p / imageHeight);
        pixels[(p - column * imageHeight - top) * width + column - left] = 1;
      }
    }
    at = end;
  }
  const contours = maskContours(encodeRle(pixels, [height, width]));
  for (const contour of contours) {
    for (let i = 0; i < contour.length; i += 2) {
      contour[i] += left;
      contour[i + 1] += top;
    }
  }
  return contours;
}
