/**
 * The outline of a mask: closed polygons along pixel edges, outer boundaries clockwise on the screen, holes the other
 * way, so that filling them by the even-odd or the non-zero rule gives the mask back exactly.
 */
import { decodeRle } from './rle.ts';
import type { Rle } from './types.ts';

/** Steps to the right, down, left and up. */
const stepX = [1, 0, -1, 0];
const stepY = [0, 1, 0, -1];

/**
 * Polygons around a mask's pixels: one array x, y, x, y, … a closed contour (the last point is not repeated), corners
 * only, in pixel units: pixel (0, 0) covers 0–1. Regions that touch at a corner get polygons of their own. O(H·W).
 *
 * @example
 * maskContours({ size: [4, 4], counts: new Uint32Array([5, 2, 2, 2, 5]) }); // [[1, 1, 3, 1, 3, 3, 1, 3]]
 */
export function maskContours(mask: Rle): Float32Array<ArrayBuffer>[] {
  const [height, width] = mask.size;
  const pixels = decodeRle(mask, { order: 'row' });
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] === 1;
  // the upper edge of pixel (x, y), walked rightwards with the mask on its right-hand side
  const walked = new Uint8Array(width * height);
  const contours: Float32Array<ArrayBuffer>[] = [];
  for (let startY = 0; startY < height; startY++) {
    for (let startX = 0; startX < width; startX++) {
      if (walked[startY * width + startX] || !inside(startX, startY) || inside(startX, startY - 1)) continue;
      const corners: number[] = [];
      let x = startX;
      let y = startY;
      let direction = 0;
      let previous = -1;
      do {
        if (direction !== previous) corners.push(x, y);
        if (direction === 0) walked[y * width + x] = 1;
        x += stepX[direction];
        y += stepY[direction];
        previous = direction;
        direction = nextDirection(inside, x, y, direction);
      } while (x !== startX || y !== startY || direction !== 0);
      contours.push(Float32Array.from(corners));
    }
  }
  return contours;
}

/** At corner (x, y), having come by `direction` with the mask on the right: turns right first, so touching regions part. */
function nextDirection(
  inside: (x: number, y: number) => boolean,
  x: number,
  y: number,
  direction: number,
): number {
  // pixels ahead of the corner, on the right and on the left of the way
  const ahead = [
    [x, y, x, y - 1],
    [x - 1, y, x, y],
    [x - 1, y - 1, x - 1, y],
    [x, y - 1, x - 1, y - 1],
  ][direction];
  if (!inside(ahead[0], ahead[1])) return (direction + 1) % 4;
  return inside(ahead[2], ahead[3]) ? (direction + 3) % 4 : direction;
}
