/**
 * Distances as distributions over bins: what GFL, NanoDet and YOLOv8 regress. A network gives 4·bins logits a box; their
 * expectation is a distance in units of the prior's size.
 */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { distanceCoder } from './distance.ts';
import { widerArray } from './types.ts';

export interface DistributionCoderOptions {
  /** Bins 0 … bins − 1 a side: 16 (YOLOv8), 17 (GFL: reg_max 16), 8 (NanoDet). Default 16. */
  readonly bins?: number;
  /** Encoded distances stay this much below the last bin: 0.01 (ultralytics), 0.1 (mmdetection). Default 0.01. */
  readonly margin?: number;
}

/** Where between two bins a distance lies. */
export interface BinTargets {
  /** 4·N numbers of the lower bin; the upper one follows it. */
  readonly left: Int32Array<ArrayBuffer>;
  /** Weights of the lower bin; the upper one's is 1 − this. */
  readonly leftWeights: Float32Array<ArrayBuffer>;
}

export interface DistributionCoder {
  readonly bins: number;
  /** 4·N boxes → 4·N distances l, t, r, b in bins, within [0, bins − 1 − margin]. */
  encode(boxes: BoxArray, priors: BoxArray, out?: BoxArray): BoxArray;
  /** The two bins of each distance and their weights: the target of the distribution focal loss. */
  targets(distances: BoxArray): BinTargets;
  /** 4·bins·N logits (of a box: left, top, right, bottom) → 4·N boxes. */
  decode(logits: BoxArray, priors: BoxArray, out?: BoxArray): BoxArray;
  /** Carries d/d(decoded boxes) back to d/d(logits): 4·N → 4·bins·N. */
  decodeGradient(boxGradient: BoxArray, logits: BoxArray, priors: BoxArray, out?: BoxArray): BoxArray;
}

/**
 * Distances from the prior's centre, in units of its size (point priors: the stride), through distributions.
 *
 * Source: Li et al., "Generalized focal loss", NeurIPS 2020; ultralytics `DFL` and `bbox2dist`, mmdetection `Integral`.
 */
export function distributionCoder(options: DistributionCoderOptions = {}): DistributionCoder {
  const { bins = 16, margin = 0.01 } = options;
  if (!(Number.isInteger(bins) && bins > 1)) {
    throw new OptionError(`bins must be a whole number > 1, got ${bins}`, { bins });
  }
  const through = distanceCoder({ normalise: true, maximum: bins - 1 - margin });
  const weights = new Float64Array(bins);

  return {
    bins,
    encode: (boxes, priors, out) => through.encode(boxes, priors, out),
    targets(distances) {
      const left = new Int32Array(distances.length);
      const leftWeights = new Float32Array(distances.length);
      distances.forEach((distance: number, i: number) => {
        left[i] = Math.min(Math.max(Math.floor(distance), 0), bins - 2);
        leftWeights[i] = left[i]! + 1 - distance;
      });
      return { left, leftWeights };
    },
    decode(logits, priors, out) {
      check('distributionCoder.decode', logits, priors, bins);
      const distances = widerArray(logits, priors, priors.length);
      for (let side = 0; side < priors.length; side++)
        distances[side] = expectation(logits, side * bins, weights);
      return through.decode(distances, priors, out);
    },
    decodeGradient(boxGradient, logits, priors, out) {
      check('distributionCoder.decodeGradient', logits, priors, bins);
      const result = out ?? widerArray(logits, priors, logits.length);
      const sides = through.decodeGradient(boxGradient, widerArray(logits, priors, priors.length), priors);
      for (let side = 0; side < priors.length; side++) {
        const mean = expectation(logits, side * bins, weights);
        for (let b = 0; b < bins; b++) result[side * bins + b] = sides[side]! * weights[b]! * (b - mean);
      }
      return result;
    },
  };
}

/** Mean bin of the softmax of the logits from `start` on; its probabilities are left in `weights`. */
function expectation(logits: BoxArray, start: number, weights: Float64Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let b = 0; b < weights.length; b++) highest = Math.max(highest, logits[start + b]!);
  let sum = 0;
  for (let b = 0; b < weights.length; b++) sum += weights[b] = Math.exp(logits[start + b]! - highest);
  let mean = 0;
  for (let b = 0; b < weights.length; b++) mean += (weights[b]! /= sum) * b;
  return mean;
}

function check(name: string, logits: BoxArray, priors: BoxArray, bins: number): void {
  if (priors.length % 4 !== 0 || logits.length !== priors.length * bins) {
    throw new ShapeError(`${name}: expected ${priors.length}·${bins} logits, got ${logits.length}`, {
      expected: priors.length * bins,
      got: logits.length,
    });
  }
}
