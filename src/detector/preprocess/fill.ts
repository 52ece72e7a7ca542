/**
 * RGBA pixels → one image of the input tensor, in one pass: resize, place, reorder channels, normalise.
 *
 * Resized pixels are whole numbers, bit for bit those of `cv2.resize(…, INTER_LINEAR)`; normalised in float64 and rounded
 * once when stored. No platform resizer is involved, so Node and every browser give the same bits.
 */
import { copyBytes } from '../image/bytes.ts';
import type { AxisTableCache } from './resample.ts';

const { imul } = Math;

/** Where the picture lies in the model input, whole pixels. */
export interface ContentRectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What the pass needs to know besides the pixels. */
export interface FillPlan {
  /** Model input size in pixels. */
  readonly width: number;
  readonly height: number;
  /** Value of the pixels outside the content, 0–255, normalised like any other. */
  readonly padValue: number;
  readonly channelOrder: 'rgb' | 'bgr';
  /** In tensor channel order, 0–255 scale. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly layout: 'nchw' | 'nhwc';
}

/** All grey levels as the model takes them. */
function normalizedLevels(mean: number, std: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, level) => (level - mean) / std);
}

/**
 * Writes one image into `out` from `offset` on (3·width·height values).
 *
 * `pixels` is RGBA of `sourceWidth`×`sourceHeight`, alpha ignored.
 */
export function fillImage(
  out: Float32Array,
  offset: number,
  pixels: Uint8Array | Uint8ClampedArray,
  sourceWidth: number,
  sourceHeight: number,
  content: ContentRectangle,
  plan: FillPlan,
  tables: AxisTableCache,
): void {
  // one load a pixel instead of three: red is the low byte on every little-endian machine, which typed-array runtimes are
  const aligned = (pixels.byteOffset & 3) === 0 ? pixels : copyBytes(pixels);
  const data = new Uint32Array(aligned.buffer, aligned.byteOffset, sourceWidth * sourceHeight);
  const { width, height, padValue, layout } = plan;
  const area = width * height;
  const planar = layout === 'nchw';
  const pixelStep = planar ? 1 : 3;
  const channelStep = planar ? area : 1;
  const swap = plan.channelOrder === 'bgr';
  // source channel r goes to tensor channel 0 in rgb and 2 in bgr
  const redChannel = swap ? 2 : 0;
  const blueChannel = swap ? 0 : 2;
  const levels = [0, 1, 2].map((channel) => normalizedLevels(plan.mean[channel], plan.std[channel]));
  const red = levels[redChannel];
  const green = levels[1];
  const blue = levels[blueChannel];

  if (content.width !== width || content.height !== height) {
    for (let channel = 0; channel < 3; channel++) {
      const value = (padValue - plan.mean[channel]) / plan.std[channel];
      if (planar) out.fill(value, offset + channel * area, offset + (channel + 1) * area);
      else for (let i = offset + channel, end = offset + 3 * area; i < end; i += 3) out[i] = value;
    }
  }

  const columns = tables.row(sourceWidth, content.width);
  const rows = tables.column(sourceHeight, content.height, sourceWidth);
  const { lower: left, upper: right, lowerWeight: leftWeight, upperWeight: rightWeight } = columns;
  const redOffset = offset + redChannel * channelStep;
  const greenOffset = offset + channelStep;
  const blueOffset = offset + blueChannel * channelStep;
  for (let y = 0; y < content.height; y++) {
    const top = rows.lower[y];
    const bottom = rows.upper[y];
    const v = rows.lowerWeight[y];
    const w = rows.upperWeight[y];
    let pixel = ((content.top + y) * width + content.left) * pixelStep;
    for (let x = 0; x < content.width; x++) {
      const l = left[x];
      const r = right[x];
      const t = leftWeight[x];
      const u = rightWeight[x];
      const a = data[top + l];
      const b = data[top + r];
      const c = data[bottom + l];
      const d = data[bottom + r];
      // sums of a row are 19 bits, of which OpenCV drops 4, then 16 of the product with a column's weight
      let upper = (imul(a & 255, t) + imul(b & 255, u)) >> 4;
      let lower = (imul(c & 255, t) + imul(d & 255, u)) >> 4;
      out[redOffset + pixel] = red[((imul(v, upper) >> 16) + (imul(w, lower) >> 16) + 2) >> 2];
      upper = (imul((a >>> 8) & 255, t) + imul((b >>> 8) & 255, u)) >> 4;
      lower = (imul((c >>> 8) & 255, t) + imul((d >>> 8) & 255, u)) >> 4;
      out[greenOffset + pixel] = green[((imul(v, upper) >> 16) + (imul(w, lower) >> 16) + 2) >> 2];
      upper = (imul((a >>> 16) & 255, t) + imul((b >>> 16) & 255, u)) >> 4;
      lower = (imul((c >>> 16) & 255, t) + imul((d >>> 16) & 255, u)) >> 4;
      out[blueOffset + pixel] = blue[((imul(v, upper) >> 16) + (imul(w, lower) >> 16) + 2) >> 2];
      pixel += pixelStep;
    }
  }
}
