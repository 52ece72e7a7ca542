/**
 * Similarities of rotated boxes as Gaussians, as mmrotate's losses have them: the Wasserstein distance, the Kullback–Leibler
 * divergence, the Kalman filter's overlap. Give one to `rotatedIou` or `rotatedNms` as their `overlap`.
 *
 * Variances along and across a box are w²/4 and h²/4, sides between 1e-7 and 1e7. All in float64; a box that is not
 * finite gives NaN.
 */
import { OptionError } from '../errors.ts';
import {
  type GaussianPair,
  newPair,
  type RotatedSimilarity,
  readPair,
  sumDeterminant,
} from '../iou/rotated-gaussian.ts';

export interface GaussianOptions {
  /** f of the distance. Default `'log1p'`. */
  readonly distanceTransform?: 'log1p' | 'sqrt' | 'none';
  /** What is added to f(distance), at least 1 (mmrotate's `tau`). Default 1. */
  readonly tau?: number;
  /** Weight of shape against centre distance (mmrotate's `alpha`). Default 1. */
  readonly alpha?: number;
}

const transforms: Readonly<Record<string, (distance: number) => number>> = {
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  none: (distance) => distance,
};

const pair = newPair();

/** 1 / (τ + f(distance)) of a distance of Gaussians. */
function similarityOf(
  distance: (pair: GaussianPair, alpha: number) => number,
  { distanceTransform = 'log1p', tau = 1, alpha = 1 }: GaussianOptions,
): RotatedSimilarity {
  if (!(tau >= 1 && Number.isFinite(tau))) throw new OptionError(`tau must be at least 1, got ${tau}`);
  if (!(alpha > 0 && Number.isFinite(alpha))) throw new OptionError(`alpha must be above 0, got ${alpha}`);
  const transform = Object.hasOwn(transforms, distanceTransform) ? transforms[distanceTransform] : undefined;
  if (transform === undefined) {
    throw new OptionError(
      `distanceTransform: expected 'log1p', 'sqrt' or 'none', got ${String(distanceTransform)}`,
    );
  }
  return (a, i, aTurns, b, j, bTurns) => {
    readPair(pair, a, i, aTurns, b, j, bTurns, 0.5, 1e-7, 1e7);
    return 1 / (tau + transform(distance(pair, alpha)));
  };
}

/**
 * GWD: 1 / (τ + f(d)) of the Gaussian Wasserstein distance (Yang et al., ICML 2021, arXiv 2101.11952), normalised by
 * twice the eighth root of the determinants' product. mmrotate's `gwd_loss` with its defaults is 1 − this.
 *
 * @example
 * rotatedIou(boxes, angles, targets, targetAngles, { overlap: wassersteinOverlap() });
 */
export function wassersteinOverlap(options: GaussianOptions = {}): RotatedSimilarity {
  return similarityOf(({ p, q, r, s, alike, crossed, aAlong, aAcross }, alpha) => {
    const common = p * q * r * s;
    const trace = alike * ((p * r) ** 2 + (q * s) ** 2) + crossed * ((p * s) ** 2 + (q * r) ** 2);
    const shapes = p * p + q * q + r * r + s * s - 2 * Math.sqrt(trace + 2 * common);
    const distance = Math.sqrt(Math.max(aAlong * aAlong + aAcross * aAcross + alpha * alpha * shapes, 0));
    return distance / (2 * Math.max(Math.sqrt(Math.sqrt(common)), 1e-7));
  }, options);
}

/**
 * KLD: 1 / (τ + f(√D)) of the Kullback–Leibler divergence D(b‖a), the form with a's covariance inverted (Yang et al.,
 * NeurIPS 2021, arXiv 2106.01883). Not symmetric. mmrotate's `kld_loss` with its defaults is 1 − this.
 */
export function kullbackLeiblerOverlap(options: GaussianOptions = {}): RotatedSimilarity {
  return similarityOf(({ p, q, r, s, alike, crossed, aAlong, aAcross }, alpha) => {
    const apart = ((aAlong / p) ** 2 + (aAcross / q) ** 2) / 2;
    const trace = (alike * ((r / p) ** 2 + (s / q) ** 2) + crossed * ((s / p) ** 2 + (r / q) ** 2)) / 2;
    const shapes = trace + Math.log((p * q) / (r * s)) - 1;
    return Math.sqrt(Math.max(apart / (alpha * alpha) + shapes, 0));
  }, options);
}

/**
 * KFIoU: overlap of the Kalman filter's product of the two shapes (Yang et al., ICLR 2023, arXiv 2201.12558). Centres do
 * not count (mmrotate's `kfiou_loss` adds them as a smooth L1); identical shapes give 1/3, its largest value.
 */
export function kalmanOverlap(): RotatedSimilarity {
  return (a, i, aTurns, b, j, bTurns) => {
    readPair(pair, a, i, aTurns, b, j, bTurns, 0.5, 1e-7, 1e7);
    const { p, q, r, s } = pair;
    // With covariances P and T, the product of the two Gaussians has the covariance P (P + T)⁻¹ T.
    const common = (4 * p * q * r * s) / Math.sqrt(sumDeterminant(pair));
    return common / (4 * p * q + 4 * r * s - common + 1e-6);
  };
}
