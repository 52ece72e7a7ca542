/** Distances top, bottom, left, right in units of the prior: the coder of FSAF. */
import { OptionError } from '../errors.ts';
import { type BoxCoder, coderOut } from './types.ts';

export interface TblrCoderOptions {
  /** Divides all four numbers. Default 4. */
  readonly normaliser?: number;
  /** Also divide by the prior's height (top, bottom) and width (left, right). Default true. */
  readonly normaliseBySize?: boolean;
}

/** Where side k of a box goes: left, top, right, bottom → 2, 0, 3, 1. */
const places = [2, 0, 3, 1] as const;

/** From the prior's centre to the sides. Source: Zhu et al., "FSAF", CVPR 2019; mmdetection `TBLRBBoxCoder`. */
export function tblrCoder(options: TblrCoderOptions = {}): BoxCoder {
  const { normaliser = 4, normaliseBySize = true } = options;
  if (!(normaliser > 0)) throw new OptionError(`normaliser must be > 0, got ${normaliser}`, { normaliser });

  return {
    encode(boxes, priors, out) {
      const result = coderOut('tblrCoder.encode', boxes, priors, out);
      for (let i = 0; i < boxes.length; i += 4) {
        for (let side = 0; side < 4; side++) {
          const axis = side % 2;
          const size = normaliseBySize ? priors[i + axis + 2]! - priors[i + axis]! : 1;
          const centre = (priors[i + axis]! + priors[i + axis + 2]!) / 2;
          const distance = side < 2 ? centre - boxes[i + side]! : boxes[i + side]! - centre;
          result[i + places[side]!] = distance / size / normaliser;
        }
      }
      return result;
    },
    decode(encoded, priors, out) {
      const result = coderOut('tblrCoder.decode', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        const sides = [0, 0, 0, 0];
        for (let side = 0; side < 4; side++) {
          const axis = side % 2;
          const size = normaliseBySize ? priors[i + axis + 2]! - priors[i + axis]! : 1;
          const centre = (priors[i + axis]! + priors[i + axis + 2]!) / 2;
          const distance = encoded[i + places[side]!]! * normaliser * size;
          sides[side] = side < 2 ? centre - distance : centre + distance;
        }
        result.set(sides, i);
      }
      return result;
    },
    decodeGradient(boxGradient, encoded, priors, out) {
      const result = coderOut('tblrCoder.decodeGradient', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        const gradients = [0, 0, 0, 0];
        for (let side = 0; side < 4; side++) {
          const axis = side % 2;
          const size = normaliseBySize ? priors[i + axis + 2]! - priors[i + axis]! : 1;
          const sign = side < 2 ? -1 : 1;
          gradients[places[side]!] = sign * boxGradient[i + side]! * normaliser * size;
        }
        result.set(gradients, i);
      }
      return result;
    },
  };
}
