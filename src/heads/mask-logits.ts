/**
 * Masks of a picture from prototypes, in two steps: {@link createMaskLogits} sums the prototypes inside the boxes that
 * were kept, a patch a detection; {@link decodeMaskLogits} makes a patch a mask of the picture when it is asked for.
 *
 * A patch is a thirty-second of its prototypes, lies on no tensor, and survives threads, tiles and time.
 */
import type { MaskLogits } from '../boxes/detections-types.ts';
import type { FrameTransform } from '../boxes/frame-transform.ts';
import type { Size } from '../boxes/types.ts';
import type { Rle } from '../masks/types.ts';
import { sumPrototypes } from './prototypes.ts';
import type { MaskPrototypes } from './types.ts';

/** Cells of one axis that the pixels `[from, to)` of the picture are interpolated from. */
interface Span {
  /** First cell, and how many. */
  readonly cell: number;
  readonly cells: number;
  /** Pixels of the picture: the middle of the first cell, and a cell's size. */
  readonly middle: number;
  readonly size: number;
}

function spanOf(
  from: number,
  to: number,
  scale: number,
  offset: number,
  inputSide: number,
  cells: number,
): Span {
  const cellSide = inputSide / cells;
  // torch's interpolate(align_corners=False): pixel centres at one half, source positions cut at the first cell
  const cellAt = (pixel: number) => Math.max(0, (offset + scale * (pixel + 0.5)) / cellSide - 0.5);
  const low = Math.min(cells - 1, Math.floor(cellAt(from)));
  const high = Math.min(cells - 1, Math.floor(cellAt(to - 1)) + 1);
  return {
    cell: low,
    cells: high - low + 1,
    middle: ((low + 0.5) * cellSide - offset) / scale,
    size: cellSide / scale,
  };
}

/** Where the patches of N masks lie: everything of {@link MaskLogits} but the values. */
export interface MaskPlaces {
  readonly places: MaskLogits['places'];
  readonly offsets: MaskLogits['offsets'];
  /** 2·N: first column and row of the prototypes' cells. */
  readonly cells: Uint32Array<ArrayBuffer>;
}

/**
 * The cells and pixels of N masks.
 *
 * `boxes` 4·N in pixels of the picture. `transform` is the picture's way into the model input, which the prototypes cover
 * whole; its exact inverse places the patches. A pixel belongs to a box when its index lies in [x1, x2) × [y1, y2), as in
 * Ultralytics' `crop_mask`; a box without pixels has no values.
 */
export function placeMasks(
  { width, height }: Pick<MaskPrototypes, 'width' | 'height'>,
  boxes: ArrayLike<number>,
  { source, target, scaleX, scaleY, offsetX, offsetY }: FrameTransform,
): MaskPlaces {
  const count = boxes.length / 4;
  const places = new Float32Array(9 * count);
  const offsets = new Uint32Array(count + 1);
  const cells = new Uint32Array(2 * count);
  const limit = (value: number, size: number) => Math.min(size, Math.max(0, Math.ceil(value)));
  for (let i = 0; i < count; i++) {
    const left = limit(boxes[4 * i]!, source.width);
    const top = limit(boxes[4 * i + 1]!, source.height);
    const right = limit(boxes[4 * i + 2]!, source.width);
    const bottom = limit(boxes[4 * i + 3]!, source.height);
    offsets[i + 1] = offsets[i]!;
    if (!(right > left && bottom > top)) continue;
    const across = spanOf(left, right, scaleX, offsetX, target.width, width);
    const down = spanOf(top, bottom, scaleY, offsetY, target.height, height);
    offsets[i + 1]! += across.cells * down.cells;
    cells.set([across.cell, down.cell], 2 * i);
    places.set(
      [left, top, right, bottom, across.middle, down.middle, across.size, down.size, across.cells],
      9 * i,
    );
  }
  return { places, offsets, cells };
}

/** Logits of N masks, each inside its box: `coefficients` channels·N weigh the prototypes; see {@link placeMasks}. */
export function createMaskLogits(
  prototypes: MaskPrototypes,
  coefficients: Float32Array,
  boxes: ArrayLike<number>,
  transform: FrameTransform,
): MaskLogits {
  const { channels } = prototypes;
  const { places, offsets, cells } = placeMasks(prototypes, boxes, transform);
  const values = new Float32Array(offsets[offsets.length - 1]!);
  for (let i = 0; i + 1 < offsets.length; i++) {
    if (offsets[i + 1] === offsets[i]) continue;
    const own = coefficients.subarray(channels * i, channels * (i + 1));
    const patch = values.subarray(offsets[i], offsets[i + 1]);
    sumPrototypes(prototypes, own, cells[2 * i]!, cells[2 * i + 1]!, places[9 * i + 8]!, patch);
  }
  return { places, offsets, values };
}

/**
 * The mask of one patch of `MaskLogits` in pixels of the picture: bilinear between cells, above 0 (the logit of one
 * half) inside. Only the pixels of the box are looked at.
 *
 * @example
 * const found = Detections.fromTransferred(event.data, decodeMaskLogits);
 * decodeRle(found.maskAt(0)); // width·height of 0 and 1
 */
export function decodeMaskLogits(place: Float32Array, values: Float32Array, image: Size): Rle {
  const [left = 0, top = 0, right = 0, bottom = 0, x = 0, y = 0, cellWidth = 1, cellHeight = 1, cells = 1] =
    place;
  const rows = values.length / cells;
  const height = bottom - top;
  const above = new Int32Array(height);
  const below = new Int32Array(height);
  const weight = new Float64Array(height);
  for (let j = 0; j < height; j++) {
    const at = Math.min(rows - 1, Math.max(0, (top + j + 0.5 - y) / cellHeight));
    const low = Math.floor(at);
    above[j] = cells * low;
    below[j] = cells * Math.min(rows - 1, low + 1);
    weight[j] = at - low;
  }
  return encodeColumns([left, top, right, bottom], image, (i, column) => {
    const at = Math.min(cells - 1, Math.max(0, (left + i + 0.5 - x) / cellWidth));
    const a = Math.floor(at);
    const b = Math.min(cells - 1, a + 1);
    const u = at - a;
    for (let j = 0; j < height; j++) {
      const up = above[j]!;
      const down = below[j]!;
      const upper = values[up + a]! + u * (values[up + b]! - values[up + a]!);
      const lower = values[down + a]! + u * (values[down + b]! - values[down + a]!);
      column[j] = upper + weight[j]! * (lower - upper) > 0 ? 1 : 0;
    }
  });
}

/**
 * Runs of a mask that is 0 outside a rectangle x1, y1, x2, y2 of whole pixels; `fill` writes the pixels of the
 * rectangle's column `i`, 0 or 1 from the top.
 */
export function encodeColumns(
  [left, top, right, bottom]: readonly [number, number, number, number],
  image: Size,
  fill: (i: number, column: Uint8Array) => void,
): Rle {
  const counts: number[] = [];
  let run = left * image.height;
  let inside = 0;
  const put = (value: number, length: number): void => {
    if (value !== inside) {
      counts.push(run);
      run = 0;
      inside = value;
    }
    run += length;
  };
  const column = new Uint8Array(Math.max(0, bottom - top));
  for (let i = left; i < right; i++) {
    if (top > 0) put(0, top);
    fill(i - left, column);
    for (let j = 0; j < column.length; j++) put(column[j]!, 1);
    if (bottom < image.height) put(0, image.height - bottom);
  }
  const rest = (image.width - Math.max(left, right)) * image.height;
  if (rest > 0) put(0, rest);
  counts.push(run);
  return { size: [image.height, image.width], counts: Uint32Array.from(counts) };
}
