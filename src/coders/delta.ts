/**
 * Centre offsets and log sizes relative to a prior: the coder of R-CNN, RetinaNet and SSD.
 *
 * Libraries differ in scaling (weights or variances or mean and std: the same numbers) and in what is clamped; each is
 * an option.
 */
import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { type BoxCoder, coderOut } from './types.ts';

type Four = readonly [number, number, number, number];

export interface DeltaCoderOptions {
  /** Divides (after the mean is taken off) on encoding: std of mmdetection, variance of SSD, 1/weight of torchvision. Default 1. */
  readonly std?: Four;
  /** Subtracted on encoding. Default 0. */
  readonly mean?: Four;
  /** Which ends of the log sizes are clamped on decoding: torchvision and detectron2 `'upper'`, mmdetection `'both'`, SSD `'none'`. Default `'upper'`. */
  readonly sizeClamp?: 'upper' | 'both' | 'none';
  /** Where: |log size| ≤ this. Default ln(1000/16). */
  readonly sizeLimit?: number;
  /** Clamps the centre's shift to ± this many pixels (mmdetection `add_ctr_clamp`). Default none. */
  readonly centerLimit?: number;
}

/** Coders of the libraries: torchvision RoI heads, torchvision RPN and RetinaNet, SSD, mmdetection. */
export const deltaPresets = {
  'torchvision-roi': { std: [0.1, 0.1, 0.2, 0.2] },
  torchvision: {},
  ssd: { std: [0.1, 0.1, 0.2, 0.2], sizeClamp: 'none' },
  mmdetection: { sizeClamp: 'both', sizeLimit: Math.abs(Math.log(16 / 1000)) },
  /** mmdetection's with `add_ctr_clamp`. */
  yolof: { sizeClamp: 'upper', sizeLimit: Math.abs(Math.log(16 / 1000)), centerLimit: 32 },
} as const satisfies Record<string, DeltaCoderOptions>;

/**
 * Encodes dx = (gx − px)/pw, dy, dw = ln(gw/pw), dh, each then (d − mean)/std.
 *
 * Widths are x2 − x1 without any +1. Source: Ren et al., "Faster R-CNN", 2015, Eq. 2; torchvision `BoxCoder`,
 * mmdetection `DeltaXYWHBBoxCoder`, ssd.pytorch `encode`/`decode`.
 */
export function deltaCoder(options: DeltaCoderOptions = {}): BoxCoder {
  const { std = [1, 1, 1, 1], mean = [0, 0, 0, 0], sizeClamp = 'upper', centerLimit } = options;
  const limit = options.sizeLimit ?? Math.log(1000 / 16);
  choiceOption('sizeClamp', sizeClamp, ['upper', 'both', 'none']);
  if (std.some((value) => !(value > 0)))
    throw new OptionError(`std must be four numbers > 0, got [${std.join(', ')}]`);
  const lower = sizeClamp === 'both' ? -limit : Number.NEGATIVE_INFINITY;
  const upper = sizeClamp === 'none' ? Number.POSITIVE_INFINITY : limit;
  const shift = centerLimit ?? Number.POSITIVE_INFINITY;

  return {
    encode(boxes, priors, out) {
      const result = coderOut('deltaCoder.encode', boxes, priors, out);
      for (let i = 0; i < boxes.length; i += 4) {
        const pw = priors[i + 2]! - priors[i]!;
        const ph = priors[i + 3]! - priors[i + 1]!;
        const gw = boxes[i + 2]! - boxes[i]!;
        const gh = boxes[i + 3]! - boxes[i + 1]!;
        const dx = (boxes[i]! + boxes[i + 2]! - priors[i]! - priors[i + 2]!) / 2 / pw;
        const dy = (boxes[i + 1]! + boxes[i + 3]! - priors[i + 1]! - priors[i + 3]!) / 2 / ph;
        result[i] = (dx - mean[0]) / std[0];
        result[i + 1] = (dy - mean[1]) / std[1];
        result[i + 2] = (Math.log(gw / pw) - mean[2]) / std[2];
        result[i + 3] = (Math.log(gh / ph) - mean[3]) / std[3];
      }
      return result;
    },
    decode(encoded, priors, out) {
      const result = coderOut('deltaCoder.decode', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        const pw = priors[i + 2]! - priors[i]!;
        const ph = priors[i + 3]! - priors[i + 1]!;
        const dx = clamp((encoded[i]! * std[0] + mean[0]) * pw, -shift, shift);
        const dy = clamp((encoded[i + 1]! * std[1] + mean[1]) * ph, -shift, shift);
        const w = (pw * Math.exp(clamp(encoded[i + 2]! * std[2] + mean[2], lower, upper))) / 2;
        const h = (ph * Math.exp(clamp(encoded[i + 3]! * std[3] + mean[3], lower, upper))) / 2;
        const cx = (priors[i]! + priors[i + 2]!) / 2 + dx;
        const cy = (priors[i + 1]! + priors[i + 3]!) / 2 + dy;
        result[i] = cx - w;
        result[i + 1] = cy - h;
        result[i + 2] = cx + w;
        result[i + 3] = cy + h;
      }
      return result;
    },
    decodeGradient(boxGradient, encoded, priors, out) {
      const result = coderOut('deltaCoder.decodeGradient', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        for (let axis = 0; axis < 2; axis++) {
          const low = boxGradient[i + axis]!;
          const high = boxGradient[i + axis + 2]!;
          const size = priors[i + axis + 2]! - priors[i + axis]!;
          const moved = (encoded[i + axis]! * std[axis]! + mean[axis]!) * size;
          const log = encoded[i + axis + 2]! * std[axis + 2]! + mean[axis + 2]!;
          const half = (size * Math.exp(clamp(log, lower, upper))) / 2;
          result[i + axis] = moved > shift || moved < -shift ? 0 : (low + high) * size * std[axis]!;
          result[i + axis + 2] = log > upper || log < lower ? 0 : (high - low) * half * std[axis + 2]!;
        }
      }
      return result;
    },
  };
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
