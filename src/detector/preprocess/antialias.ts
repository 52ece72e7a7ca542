/**
 * Bilinear resizing that smooths when shrinking: a triangle filter as wide as the source pixels that one destination
 * pixel stands for.
 *
 * Bit for bit Pillow's `Image.resize(size, BILINEAR)` on 8-bit channels, which torchvision's `Resize` of PIL images and
 * Hugging Face's image processors call: rows, then columns, each pass with weights in 1/2^22 (Pillow's `PRECISION_BITS`:
 * 32 bits less 8 of the pixel and 2 of headroom) and rounded to whole grey levels. So is every Pillow before 12.2; later
 * ones begin with the columns where that costs less, which may move a pixel by one grey level. Enlarging, the filter is
 * one source pixel wide on either side, as in plain bilinear resizing.
 */
import type { Size } from '../../boxes/types.ts';
import type { Planes } from './planes.ts';
import type { PackedImage, ResizeCache } from './resize-cache.ts';

const { imul } = Math;

const precision = 22;
/** Half a grey level. */
const half = 1 << (precision - 1);

/** The filter of every pixel of one destination axis. */
export interface FilterTable {
  /** Source pixels a destination pixel takes, at least 1 and at most all. */
  readonly taps: number;
  /** The first of them, never falling. */
  readonly starts: Int32Array;
  /** `taps` weights a destination pixel, together about 2^22. */
  readonly weights: Int32Array;
}

/**
 * Filters of an axis of `source` pixels resized to `target`; all of one length, the shorter ones filled with zeros.
 *
 * With `ring` the weight of source pixel p is the (p mod taps)-th of its filter, as rows lie in a ring of `taps`.
 */
export function filterTable(source: number, target: number, ring: boolean): FilterTable {
  const scale = source / target;
  const reach = Math.max(scale, 1);
  const inverse = 1 / reach;
  const filters = Array.from({ length: target }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - reach + 0.5));
    const end = Math.min(source, Math.trunc(center + reach + 0.5));
    const shares = Array.from({ length: end - start }, (_, tap) =>
      Math.max(0, 1 - Math.abs((tap + start - center + 0.5) * inverse)),
    );
    const sum = shares.reduce((total, share) => total + share, 0);
    const weights = shares.map((share) => Math.floor((share / sum) * 2 ** precision + 0.5));
    // taps at the very rim weigh nothing: fewer rows and pixels to read
    const first = weights.findIndex((weight) => weight > 0);
    const last = weights.findLastIndex((weight) => weight > 0);
    return { start: start + Math.max(first, 0), weights: weights.slice(Math.max(first, 0), last + 1) };
  });
  const taps = filters.reduce((most, { weights }) => Math.max(most, weights.length), 1);
  const table = { taps, starts: new Int32Array(target), weights: new Int32Array(target * taps) };
  filters.forEach(({ start, weights }, i) => {
    // the last filters end with the source, their zeros come first
    const from = Math.min(start, source - taps);
    table.starts[i] = from;
    weights.forEach((weight, tap) => {
      const place = ring ? (start + tap) % taps : start + tap - from;
      table.weights[i * taps + place] = weight;
    });
  });
  return table;
}

/**
 * Resizes to `target`, into the tensor.
 *
 * Rows of the source are filtered once, when the first row of the target needs them, into a ring that holds as many as a
 * column's filter takes: they are read again while they lie in the cache.
 */
export function resizeAntialiased(
  source: PackedImage,
  target: Size,
  planes: Planes,
  cache: ResizeCache,
): void {
  const { width } = target;
  const columns = cache.filter(source.width, width, false);
  const { taps, starts, weights } = cache.filter(source.height, target.height, true);
  const ring = cache.rows(taps * width);
  for (let y = 0, next = 0; y < target.height; y++) {
    const end = starts[y] + taps;
    for (next = Math.max(next, starts[y]); next < end; next++) {
      filterRow(source.data, next * source.width, columns, ring, (next % taps) * width, width);
    }
    filterColumns(ring, width, weights, y * taps, taps, planes, y * planes.rowStep);
  }
}

/** One row of `data` from `from` on → `width` pixels of `ring` from `to` on. */
function filterRow(
  data: Uint32Array,
  from: number,
  { taps, starts, weights }: FilterTable,
  ring: Uint32Array,
  to: number,
  width: number,
): void {
  for (let x = 0, i = 0; x < width; x++) {
    let r = half;
    let g = half;
    let b = half;
    for (let source = from + starts[x], end = i + taps; i < end; i++, source++) {
      const pixel = data[source];
      const weight = weights[i];
      r = (r + imul(pixel & 255, weight)) | 0;
      g = (g + imul((pixel >>> 8) & 255, weight)) | 0;
      b = (b + imul((pixel >>> 16) & 255, weight)) | 0;
    }
    // weights are rounded to nearest, so thousands of taps would be needed for a sum above 255: nothing to clip
    ring[to + x] = (r >> precision) | ((g >> precision) << 8) | ((b >> precision) << 16);
  }
}

/** `taps` rows of `ring`, weighed by `weights` from `first` on → one row of the tensor. */
function filterColumns(
  ring: Uint32Array,
  width: number,
  weights: Int32Array,
  first: number,
  taps: number,
  planes: Planes,
  row: number,
): void {
  const { out, red, green, blue, redOffset, greenOffset, blueOffset, pixelStep } = planes;
  const end = first + taps;
  for (let x = 0, at = row; x < width; x++, at += pixelStep) {
    let r = half;
    let g = half;
    let b = half;
    for (let i = first, source = x; i < end; i++, source += width) {
      const pixel = ring[source];
      const weight = weights[i];
      r = (r + imul(pixel & 255, weight)) | 0;
      g = (g + imul((pixel >>> 8) & 255, weight)) | 0;
      b = (b + imul((pixel >>> 16) & 255, weight)) | 0;
    }
    out[redOffset + at] = red[r >> precision];
    out[greenOffset + at] = green[g >> precision];
    out[blueOffset + at] = blue[b >> precision];
  }
}
