/**
 * RGBA pixels → one image of the input tensor, in one pass: resize, place, reorder channels, normalise.
 *
 * Every value is computed in float64 and rounded once when stored, with no platform resizer involved, so Node and every
 * browser give the same bits.
 */
import type { AxisTableCache } from './resample.ts';

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
  const aligned = (pixels.byteOffset & 3) === 0 ? pixels : pixels.slice();
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
  const redScale = 1 / plan.std[redChannel];
  const greenScale = 1 / plan.std[1];
  const blueScale = 1 / plan.std[blueChannel];
  const redBias = -plan.mean[redChannel] * redScale;
  const greenBias = -plan.mean[1] * greenScale;
  const blueBias = -plan.mean[blueChannel] * blueScale;

  if (content.width !== width || content.height !== height) {
    for (let channel = 0; channel < 3; channel++) {
      const scale = 1 / plan.std[channel];
      const value = padValue * scale - plan.mean[channel] * scale;
      if (planar) out.fill(value, offset + channel * area, offset + (channel + 1) * area);
      else for (let i = offset + channel, end = offset + 3 * area; i < end; i += 3) out[i] = value;
    }
  }

  const columns = tables.get(sourceWidth, content.width, 1);
  const rows = tables.get(sourceHeight, content.height, sourceWidth);
  const { lower: left, upper: right, weight: xWeight } = columns;
  const redOffset = offset + redChannel * channelStep;
  const greenOffset = offset + channelStep;
  const blueOffset = offset + blueChannel * channelStep;
  for (let y = 0; y < content.height; y++) {
    const top = rows.lower[y];
    const bottom = rows.upper[y];
    const yWeight = rows.weight[y];
    let pixel = ((content.top + y) * width + content.left) * pixelStep;
    for (let x = 0; x < content.width; x++) {
      const l = left[x];
      const r = right[x];
      const w = xWeight[x];
      const a = data[top + l];
      const b = data[top + r];
      const c = data[bottom + l];
      const d = data[bottom + r];
      let upper = (a & 255) + ((b & 255) - (a & 255)) * w;
      let lower = (c & 255) + ((d & 255) - (c & 255)) * w;
      out[redOffset + pixel] = (upper + (lower - upper) * yWeight) * redScale + redBias;
      const a1 = (a >>> 8) & 255;
      const c1 = (c >>> 8) & 255;
      upper = a1 + (((b >>> 8) & 255) - a1) * w;
      lower = c1 + (((d >>> 8) & 255) - c1) * w;
      out[greenOffset + pixel] = (upper + (lower - upper) * yWeight) * greenScale + greenBias;
      const a2 = (a >>> 16) & 255;
      const c2 = (c >>> 16) & 255;
      upper = a2 + (((b >>> 16) & 255) - a2) * w;
      lower = c2 + (((d >>> 16) & 255) - c2) * w;
      out[blueOffset + pixel] = (upper + (lower - upper) * yWeight) * blueScale + blueBias;
      pixel += pixelStep;
    }
  }
}
