/** Losses of each anchor over its cosines with all others of a batch: SupCon, multi-similarity, circle. */
import { binaryCrossEntropy, sigmoid } from '../classification/logistic.ts';
import { closeLoss, expectFinite, type FloatArray, type LossResult, openLoss } from '../common.ts';
import type { PairLossOptions } from './contrastive.ts';
import { expectLabels, pairGradient, pairMatrix } from './pairs.ts';

/**
 * Cost of an anchor from its row of cosines and the places of its positives and negatives; fills its row of slopes.
 * Undefined: it does not count.
 */
type Anchor = (
  cosines: Float64Array,
  positives: readonly number[],
  negatives: readonly number[],
  slopes: Float64Array,
) => number | undefined;

function overAnchors(
  name: string,
  features: FloatArray,
  labels: ArrayLike<number>,
  options: PairLossOptions,
  divideBy: 'all' | 'counted',
  anchor: Anchor,
): LossResult {
  expectFinite(name, ['features', features]);
  const pairs = pairMatrix(features, options.dimensions, 'cosine', true);
  const { count, values } = pairs;
  expectLabels(labels, count);
  const H = new Float64Array(count * count);
  const costs = new Float64Array(count);
  let counted = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const positives: number[] = [];
    const negatives: number[] = [];
    for (let j = 0; j < count; j++) if (j !== i) (labels[j] === labels[i] ? positives : negatives).push(j);
    const row = (matrix: Float64Array): Float64Array => matrix.subarray(i * count, (i + 1) * count);
    const cost = anchor(row(values), positives, negatives, row(H));
    if (cost === undefined) continue;
    counted++;
    costs[i] = cost;
    sum += cost;
  }
  const { gradient, scale } = openLoss(features, divideBy === 'all' ? count : counted, options);
  for (let i = 0; i < H.length; i++) H[i]! *= scale;
  pairGradient(pairs, H, options.dimensions, gradient);
  const terms = options.reduction === 'none' ? costs : undefined;
  return closeLoss(name, sum, { gradient, terms, scale });
}

export interface SupConOptions extends PairLossOptions {
  /** Default 0.07. */
  readonly temperature?: number;
  /** Default 0.07. */
  readonly baseTemperature?: number;
}

/**
 * Supervised contrastive loss: −(T/T₀)·mean over positives p of ln softmax of cos/T over all others.
 *
 * Features are normalised. An anchor without positives counts for nothing (the original gives NaN there), and a mean
 * divides by the anchors that have some. Source: Khosla et al., NeurIPS 2020, Eq. 2 (L_out).
 */
export function supervisedContrastiveLoss(
  features: FloatArray,
  labels: ArrayLike<number>,
  options: SupConOptions,
): LossResult {
  const { temperature = 0.07, baseTemperature = 0.07 } = options;
  const factor = temperature / baseTemperature;
  const name = 'supervisedContrastiveLoss';
  return overAnchors(name, features, labels, options, 'counted', (cosines, positives, negatives, slopes) => {
    if (positives.length === 0) return undefined;
    const others = [...positives, ...negatives];
    const logit = (j: number): number => cosines[j]! / temperature;
    const largest = others.reduce((most, j) => Math.max(most, logit(j)), Number.NEGATIVE_INFINITY);
    let total = 0;
    for (const j of others) total += slopes[j] = Math.exp(logit(j) - largest);
    for (const j of others) slopes[j]! *= factor / temperature / total;
    let cost = 0;
    for (const j of positives) {
      cost += largest + Math.log(total) - logit(j);
      slopes[j]! -= factor / temperature / positives.length;
    }
    return (factor * cost) / positives.length;
  });
}

export interface MultiSimilarityOptions extends PairLossOptions {
  /** Default 2. */
  readonly alpha?: number;
  /** Default 50. */
  readonly beta?: number;
  /** λ, the similarity that divides. Default 0.5. */
  readonly base?: number;
  /** Keeps positives below the hardest negative + ε and negatives above the hardest positive − ε; null takes all. Default 0.1. */
  readonly minerEpsilon?: number | null;
}

/**
 * (1/α)·ln(1 + Σ_p e^(−α(s − λ))) + (1/β)·ln(1 + Σ_n e^(β(s − λ))) an anchor, mean over all anchors.
 *
 * Source: Wang et al., "Multi-Similarity Loss", CVPR 2019, Eq. 15; the miner is its Eq. 11–12.
 */
export function multiSimilarityLoss(
  features: FloatArray,
  labels: ArrayLike<number>,
  options: MultiSimilarityOptions,
): LossResult {
  const { alpha = 2, beta = 50, base = 0.5, minerEpsilon = 0.1 } = options;
  const name = 'multiSimilarityLoss';
  return overAnchors(name, features, labels, options, 'all', (cosines, positives, negatives, slopes) => {
    // (1/k)·ln(1 + Σ e^(±k(s − λ))) over those a hard one of the other kind is near to
    const side = (own: readonly number[], others: readonly number[], k: number, way: 1 | -1): number => {
      const hardest = others.reduce(
        (most, j) => Math.max(most, -way * cosines[j]!),
        Number.NEGATIVE_INFINITY,
      );
      const kept = own.filter((j) => minerEpsilon === null || -way * cosines[j]! - minerEpsilon < hardest);
      let total = 0;
      for (const j of kept) total += slopes[j] = Math.exp(way * k * (cosines[j]! - base));
      for (const j of kept) slopes[j]! *= way / (1 + total);
      return Math.log1p(total) / k;
    };
    return side(positives, negatives, alpha, -1) + side(negatives, positives, beta, 1);
  });
}

export interface CircleOptions extends PairLossOptions {
  /** Relaxation m. Default 0.4. */
  readonly margin?: number;
  /** γ. Default 80. */
  readonly gamma?: number;
}

/**
 * softplus(lse_n γ·α_n(s_n − m) + lse_p −γ·α_p(s_p − 1 + m)) an anchor; α_p = max(0, 1 + m − s_p), α_n = max(0, s_n + m),
 * detached. Anchors without positives or negatives count for nothing; a mean divides by the others.
 *
 * Source: Sun et al., "Circle Loss", CVPR 2020, Eq. 8.
 */
export function circleLoss(
  features: FloatArray,
  labels: ArrayLike<number>,
  options: CircleOptions,
): LossResult {
  const { margin = 0.4, gamma = 80 } = options;
  return overAnchors(
    'circleLoss',
    features,
    labels,
    options,
    'counted',
    (cosines, positives, negatives, slopes) => {
      if (positives.length === 0 || negatives.length === 0) return undefined;
      // ln Σ e^(γ·α·(s − Δ)), α growing with the distance from the optimum
      const side = (own: readonly number[], way: 1 | -1, optimum: number, delta: number): number => {
        const pull = (j: number): number => way * gamma * Math.max(0, way * (cosines[j]! - optimum));
        const logit = (j: number): number => pull(j) * (cosines[j]! - delta);
        const largest = own.reduce((most, j) => Math.max(most, logit(j)), Number.NEGATIVE_INFINITY);
        let total = 0;
        for (const j of own) total += slopes[j] = Math.exp(logit(j) - largest);
        for (const j of own) slopes[j]! *= pull(j) / total;
        return largest + Math.log(total);
      };
      const total = side(positives, -1, 1 + margin, 1 - margin) + side(negatives, 1, -margin, margin);
      const outer = sigmoid(total);
      for (let j = 0; j < slopes.length; j++) slopes[j]! *= outer;
      return binaryCrossEntropy(total, 0); // softplus
    },
  );
}
