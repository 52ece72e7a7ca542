/**
 * What a margin does to the cosine of the true class, and its slope.
 *
 * A rule sees one row of cosines at a time and changes logits and slopes in place; they come in as the cosines
 * themselves and as ones. It returns d(target logit)/d‖f‖ for the rules whose margin depends on the feature's length.
 */

import { choiceOption } from '../../options.ts';

export interface MarginRow {
  readonly label: number;
  /** Length of the feature before normalisation. */
  readonly norm: number;
  readonly logits: Float64Array;
  /** d logit / d cosine, an entry a class. */
  readonly slopes: Float64Array;
}

export type MarginRule = (row: MarginRow) => number;

/** sin θ from below: at θ = 0 or π the slope of cos(θ + m) is infinite, and is taken at sin θ = 10⁻⁶ instead. */
function sineOf(cosine: number): number {
  return Math.max(Math.sqrt(Math.max(0, 1 - cosine * cosine)), 1e-6);
}

const clampCosine = (cosine: number): number => Math.min(1, Math.max(-1, cosine));

/** cosθ − m. */
export function additiveCosine(margin: number): MarginRule {
  return ({ label, logits }) => {
    logits[label]! -= margin;
    return 0;
  };
}

/** How ArcFace goes on beyond θ + m = π, where cos(θ + m) would rise again. */
export type ArcFallback = 'linear' | 'easy' | 'none';

/** cos(θ + m); the fallbacks are cosθ − m·sin m beyond π − m, cosθ for cosθ ≤ 0, or nothing. */
export function additiveAngle(margin: number, fallback: ArcFallback, straightThrough: boolean): MarginRule {
  choiceOption('fallback', fallback, ['linear', 'easy', 'none']);
  const cosM = Math.cos(margin);
  const sinM = Math.sin(margin);
  return ({ label, logits, slopes }) => {
    const cosine = clampCosine(logits[label]!);
    if (fallback === 'linear' && cosine <= -cosM) {
      logits[label] = cosine - margin * sinM;
      return 0;
    }
    if (fallback === 'easy' && cosine <= 0) return 0;
    const sine = Math.sqrt(Math.max(0, 1 - cosine * cosine));
    logits[label] = cosine * cosM - sine * sinM;
    slopes[label] = straightThrough ? 1 : cosM + (cosine * sinM) / sineOf(cosine);
    return 0;
  };
}

/** cos(m1·θ + m2) − m3, without any fallback. */
export function combined(m1: number, m2: number, m3: number): MarginRule {
  return ({ label, logits, slopes }) => {
    const cosine = clampCosine(logits[label]!);
    const angle = m1 * Math.acos(cosine) + m2;
    logits[label] = Math.cos(angle) - m3;
    slopes[label] = m1 === 1 && m2 === 0 ? 1 : (m1 * Math.sin(angle)) / sineOf(cosine);
    return 0;
  };
}

/** ψ(θ) = (−1)^k·cos(mθ) − 2k, k = ⌊mθ/π⌋: decreasing from 1 to 1 − 2m over 0 … π. */
export function sphereFacePsi(theta: number, m: number): number {
  const k = Math.min(Math.floor((m * theta) / Math.PI), m - 1);
  return (k % 2 === 0 ? 1 : -1) * Math.cos(m * theta) - 2 * k;
}

/** (λ·cosθ + ψ(θ))/(1 + λ); k is constant between its steps, where ψ has no kink either. */
export function multiplicativeAngle(m: number, lambda: number): MarginRule {
  return ({ label, logits, slopes }) => {
    const cosine = clampCosine(logits[label]!);
    const theta = Math.acos(cosine);
    const k = Math.min(Math.floor((m * theta) / Math.PI), m - 1);
    const slope = ((k % 2 === 0 ? m : -m) * Math.sin(m * theta)) / sineOf(cosine);
    logits[label] = (lambda * cosine + sphereFacePsi(theta, m)) / (1 + lambda);
    slopes[label] = (lambda + slope) / (1 + lambda);
    return 0;
  };
}

/**
 * AdaFace: angle −m·k and cosine m + m·k, where k tells how the feature's length stands among its batch (detached).
 */
export function adaptive(margin: number, qualityOf: (norm: number) => number, eps: number): MarginRule {
  return ({ label, norm, logits, slopes }) => {
    const k = qualityOf(norm);
    const cosine = clampCosine(logits[label]!);
    const angle = Math.acos(cosine) - margin * k;
    const clipped = Math.min(Math.max(angle, eps), Math.PI - eps);
    logits[label] = Math.cos(clipped) - (margin + margin * k);
    slopes[label] = clipped === angle ? Math.sin(angle) / sineOf(cosine) : 0;
    return 0;
  };
}

export interface MagMargins {
  readonly lowerNorm: number;
  readonly upperNorm: number;
  readonly lowerMargin: number;
  readonly upperMargin: number;
  readonly easy: boolean;
}

/** MagFace: cos(θ + m(a)), m linear in the feature's length a between its bounds; a receives gradient. */
export function magnitudeAware({
  lowerNorm,
  upperNorm,
  lowerMargin,
  upperMargin,
  easy,
}: MagMargins): MarginRule {
  const rise = (upperMargin - lowerMargin) / (upperNorm - lowerNorm);
  return ({ label, norm, logits, slopes }) => {
    const a = Math.min(Math.max(norm, lowerNorm), upperNorm);
    const margin = rise * (a - lowerNorm) + lowerMargin;
    const cosine = clampCosine(logits[label]!);
    const beyond = easy ? cosine <= 0 : cosine <= -Math.cos(margin);
    const free = norm > lowerNorm && norm < upperNorm ? rise : 0;
    if (beyond) {
      if (easy) return 0;
      logits[label] = cosine - margin * Math.sin(margin);
      return -free * (Math.sin(margin) + margin * Math.cos(margin));
    }
    const theta = Math.acos(cosine);
    logits[label] = Math.cos(theta + margin);
    slopes[label] = Math.sin(theta + margin) / sineOf(cosine);
    return -free * Math.sin(theta + margin);
  };
}

/** CurricularFace: the target as ArcFace; classes harder than it become cosθ·(t + cosθ), t detached. */
export function curricular(margin: number, t: number): MarginRule {
  const target = additiveAngle(margin, 'linear', false);
  return (row) => {
    const { label, logits, slopes } = row;
    const own = clampCosine(logits[label]!);
    const withMargin = Math.cos(Math.acos(own) + margin);
    for (let j = 0; j < logits.length; j++) {
      const cosine = logits[j]!;
      if (j !== label && cosine > withMargin) {
        logits[j] = cosine * (t + cosine);
        slopes[j] = t + 2 * cosine;
      }
    }
    return target(row);
  };
}
