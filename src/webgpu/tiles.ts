/**
 * Cuts a job into dispatches that the device's limits allow. Small images share a dispatch; a large one is cut by rows,
 * and by columns only where b alone is too large for a binding.
 */
import { type Kernel, resultWords, workgroupSize } from './shaders.ts';
import type { Output, TileLimits } from './types.ts';

/** A block of one image: rows [aFrom, aTo) with columns [bFrom, bTo), numbered in all of a and b. */
export interface Segment {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
  /** Its first result within the tile. */
  readonly at: number;
  /** Where its first result belongs in the whole, and how many results later its next row begins (matrix). */
  readonly target: number;
  readonly stride: number;
}

/** One dispatch. */
export interface Tile {
  readonly segments: Segment[];
  aFrom: number;
  aTo: number;
  bFrom: number;
  bTo: number;
  /** Results, which are threads. */
  results: number;
  pairs: number;
  /** Best match only: carries on with the results of the tile before. */
  readonly resume: boolean;
  /** Whether the results are complete after this tile. */
  last: boolean;
}

/** Offsets of the images in a and b. */
export interface Images {
  readonly a: ArrayLike<number>;
  readonly b: ArrayLike<number>;
}

const boxBytes = 16;
/** Segments a tile: their description is a binding too. */
const mostSegments = 65536;

/** Threads that searches for the best rows aim at, and rows that one of them takes at least. */
const mostThreads = 16384;
const leastRows = 256;

/** Pairs of a matrix that are read back at once: 128 MiB on the GPU and as much in the buffer to map. */
const readPairs = 2 ** 25;

/** The limits of a job: a matrix to be read back comes in parts of bounded memory. */
export function limitsFor(kind: Kernel, output: Output, limits: TileLimits): TileLimits {
  if (kind !== 'pairwise' || output === 'buffer') return limits;
  return { ...limits, pairs: Math.min(limits.pairs, readPairs) };
}

/** Most boxes of one side, results, segments and pairs of a tile. */
interface Capacity {
  readonly boxes: number;
  readonly results: number;
  readonly segments: number;
  readonly pairs: number;
}

function capacityOf(kernel: Kernel, { bindingBytes, workgroups, pairs }: TileLimits): Capacity {
  const fits = (bytes: number): number => Math.max(1, Math.floor(bindingBytes / bytes));
  return {
    boxes: fits(boxBytes),
    results: Math.min(fits(4 * resultWords[kernel]), workgroupSize * workgroups ** 2, 2 ** 32 - 1),
    segments: Math.min(mostSegments, fits(2 * boxBytes)),
    pairs,
  };
}

/** Adds a block to a tile that has room for it. */
function merge(tile: Tile, block: Segment, count: number, pairs: number, capacity: Capacity): boolean {
  const aFrom = Math.min(tile.aFrom, block.aFrom);
  const aTo = Math.max(tile.aTo, block.aTo);
  const bFrom = Math.min(tile.bFrom, block.bFrom);
  const bTo = Math.max(tile.bTo, block.bTo);
  if (
    Math.max(aTo - aFrom, bTo - bFrom) > capacity.boxes ||
    tile.results + count > capacity.results ||
    tile.pairs + pairs > capacity.pairs ||
    tile.segments.length >= capacity.segments
  ) {
    return false;
  }
  tile.segments.push({ ...block, at: tile.results });
  Object.assign(tile, { aFrom, aTo, bFrom, bTo, results: tile.results + count, pairs: tile.pairs + pairs });
  return true;
}

/** Adds a block to the last tile, or as a new one. */
function put(
  tiles: Tile[],
  capacity: Capacity,
  block: Segment,
  results: number,
  pairs: number,
  resume = false,
  last = true,
): void {
  const { aFrom, aTo, bFrom, bTo } = block;
  const open = tiles.at(-1);
  if (open?.last === true && last && !resume && merge(open, block, results, pairs, capacity)) return;
  tiles.push({ segments: [block], aFrom, aTo, bFrom, bTo, results, pairs, resume, last });
}

/**
 * Cuts a search for the best row of each column. There are few columns, so the rows are cut into chunks, as many threads
 * a column; the chunks' bests are partial results, `target` the first column, to be merged by the reader.
 * `images.a` are the columns, `images.b` the rows.
 */
export function planColumnTiles(images: Images, limits: TileLimits): Tile[] {
  const capacity = capacityOf('bestMatch', limits);
  const tiles: Tile[] = [];
  for (let k = 0; k + 1 < images.a.length; k++) {
    const [aStart, aEnd, bStart, bEnd] = [images.a[k]!, images.a[k + 1]!, images.b[k]!, images.b[k + 1]!];
    const width = Math.min(aEnd - aStart, capacity.boxes, capacity.results, limits.pairs);
    const rows = Math.max(leastRows, Math.ceil(((bEnd - bStart) * width) / mostThreads));
    const height = Math.max(1, Math.min(capacity.boxes, Math.floor(limits.pairs / width), rows));
    for (let aFrom = aStart; aFrom < aEnd; aFrom += width) {
      for (let bFrom = bStart; bFrom < bEnd; bFrom += height) {
        const [aTo, bTo] = [Math.min(aFrom + width, aEnd), Math.min(bFrom + height, bEnd)];
        const results = aTo - aFrom;
        const block = { aFrom, aTo, bFrom, bTo, at: 0, target: aFrom, stride: 1 };
        put(tiles, capacity, block, results, results * (bTo - bFrom));
      }
    }
  }
  return tiles;
}

export function planTiles(kind: Kernel, images: Images, limits: TileLimits): Tile[] {
  const capacity = capacityOf(kind, limits);
  const { boxes, results } = capacity;
  const tiles: Tile[] = [];
  let target = 0;
  for (let k = 0; k + 1 < images.a.length; k++) {
    const [aStart, aEnd] = [images.a[k]!, images.a[k + 1]!];
    const [bStart, bEnd] = [images.b[k]!, images.b[k + 1]!];
    const columns = bEnd - bStart;
    if (kind === 'pairwise') {
      const width = Math.min(columns, boxes, results);
      const height = Math.max(
        1,
        Math.min(boxes, Math.floor(Math.min(results, limits.pairs) / Math.max(1, width))),
      );
      for (let bFrom = bStart; bFrom < bEnd; bFrom += width) {
        const bTo = Math.min(bFrom + width, bEnd);
        for (let aFrom = aStart; aFrom < aEnd; aFrom += height) {
          const aTo = Math.min(aFrom + height, aEnd);
          const count = (aTo - aFrom) * (bTo - bFrom);
          const first = target + (aFrom - aStart) * columns + (bFrom - bStart);
          const block = { aFrom, aTo, bFrom, bTo, at: 0, target: first, stride: columns };
          put(tiles, capacity, block, count, count);
        }
      }
      target += (aEnd - aStart) * columns;
    } else if (kind === 'aligned') {
      const height = Math.min(boxes, results, limits.pairs);
      for (let aFrom = aStart; aFrom < aEnd; aFrom += height) {
        const aTo = Math.min(aFrom + height, aEnd);
        const count = aTo - aFrom;
        const block = { aFrom, aTo, bFrom: aFrom, bTo: aTo, at: 0, target: aFrom, stride: 1 };
        put(tiles, capacity, block, count, count);
      }
    } else {
      const width = Math.min(Math.max(1, columns), boxes);
      const height = Math.max(1, Math.min(boxes, results, Math.floor(limits.pairs / width)));
      for (let aFrom = aStart; aFrom < aEnd; aFrom += height) {
        const aTo = Math.min(aFrom + height, aEnd);
        for (let bFrom = bStart; bFrom === bStart || bFrom < bEnd; bFrom += width) {
          const bTo = Math.min(bFrom + width, bEnd);
          const count = aTo - aFrom;
          const block = { aFrom, aTo, bFrom, bTo, at: 0, target: aFrom, stride: 1 };
          put(tiles, capacity, block, count, count * (bTo - bFrom), bFrom > bStart, bTo === bEnd);
        }
      }
    }
  }
  return tiles;
}
