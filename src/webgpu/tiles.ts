/**
 * Cuts a job into dispatches that the device's limits allow. Small images share a dispatch; a large one is cut by rows,
 * and by columns only where b alone is too large for a binding.
 */
import { workgroupSize } from './shaders.ts';
import type { JobKind, Output, TileLimits } from './types.ts';

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

/** Pairs of a matrix that are read back at once: 128 MiB on the GPU and as much in the buffer to map. */
const readPairs = 2 ** 25;

/** The limits of a job: a matrix to be read back comes in parts of bounded memory. */
export function limitsFor(kind: JobKind, output: Output, limits: TileLimits): TileLimits {
  if (kind !== 'pairwise' || output === 'buffer') return limits;
  return { ...limits, pairs: Math.min(limits.pairs, readPairs) };
}

export function planTiles(kind: JobKind, images: Images, limits: TileLimits): Tile[] {
  const boxes = Math.max(1, Math.floor(limits.bindingBytes / boxBytes));
  const resultBytes = kind === 'bestMatch' ? 8 : 4;
  const results = Math.max(
    1,
    Math.min(
      Math.floor(limits.bindingBytes / resultBytes),
      workgroupSize * limits.workgroups ** 2,
      2 ** 32 - 1,
    ),
  );
  const segmentCount = Math.min(mostSegments, Math.max(1, Math.floor(limits.bindingBytes / boxBytes / 2)));
  const tiles: Tile[] = [];
  const add = (segment: Segment, count: number, pairs: number, resume: boolean, last: boolean): void => {
    const { aFrom, aTo, bFrom, bTo } = segment;
    const open = tiles.at(-1);
    if (
      open?.last === true &&
      last &&
      !resume &&
      aFrom >= open.aTo &&
      bFrom >= open.bTo &&
      aTo - open.aFrom <= boxes &&
      bTo - open.bFrom <= boxes &&
      open.results + count <= results &&
      open.pairs + pairs <= limits.pairs &&
      open.segments.length < segmentCount
    ) {
      open.segments.push({ ...segment, at: open.results });
      open.aTo = aTo;
      open.bTo = bTo;
      open.results += count;
      open.pairs += pairs;
      return;
    }
    tiles.push({ segments: [segment], aFrom, aTo, bFrom, bTo, results: count, pairs, resume, last });
  };

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
          add({ aFrom, aTo, bFrom, bTo, at: 0, target: first, stride: columns }, count, count, false, true);
        }
      }
      target += (aEnd - aStart) * columns;
    } else if (kind === 'aligned') {
      const height = Math.min(boxes, results, limits.pairs);
      for (let aFrom = aStart; aFrom < aEnd; aFrom += height) {
        const aTo = Math.min(aFrom + height, aEnd);
        const count = aTo - aFrom;
        tiles.push({
          segments: [{ aFrom, aTo, bFrom: aFrom, bTo: aTo, at: 0, target: aFrom, stride: 1 }],
          ...{ aFrom, aTo, bFrom: aFrom, bTo: aTo, results: count, pairs: count, resume: false, last: true },
        });
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
          add(block, count, count * (bTo - bFrom), bFrom > bStart, bTo === bEnd);
        }
      }
    }
  }
  return tiles;
}
