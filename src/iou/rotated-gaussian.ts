/**
 * Similarities of rotated boxes as Gaussians: ProbIoU, and the distances GWD and KLD and the overlap KFIoU of mmrotate.
 *
 * A box becomes a Gaussian about its centre whose variances along and across it are w²/12 and h²/12 (ProbIoU, the
 * uniform density's) or w²/4 and h²/4 (mmrotate). All in float64.
 */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';

/**
 * Which similarity of two Gaussians, a the prediction and b the target.
 *
 * - `'probiou'`: 1 − Hellinger distance; Murrugarra-Llerena et al., arXiv 2106.06072, with Ultralytics' eps (identical
 *   boxes give 0.9995, not 1).
 * - `'gwd'`: 1 / (τ + f(d)) of the Gaussian Wasserstein distance; Yang et al., ICML 2021, arXiv 2101.11952. mmrotate's
 *   `gwd_loss` with its defaults (f = log1p, τ = 1, α = 1, normalised) is 1 − this.
 * - `'kld'`: 1 / (τ + f(√D)) of the Kullback–Leibler divergence D(b‖a), the form with a's covariance inverted; Yang et
 *   al., NeurIPS 2021, arXiv 2106.01883. Not symmetric. mmrotate's `kld_loss` with its defaults is 1 − this.
 * - `'kfiou'`: overlap of the Kalman filter's product of the two shapes; Yang et al., ICLR 2023, arXiv 2201.12558.
 *   Centres do not count (mmrotate's loss adds them as a smooth L1); identical shapes give 1/3, its largest value.
 */
export type GaussianOverlapName = 'probiou' | 'gwd' | 'kld' | 'kfiou';

export interface GaussianOptions {
  /** `'gwd'` and `'kld'`: f of the distance. Default `'log1p'`. */
  readonly distanceTransform?: 'log1p' | 'sqrt' | 'none';
  /** `'gwd'` and `'kld'`: what is added to f(distance), at least 1 (mmrotate's `tau`). Default 1. */
  readonly tau?: number;
  /** `'gwd'` and `'kld'`: weight of shape against centre distance (mmrotate's `alpha`). Default 1. */
  readonly alpha?: number;
}

/** Similarity of box i of a and box j of b; turns are the cosine and sine of each box's angle, clockwise. */
export type GaussianOverlap = (
  a: BoxArray,
  i: number,
  aTurns: Float64Array,
  b: BoxArray,
  j: number,
  bTurns: Float64Array,
) => number;

/** The similarity of a name, its options checked. Throws {@link OptionError}. */
export function gaussianOverlap(
  name: GaussianOverlapName,
  { distanceTransform = 'log1p', tau = 1, alpha = 1 }: GaussianOptions = {},
): GaussianOverlap {
  if (!(tau >= 1 && Number.isFinite(tau))) throw new OptionError(`tau must be at least 1, got ${tau}`);
  if (!(alpha > 0 && Number.isFinite(alpha))) throw new OptionError(`alpha must be above 0, got ${alpha}`);
  const transform = Object.hasOwn(transforms, distanceTransform) ? transforms[distanceTransform] : undefined;
  if (transform === undefined) {
    throw new OptionError(
      `distanceTransform: expected 'log1p', 'sqrt' or 'none', got ${String(distanceTransform)}`,
    );
  }
  switch (name) {
    case 'probiou':
      return (a, i, aTurns, b, j, bTurns) => {
        readPair(a, i, aTurns, b, j, bTurns, 1 / Math.sqrt(12));
        return probIou();
      };
    case 'gwd':
      return (a, i, aTurns, b, j, bTurns) => {
        readPair(a, i, aTurns, b, j, bTurns, 1 / 2, leastSide, largestSide);
        return 1 / (tau + transform(wassersteinDistance(alpha)));
      };
    case 'kld':
      return (a, i, aTurns, b, j, bTurns) => {
        readPair(a, i, aTurns, b, j, bTurns, 1 / 2, leastSide, largestSide);
        return 1 / (tau + transform(kullbackLeibler(alpha)));
      };
    case 'kfiou':
      return (a, i, aTurns, b, j, bTurns) => {
        readPair(a, i, aTurns, b, j, bTurns, 1 / 2, leastSide, largestSide);
        return kalmanOverlap();
      };
    default:
      throw new OptionError(
        `overlap: expected 'polygon', 'iof', 'probiou', 'gwd', 'kld' or 'kfiou', got ${String(name)}`,
      );
  }
}

const transforms: Readonly<Record<string, (distance: number) => number>> = {
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  none: (distance) => distance,
};

/** mmrotate keeps sides within these. */
const leastSide = 1e-7;
const largestSide = 1e7;

// The pair being compared: one at a time, so nothing is allocated. Standard deviations along and
// across: p, q of a, r, s of b.
let p = 0;
let q = 0;
let r = 0;
let s = 0;
/** Squares of the cosine and sine of the angle between them. */
let alike = 0;
let crossed = 0;
/** Centre of a less centre of b, along and across a, and along and across b. */
let aAlong = 0;
let aAcross = 0;
let bAlong = 0;
let bAcross = 0;

/** Sides, within limits, times `scale`. */
function readPair(
  a: BoxArray,
  i: number,
  aTurns: Float64Array,
  b: BoxArray,
  j: number,
  bTurns: Float64Array,
  scale: number,
  least = Number.NEGATIVE_INFINITY,
  largest = Number.POSITIVE_INFINITY,
): void {
  const k = 4 * i;
  const l = 4 * j;
  p = scale * Math.min(Math.max(a[k + 2]! - a[k]!, least), largest);
  q = scale * Math.min(Math.max(a[k + 3]! - a[k + 1]!, least), largest);
  r = scale * Math.min(Math.max(b[l + 2]! - b[l]!, least), largest);
  s = scale * Math.min(Math.max(b[l + 3]! - b[l + 1]!, least), largest);
  const dx = (a[k]! - b[l]! + (a[k + 2]! - b[l + 2]!)) / 2;
  const dy = (a[k + 1]! - b[l + 1]! + (a[k + 3]! - b[l + 3]!)) / 2;
  const aCos = aTurns[2 * i]!;
  const aSin = aTurns[2 * i + 1]!;
  const bCos = bTurns[2 * j]!;
  const bSin = bTurns[2 * j + 1]!;
  aAlong = dx * aCos + dy * aSin;
  aAcross = dy * aCos - dx * aSin;
  bAlong = dx * bCos + dy * bSin;
  bAcross = dy * bCos - dx * bSin;
  alike = (aCos * bCos + aSin * bSin) ** 2;
  crossed = (aSin * bCos - aCos * bSin) ** 2;
}

// With covariances P of a and T of b, everything below is a sum of squares: nothing cancels, whatever the aspect.

/** det (P + T). */
function sumDeterminant(): number {
  return (
    (p * q) ** 2 +
    (r * s) ** 2 +
    alike * ((p * s) ** 2 + (q * r) ** 2) +
    crossed * ((p * r) ** 2 + (q * s) ** 2)
  );
}

const eps = 1e-7;

function probIou(): number {
  const determinant = sumDeterminant();
  // The displacement under the adjugate of P + T.
  const apart =
    ((p * aAcross) ** 2 + (q * aAlong) ** 2 + (r * bAcross) ** 2 + (s * bAlong) ** 2) /
    (4 * (determinant + eps));
  const own = 4 * Math.abs(p * q * r * s);
  const shape = Math.log(determinant / (own + eps) + eps) / 2;
  const distance = Math.min(100, Math.max(eps, apart + shape));
  return 1 - Math.sqrt(1 - Math.exp(-distance) + eps);
}

/** Normalised by twice the eighth root of det P · det T, as mmrotate does. */
function wassersteinDistance(alpha: number): number {
  const common = p * q * r * s;
  const trace = alike * ((p * r) ** 2 + (q * s) ** 2) + crossed * ((p * s) ** 2 + (q * r) ** 2);
  const shapes = p * p + q * q + r * r + s * s - 2 * Math.sqrt(trace + 2 * common);
  const distance = Math.sqrt(Math.max(aAlong * aAlong + aAcross * aAcross + alpha * alpha * shapes, 0));
  return distance / (2 * Math.max(Math.sqrt(Math.sqrt(common)), eps));
}

function kullbackLeibler(alpha: number): number {
  const apart = ((aAlong / p) ** 2 + (aAcross / q) ** 2) / 2;
  const trace = (alike * ((r / p) ** 2 + (s / q) ** 2) + crossed * ((s / p) ** 2 + (r / q) ** 2)) / 2;
  const shapes = trace + Math.log((p * q) / (r * s)) - 1;
  return Math.sqrt(Math.max(apart / (alpha * alpha) + shapes, 0));
}

function kalmanOverlap(): number {
  // The product of the two Gaussians has the covariance P (P + T)⁻¹ T.
  const common = (4 * p * q * r * s) / Math.sqrt(sumDeterminant());
  return common / (4 * p * q + 4 * r * s - common + 1e-6);
}
