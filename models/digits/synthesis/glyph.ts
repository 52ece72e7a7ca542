/**
 * A digit warped to a size, rotation and shear: an alpha mask and the tight box around it.
 *
 * The scale is solved from the digit's outline, so that the longest side of the box comes out as asked; the box itself
 * is then read off the warped alpha, pixel by pixel, and is exact.
 */
import { type Digit, glyphSide } from './digits.ts';

/** How a digit is warped. */
export interface Warp {
  /** Longest side of the tight box, pixels. */
  readonly longestSide: number;
  /** Clockwise, radians. */
  readonly rotation: number;
  readonly shear: number;
  /** Width stretched against height. */
  readonly aspect: number;
  /** Ink value at which a stroke ends, 0–1; lower is a bolder pen. */
  readonly penLevel: number;
}

/** A warped digit: alpha 0–1 over `width`×`height` pixels, and its tight box within them. */
export interface Glyph {
  readonly width: number;
  readonly height: number;
  readonly alpha: Float32Array;
  /** x1, y1, x2, y2 of the pixels with alpha of at least {@link boxAlpha}, far edges exclusive. */
  readonly box: readonly [number, number, number, number];
}

// A local copy: test runners turn imported bindings into property reads, which the inner loop would feel.
const side = glyphSide;

/** A pixel belongs to a digit from this alpha on. */
export const boxAlpha = 0.25;

/**
 * Warps `digit`; `centreX` and `centreY` (0–1) shift it by a part of a pixel. Null when nothing is inked, which the
 * package's digits never show.
 */
export function warpDigit(digit: Digit, warp: Warp, centreX = 0.5, centreY = 0.5): Glyph | null {
  const cosine = Math.cos(warp.rotation);
  const sine = Math.sin(warp.rotation);
  // Forward matrix at unit scale: stretch, shear, rotate.
  const a = cosine * warp.aspect;
  const b = cosine * warp.shear - sine;
  const c = sine * warp.aspect;
  const d = sine * warp.shear + cosine;
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < digit.outline.length; i += 2) {
    const x = a * digit.outline[i] + b * digit.outline[i + 1];
    const y = c * digit.outline[i] + d * digit.outline[i + 1];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  // The outline joins pixel centres: one more pixel of the source lies around them.
  const scale = warp.longestSide / (Math.max(right - left, bottom - top) + 1);
  const margin = scale + 2;
  const width = Math.ceil((right - left) * scale + 2 * margin) + 1;
  const height = Math.ceil((bottom - top) * scale + 2 * margin) + 1;
  const originX = left * scale - margin + centreX - 0.5;
  const originY = top * scale - margin + centreY - 0.5;
  // Inverse matrix, from target pixels to the source.
  const determinant = (a * d - b * c) * scale;
  const ia = d / determinant;
  const ib = -b / determinant;
  const ic = -c / determinant;
  const id = a / determinant;
  const alpha = new Float32Array(width * height);
  // The edge is one target pixel wide where the source is magnified, and as soft as the source where it is shrunk.
  const gain = Math.max(1, scale * 0.8);
  const supersampled = scale < 0.9;
  const box: [number, number, number, number] = [width, height, 0, 0];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const targetX = x + 0.5 + originX;
      const targetY = y + 0.5 + originY;
      const sourceX = ia * targetX + ib * targetY + side / 2 - 0.5;
      const sourceY = ic * targetX + id * targetY + side / 2 - 0.5;
      const raw = supersampled
        ? 0.25 *
          (sample(digit.ink, sourceX - 0.25 * (ia + ib), sourceY - 0.25 * (ic + id)) +
            sample(digit.ink, sourceX + 0.25 * (ia - ib), sourceY + 0.25 * (ic - id)) +
            sample(digit.ink, sourceX - 0.25 * (ia - ib), sourceY - 0.25 * (ic - id)) +
            sample(digit.ink, sourceX + 0.25 * (ia + ib), sourceY + 0.25 * (ic + id)))
        : sample(digit.ink, sourceX, sourceY);
      if (raw === 0) continue;
      const value = Math.min(1, Math.max(0, (raw - warp.penLevel) * gain + 0.5));
      alpha[at] = value;
      if (value < boxAlpha) continue;
      if (x < box[0]) box[0] = x;
      if (x >= box[2]) box[2] = x + 1;
      if (y < box[1]) box[1] = y;
      if (y >= box[3]) box[3] = y + 1;
    }
  }
  return box[2] > box[0] ? { width, height, alpha, box } : null;
}

/** Bilinear, 0 outside. */
function sample(ink: Float32Array, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const last = side - 1;
  if (column < 0 || row < 0 || column >= last || row >= last) return 0;
  const fractionX = x - column;
  const fractionY = y - row;
  const at = row * side + column;
  const upper = ink[at] + (ink[at + 1] - ink[at]) * fractionX;
  const lower = ink[at + side] + (ink[at + side + 1] - ink[at + side]) * fractionX;
  return upper + (lower - upper) * fractionY;
}
