/**
 * Greedy suppression over spatial tiles: exact, and its cost grows with the kept neighbours, not with N².
 *
 * IoU > t implies that the other centre lies within R·w and R·h of the kept box's centre, R = (1 − t) / 2t (per axis
 * the overlap ratio is at least the IoU; the worst case is the wider box that contains the kept one). So a kept box is
 * appended to every tile its R-core touches, and a candidate scans only the tile of its own centre. Kept boxes are
 * scanned oldest first: the best one is the most likely to suppress. R and the core are widened by more than the
 * rounding of the comparison can hide.
 */
import type { BoxArray } from '../boxes/types.ts';
import type { Comparison } from './compare.ts';

/** Kept boxes a chunk; a tile is a list of chunks. */
const CHUNK = 16;
/** Below this bound the cores are so wide that tiles do not pay. */
const SMALLEST_BOUND = 0.05;

interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly left: number;
  readonly top: number;
  readonly perX: number;
  readonly perY: number;
}

/**
 * The tiled form of `greedy`, or -1 where tiles would not be exact or not pay: no bound on the IoU of a passing pair,
 * boxes the bound does not speak of, or areas so large or so small that products overflow or lose digits. What `kept`
 * says by then of the boxes before such a box is right.
 */
export function greedyTiles(
  boxes: BoxArray,
  members: Uint32Array,
  from: number,
  to: number,
  comparison: Comparison,
  limit: number,
  kept: Uint8Array,
): number {
  const { minIou, boundsInverted } = comparison;
  if (!(minIou >= SMALLEST_BOUND)) return -1;
  // Doubled like the centres: x1 + x2 is twice the centre. 1e-5 covers the rounding of the compared IoU.
  const reach = 1 / (minIou * (1 - 1e-5)) - 1;
  const { columns, rows, left, top, perX, perY } = planGrid(boxes, members, from, to, reach);
  // Sums and products of such boxes stay normal numbers, so the IoU is within a few ulp of the exact one.
  const [smallest, widest] = boxes instanceof Float32Array ? [1e-30, 1e18] : [1e-280, 1e140];
  const tiles = columns * rows;
  const heads = new Int32Array(tiles).fill(-1);
  const tails = new Int32Array(tiles);
  const fills = new Uint8Array(tiles);
  let capacity = CHUNK * (16 + tiles);
  let pool = comparison.columns(capacity);
  let next = new Int32Array(capacity / CHUNK);
  let chunks = 0;
  let size = 0;

  for (let position = from; position < to && size < limit; position++) {
    const at = 4 * members[position]!;
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    const width = x2 - x1;
    const height = y2 - y1;
    if (!(width > 0 && height > 0)) {
      if (!boundsInverted && (width < 0 || height < 0)) return -1;
      // No area: its IoU with anything is 0, it neither suppresses nor is suppressed.
      kept[position] = 1;
      size++;
      continue;
    }
    // the far end is the larger one, whichever side of 0 the box lies on
    const far = Math.max(x2, y2, -x1, -y1);
    if (!(width * height > smallest && far < widest)) return -1;
    const centreX = x1 + x2;
    const centreY = y1 + y2;
    const tile =
      clampTile((centreY - top) * perY, rows) * columns + clampTile((centreX - left) * perX, columns);
    let chunk = heads[tile]!;
    let suppressed = false;
    while (chunk >= 0) {
      const last = chunk === tails[tile]!;
      const start = chunk * CHUNK;
      if (comparison.anyAbove(pool, start, last ? start + fills[tile]! : start + CHUNK, x1, y1, x2, y2)) {
        suppressed = true;
        break;
      }
      chunk = last ? -1 : next[chunk]!;
    }
    if (suppressed) continue;
    kept[position] = 1;
    size++;
    // What rounding the sums can move: a box within reach lies no further out than `far` and four reaches.
    const margin = 16 * Number.EPSILON * (far + 4 * reach * (width + height));
    const reachX = reach * width + margin;
    const reachY = reach * height + margin;
    const firstColumn = clampTile((centreX - reachX - left) * perX, columns);
    const lastColumn = clampTile((centreX + reachX - left) * perX, columns);
    const firstRow = clampTile((centreY - reachY - top) * perY, rows);
    const lastRow = clampTile((centreY + reachY - top) * perY, rows);
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const cell = row * columns + column;
        if (heads[cell]! < 0 || fills[cell] === CHUNK) {
          if ((chunks + 1) * CHUNK > capacity) {
            capacity *= 2;
            pool = comparison.columns(capacity, pool);
            const longer = new Int32Array(capacity / CHUNK);
            longer.set(next);
            next = longer;
          }
          if (heads[cell]! < 0) heads[cell] = chunks;
          else next[tails[cell]!] = chunks;
          tails[cell] = chunks++;
          fills[cell] = 0;
        }
        comparison.put(pool, tails[cell]! * CHUNK + fills[cell]!, x1, y1, x2, y2);
        fills[cell]!++;
      }
    }
  }
  return size;
}

function clampTile(value: number, count: number): number {
  return value <= 0 ? 0 : value >= count ? count - 1 : value | 0;
}

/**
 * Chooses the grid by a sample: √N/5 tiles a side over most centres, fewer where the cores are so wide that copies would
 * pile up, and one where no box of it has an area.
 */
function planGrid(boxes: BoxArray, members: Uint32Array, from: number, to: number, reach: number): Grid {
  const xs: number[] = [];
  const ys: number[] = [];
  const stride = Math.ceil((to - from) / 64);
  let widths = 0;
  let heights = 0;
  for (let position = from; position < to; position += stride) {
    const at = 4 * members[position]!;
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    if (!(x2 > x1 && y2 > y1)) continue;
    xs.push(x1 + x2);
    ys.push(y1 + y2);
    widths += x2 - x1;
    heights += y2 - y1;
  }
  const size = xs.length;
  if (size === 0) return { columns: 1, rows: 1, left: 0, top: 0, perX: 0, perY: 0 };
  const side = Math.max(1, Math.round(Math.sqrt(to - from) / 5));
  const [left, width] = spread(xs);
  const [top, height] = spread(ys);
  const columns = tilesAlong(width, (2 * reach * widths) / size, side);
  const rows = tilesAlong(height, (2 * reach * heights) / size, side);
  return {
    columns,
    rows,
    left,
    top,
    perX: tilesPerUnit(columns, width),
    perY: tilesPerUnit(rows, height),
  };
}

/**
 * Where the grid begins and how long it is: the middle four fifths of a sample and an eighth more on each side. What lies
 * outside belongs to the outermost tiles, so a few boxes far away do not push all others into one tile.
 */
function spread(centres: number[]): [start: number, length: number] {
  const sample = new Float64Array(centres).sort();
  const low = sample[Math.floor(0.1 * sample.length)]!;
  const middle = sample[Math.floor(0.9 * sample.length)]! - low;
  return [low - middle / 8, 1.25 * middle];
}

/** At most `side`, and tiles no narrower than a third of the mean core (about 16 copies of a kept box). */
function tilesAlong(extent: number, core: number, side: number): number {
  return Math.max(1, Math.min(side, Math.floor((3 * extent) / core)));
}

function tilesPerUnit(count: number, extent: number): number {
  const perUnit = count / extent;
  return Number.isFinite(perUnit) ? perUnit : 0;
}
