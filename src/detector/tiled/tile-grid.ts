/** Where the tiles of a large picture lie. */
import type { Size } from '../../boxes/types.ts';
import { OptionError } from '../../errors.ts';
import { checkOptionKinds } from '../../options.ts';

/** A rectangle of whole pixels. */
export interface Tile extends Size {
  readonly x: number;
  readonly y: number;
}

export interface TileGridOptions {
  /** Size of a tile, or the side of a square one. */
  readonly tile: number | Size;
  /** Part of a tile that it shares with its neighbour, below 1. Default 0.2. */
  readonly overlap?: number;
}

/**
 * Tiles that cover an image row by row: each begins a tile less the overlap (whole pixels, rounded down) after the one
 * before, and the last of a row or column is moved back inside, so that all are full size. An image smaller than a tile
 * is one tile of its own size. Source: SAHI `get_slice_bboxes` (Akyon et al., ICIP 2022).
 *
 * @example
 * tileGrid({ width: 1000, height: 600 }, { tile: 640, overlap: 0.2 }); // x 0 and 360, y 0
 */
export function tileGrid(image: Size, options: TileGridOptions): Tile[] {
  checkOptionKinds('options of tileGrid', options, { tile: 'any', overlap: 'number' });
  checkSides('image', image);
  const { overlap = 0.2 } = options;
  const sides =
    typeof options.tile === 'number' ? { width: options.tile, height: options.tile } : options.tile;
  checkSides('tile', sides);
  const { width, height } = sides;
  if (!(overlap >= 0 && overlap < 1)) {
    throw new OptionError(`overlap: expected a number from 0 to below 1, got ${overlap}`, { overlap });
  }
  const columns = starts(image.width, width, overlap);
  const rows = starts(image.height, height, overlap);
  return rows.flatMap((y) =>
    columns.map((x) => ({
      x,
      y,
      width: Math.min(width, image.width),
      height: Math.min(height, image.height),
    })),
  );
}

function checkSides(what: string, size: Size): void {
  for (const name of ['width', 'height'] as const) {
    const value = size?.[name];
    if (!(Number.isSafeInteger(value) && value > 0)) {
      throw new OptionError(`${what}: expected a ${name} of whole pixels above 0, got ${value}`, {
        [name]: value,
      });
    }
  }
}

/** Where the tiles of one axis begin. */
function starts(side: number, tile: number, overlap: number): number[] {
  const step = tile - Math.floor(overlap * tile);
  const found: number[] = [];
  for (let at = 0; ; at += step) {
    found.push(Math.max(0, Math.min(at, side - tile)));
    if (at + tile >= side) return found;
  }
}
