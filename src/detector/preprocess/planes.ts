/**
 * The input tensor as a resizer writes it: where a pixel's three values go and what each grey level becomes there.
 *
 * Levels are normalised in float64 and rounded once, into a table of 256 a channel.
 */
import type { Size } from '../../boxes/types.ts';
import type { Preprocessing } from '../types.ts';

/** Where the picture lies in the model input, whole pixels. */
export interface ContentRectangle extends Size {
  readonly left: number;
  readonly top: number;
}

/** What the pass needs to know besides the pixels: the size is the model input's. */
export type FillPlan = Size & Omit<Required<Preprocessing>, 'size' | 'fit'>;

/** One image of the tensor; pixel x of row y of the content lies `y * rowStep + x * pixelStep` after each offset. */
export interface Planes {
  readonly out: Float32Array;
  /** The value of each grey level. */
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
  /** Indices of the first pixel of the content. */
  readonly redOffset: number;
  readonly greenOffset: number;
  readonly blueOffset: number;
  readonly pixelStep: number;
  readonly rowStep: number;
}

/** The image at `offset` of `out` (3·width·height values), padded where the content does not fill it. */
export function preparePlanes(
  out: Float32Array,
  offset: number,
  content: ContentRectangle,
  plan: FillPlan,
): Planes {
  const { width, height, padValue, mean, std } = plan;
  const area = width * height;
  const planar = plan.layout === 'nchw';
  const pixelStep = planar ? 1 : 3;
  const channelStep = planar ? area : 1;
  if (content.width !== width || content.height !== height) {
    for (let channel = 0; channel < 3; channel++) {
      const value = (padValue - mean[channel]) / std[channel];
      if (planar) out.fill(value, offset + channel * area, offset + (channel + 1) * area);
      else for (let i = offset + channel, end = offset + 3 * area; i < end; i += 3) out[i] = value;
    }
  }
  const levels = [0, 1, 2].map((channel) => normalizedLevels(mean[channel], std[channel]));
  // source channel r goes to tensor channel 0 in rgb and 2 in bgr
  const redChannel = plan.channelOrder === 'bgr' ? 2 : 0;
  const blueChannel = 2 - redChannel;
  const first = offset + (content.top * width + content.left) * pixelStep;
  return {
    out,
    red: levels[redChannel],
    green: levels[1],
    blue: levels[blueChannel],
    redOffset: first + redChannel * channelStep,
    greenOffset: first + channelStep,
    blueOffset: first + blueChannel * channelStep,
    pixelStep,
    rowStep: width * pixelStep,
  };
}

/** All grey levels as the model takes them. */
function normalizedLevels(mean: number, std: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, level) => (level - mean) / std);
}
