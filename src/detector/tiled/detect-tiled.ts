/**
 * Tiled inference: a large picture cut into overlapping tiles, each detected at the model's own resolution, the results
 * merged. Objects that a whole picture scaled down would lose are found.
 */
import type { Detections } from '../../boxes/detections.ts';
import { OptionError } from '../../errors.ts';
import { checkTiledOptions } from '../check-options.ts';
import { FrameLedger } from '../image/ownership.ts';
import { readImage } from '../image/read.ts';
import type { DetectOptions, Detector, ImageSource, RawImage } from '../types.ts';
import { type MergeTilesOptions, mergeTiles } from './merge-tiles.ts';
import { shiftDetections } from './shift.ts';
import { type Tile, type TileGridOptions, tileGrid } from './tile-grid.ts';

export interface TiledOptions
  extends Omit<DetectOptions, 'transfer'>,
    Partial<TileGridOptions>,
    Omit<MergeTilesOptions, 'tiles'> {
  /** Size of a tile. Default: the model's input size. */
  readonly tile?: TileGridOptions['tile'];
  /** Also detects on the whole picture, which finds what is larger than a tile. Default true. */
  readonly wholeImage?: boolean;
  /** Tiles a run of the model. Default 1. */
  readonly batch?: number;
  /** Called after every run with the parts done so far; the whole picture counts as one. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Detects in overlapping tiles of a picture and merges what was found; boxes, keypoints and masks in its pixels.
 *
 * `detector` may run in this thread or in a worker. A `VideoFrame` or `ImageBitmap` is closed, as by `detect`; raw pixels
 * are not copied as a whole: leave them as they are until the result is there. Rejects
 * with the signal's reason when aborted, and with whatever `detect` rejects with.
 *
 * @example
 * const found = await detectTiled(detector, photo, { tile: 640, overlap: 0.2, scoreThreshold: 0.4 });
 */
export async function detectTiled(
  detector: Detector,
  source: ImageSource,
  options: TiledOptions = {},
): Promise<Detections> {
  const close = new FrameLedger().adopt([source]);
  try {
    checkTiledOptions(detector, options);
    const { tile, overlap, wholeImage = true, batch = 1, onProgress, ...rest } = options;
    const { merge, mergeMetric, mergeThreshold, mergeScope, maxDetections, ...detect } = rest;
    const { signal } = detect;
    signal?.throwIfAborted();
    if (!Number.isInteger(batch) || batch < 1) {
      throw new OptionError(`batch: expected a whole number of at least 1, got ${batch}`, { batch });
    }
    const image = await readImage(source);
    signal?.throwIfAborted();
    const size = { width: image.width, height: image.height };
    const tiles = tileGrid(size, {
      tile: tile ?? detector.info.preprocessing.size,
      ...(overlap === undefined ? {} : { overlap }),
    });
    const alone = tiles.length === 1;
    const total = tiles.length + (wholeImage && !alone ? 1 : 0);
    const parts: Detections[] = [];
    if (wholeImage && !alone) {
      parts.push(await detector.detect(image, detect));
      onProgress?.({ done: 1, total });
    }
    for (let start = 0; start < tiles.length; start += batch) {
      const places = tiles.slice(start, start + batch);
      const crops = places.map((place) => crop(image, place));
      const found = await detector.detect(crops, { ...detect, transfer: true });
      for (const [i, { x, y }] of places.entries()) parts.push(shiftDetections(found[i], x, y, size));
      onProgress?.({ done: parts.length, total });
    }
    return mergeTiles(parts, {
      tiles: parts.length > tiles.length ? [{ x: 0, y: 0, ...size }, ...tiles] : tiles,
      ...(merge && { merge }),
      ...(mergeMetric && { mergeMetric }),
      ...(mergeThreshold !== undefined && { mergeThreshold }),
      ...(mergeScope && { mergeScope }),
      ...(maxDetections !== undefined && { maxDetections }),
    });
  } finally {
    close();
  }
}

/** The pixels of a tile, copied. */
function crop({ data, width }: RawImage, { x, y, width: across, height: down }: Tile): RawImage {
  const out = new Uint8ClampedArray(4 * across * down);
  for (let row = 0; row < down; row++) {
    const from = 4 * ((y + row) * width + x);
    out.set(data.subarray(from, from + 4 * across), 4 * across * row);
  }
  return { data: out, width: across, height: down };
}
