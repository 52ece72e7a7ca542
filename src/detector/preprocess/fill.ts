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
  // one kind of array, so that the loop is compiled once
  const data = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length);
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

  const columns = tables.get(sourceWidth, content.width, 4);
  const rows = tables.get(sourceHeight, content.height, sourceWidth * 4);
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
      const a = top + l;
      const b = top + r;
      const c = bottom + l;
      const d = bottom + r;
      const redTop = data[a] + (data[b] - data[a]) * w;
      const redBottom = data[c] + (data[d] - data[c]) * w;
      out[redOffset + pixel] = (redTop + (redBottom - redTop) * yWeight) * redScale + redBias;
      const greenTop = data[a + 1] + (data[b + 1] - data[a + 1]) * w;
      const greenBottom = data[c + 1] + (data[d + 1] - data[c + 1]) * w;
      out[greenOffset + pixel] = (greenTop + (greenBottom - greenTop) * yWeight) * greenScale + greenBias;
      const blueTop = data[a + 2] + (data[b + 2] - data[a + 2]) * w;
      const blueBottom = data[c + 2] + (data[d + 2] - data[c + 2]) * w;
      out[blueOffset + pixel] = (blueTop + (blueBottom - blueTop) * yWeight) * blueScale + blueBias;
      pixel += pixelStep;
    }
  }
}
