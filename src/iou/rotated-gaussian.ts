/**
 * Rotated boxes as Gaussians: what two of them have in common, and ProbIoU. A box becomes a Gaussian about its centre;
 * ProbIoU gives it the variances w²/12 and h²/12 along and across, the uniform density's. All in float64.
 */
import type { BoxArray } from '../boxes/types.ts';

/**
 * Similarity of box i of a (the prediction) and box j of b (the target). Turns are the cosine and sine of each box's angle
 * as it turns clockwise on the screen.
 */
export type RotatedSimilarity = (
  a: BoxArray,
  i: number,
  aTurns: Float64Array,
  b: BoxArray,
  j: number,
  bTurns: Float64Array,
) => number;

/** Two Gaussians: all that a similarity needs of them. */
export interface GaussianPair {
  /** Standard deviations of a along and across. */
  p: number;
  q: number;
  /** Those of b. */
  r: number;
  s: number;
  /** Squares of the cosine and sine of the angle between them. */
  alike: number;
  crossed: number;
  /** Centre of a less centre of b, along and across a, and along and across b. */
  aAlong: number;
  aAcross: number;
  bAlong: number;
  bAcross: number;
}

/** A pair to read into, again and again. */
export function newPair(): GaussianPair {
  return {
    p: 0.5,
    q: 0.5,
    r: 0.5,
    s: 0.5,
    alike: 0.5,
    crossed: 0.5,
    aAlong: 0.5,
    aAcross: 0.5,
    bAlong: 0.5,
    bAcross: 0.5,
  };
}

/** Reads a pair; the deviations are the sides, within limits, times `scale`. */
export function readPair(
  into: GaussianPair,
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
  const aCos = aTurns[2 * i]!;
  const aSin = aTurns[2 * i + 1]!;
  const bCos = bTurns[2 * j]!;
  const bSin = bTurns[2 * j + 1]!;
  const dx = (a[k]! - b[l]! + (a[k + 2]! - b[l + 2]!)) / 2;
  const dy = (a[k + 1]! - b[l + 1]! + (a[k + 3]! - b[l + 3]!)) / 2;
  into.p = scale * Math.min(Math.max(a[k + 2]! - a[k]!, least), largest);
  into.q = scale * Math.min(Math.max(a[k + 3]! - a[k + 1]!, least), largest);
  into.r = scale * Math.min(Math.max(b[l + 2]! - b[l]!, least), largest);
  into.s = scale * Math.min(Math.max(b[l + 3]! - b[l + 1]!, least), largest);
  into.alike = (aCos * bCos + aSin * bSin) ** 2;
  into.crossed = (aSin * bCos - aCos * bSin) ** 2;
  into.aAlong = dx * aCos + dy * aSin;
  into.aAcross = dy * aCos - dx * aSin;
  into.bAlong = dx * bCos + dy * bSin;
  into.bAcross = dy * bCos - dx * bSin;
}

/** Determinant of the sum of both covariances: a sum of squares, in which nothing cancels whatever the aspect. */
export function sumDeterminant({ p, q, r, s, alike, crossed }: GaussianPair): number {
  return (
    (p * q) ** 2 +
    (r * s) ** 2 +
    alike * ((p * s) ** 2 + (q * r) ** 2) +
    crossed * ((p * r) ** 2 + (q * s) ** 2)
  );
}

const pair = newPair();
const deviation = 1 / Math.sqrt(12);
const eps = 1e-7;

/** ProbIoU, 1 − Hellinger distance (Murrugarra-Llerena et al., arXiv 2106.06072), with Ultralytics' eps. */
export const probIou: RotatedSimilarity = (a, i, aTurns, b, j, bTurns) => {
  readPair(pair, a, i, aTurns, b, j, bTurns, deviation);
  const { p, q, r, s, aAlong, aAcross, bAlong, bAcross } = pair;
  const determinant = sumDeterminant(pair);
  // The displacement under the adjugate of the sum of the covariances.
  const apart =
    ((p * aAcross) ** 2 + (q * aAlong) ** 2 + (r * bAcross) ** 2 + (s * bAlong) ** 2) /
    (4 * (determinant + eps));
  const own = 4 * Math.abs(p * q * r * s);
  const shape = Math.log(determinant / (own + eps) + eps) / 2;
  const distance = Math.min(100, Math.max(eps, apart + shape));
  return 1 - Math.sqrt(1 - Math.exp(-distance) + eps);
};
