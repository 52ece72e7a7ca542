/**
 * RGBA pixels → one image of the input tensor: resize, place, reorder channels, normalise.
 *
 * Resized pixels are whole numbers, bit for bit those of `cv2.resize(…, INTER_LINEAR)` or, antialiased, of Pillow's
 * `resize(…, BILINEAR)`; normalised in float64 and rounded once when stored. No platform resizer is involved, so Node and
 * every browser give the same bits.
 */
import { copyBytes } from '../image/bytes.ts';
import { resizeAntialiased } from './antialias.ts';
import { resizeBilinear } from './bilinear.ts';
import { type ContentRectangle, type FillPlan, preparePlanes } from './planes.ts';
import type { ResizeCache } from './resize-cache.ts';

export type { ContentRectangle, FillPlan } from './planes.ts';

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
  cache: ResizeCache,
): void {
  // one load a pixel instead of three: red is the low byte on every little-endian machine, which typed-array runtimes are
  const aligned = (pixels.byteOffset & 3) === 0 ? pixels : copyBytes(pixels);
  const data = new Uint32Array(aligned.buffer, aligned.byteOffset, sourceWidth * sourceHeight);
  const source = { data, width: sourceWidth, height: sourceHeight };
  const planes = preparePlanes(out, offset, content, plan);
  if (plan.antialias) resizeAntialiased(source, content, planes, cache);
  else resizeBilinear(source, content, planes, cache);
}
