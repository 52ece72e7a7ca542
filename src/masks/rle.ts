/**
 * Run-length masks: between pixels and runs (pycocotools `encode` and `decode`).
 *
 * Runs go down the columns, as COCO's do; pixels may be handed over in either order.
 */
import { expectLength } from '../boxes/check.ts';
import { ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import type { Rle } from './types.ts';

/** Order of pixels in an array: along rows, as images lie, or down columns, as numpy's Fortran order and COCO's. */
export type PixelOrder = 'row' | 'column';

export interface PixelOptions {
  /** Default `'row'`. */
  readonly order?: PixelOrder;
}

function checkOrder(order: PixelOrder): void {
  choiceOption('order', order, ['row', 'column']);
}

/** Pixels of a mask; throws {@link ShapeError} unless its sides are whole and a run can count them all. */
export function pixelCount([height, width]: Rle['size']): number {
  if (height >= 0 && width >= 0 && height % 1 === 0 && width % 1 === 0 && height * width < 2 ** 32) {
    return height * width;
  }
  throw new ShapeError(`expected a whole mask size below 2³² pixels, got ${height}×${width}`, {
    size: [height, width],
  });
}

/** Throws {@link ShapeError} unless the size is whole and the runs cover it exactly. */
export function checkRle({ size, counts }: Rle): void {
  const expected = pixelCount(size);
  let got = 0;
  for (let i = 0; i < counts.length; i++) got += counts[i];
  if (got !== expected) {
    throw new ShapeError(`expected runs that sum to ${size.join('·')} = ${expected}, got ${got}`, {
      expected,
      got,
    });
  }
}

/**
 * Runs of a mask given as pixels, every value other than 0 being inside.
 *
 * `pixels` height·width, by default row by row; `size` is `[height, width]`. Throws {@link ShapeError} on another length.
 *
 * @example
 * encodeRle(new Uint8Array([0, 1, 1, 0]), [2, 2]).counts; // Uint32Array [1, 2, 1]
 */
export function encodeRle(
  pixels: ArrayLike<number | boolean>,
  size: readonly [height: number, width: number],
  options: PixelOptions = {},
): Rle {
  const { order = 'row' } = options;
  checkOrder(order);
  const [height, width] = size;
  expectLength('pixels', pixels.length, pixelCount(size));
  const counts: number[] = [];
  const [stepX, stepY] = order === 'row' ? [1, width] : [height, 1];
  let value = false;
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const pixel = Boolean(pixels[x * stepX + y * stepY]);
      if (pixel !== value) {
        counts.push(run);
        run = 0;
        value = pixel;
      }
      run++;
    }
  }
  counts.push(run);
  return { size: [height, width], counts: Uint32Array.from(counts) };
}

/**
 * Pixels of a mask, 0 or 1, by default row by row: height·width.
 *
 * Throws {@link ShapeError} when the runs do not sum to height·width.
 */
export function decodeRle(mask: Rle, options: PixelOptions = {}): Uint8Array<ArrayBuffer> {
  const { order = 'row' } = options;
  checkOrder(order);
  checkRle(mask);
  const [height, width] = mask.size;
  const pixels = new Uint8Array(height * width);
  let at = 0;
  for (let i = 0; i < mask.counts.length; i++) {
    const end = at + mask.counts[i];
    if (i % 2 === 1) {
      if (order === 'column') pixels.fill(1, at, end);
      else for (let p = at; p < end; p++) pixels[(p % height) * width + Math.floor(p / height)] = 1;
    }
    at = end;
  }
  return pixels;
}
