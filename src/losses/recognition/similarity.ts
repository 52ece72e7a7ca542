/** Losses of each anchor over its cosines with all others of a batch: SupCon, multi-similarity, circle. */
import { closeLoss, expectFinite, type FloatArray, type LossResult, openLoss } from '../common.ts';
import type { PairLossOptions } from './contrastive.ts';
import { expectLabels, type PairMatrix, pairGradient, pairMatrix } from './pairs.ts';

/** Runs `anchor` for every row of the cosine matrix; it returns the row's cost and fills its slopes, or skips it. */
function overAnchors(
  name: string,
  features: FloatArray,
  labels: ArrayLike<number>,
  options: PairLossOptions,
  anchor: (i: number, pairs: PairMatrix, slopes: Float64Array) => number | undefined,
  divideBy: 'all' | 'counted',
): LossResult {
  expectFinite(name, ['features', features]);
  const pairs = pairMatrix(features, options.dimensions, 'cosine', true);
  const { count } = pairs;
  expectLabels(labels, count);
  const H = new Float64Array(count * count);
  const costs = new Float64Array(count);
  let counted = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const cost = anchor(i, pairs, H.subarray(i * count, (i + 1) * count));
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
  return overAnchors(
    'supervisedContrastiveLoss',
    features,
    labels,
    options,
    (i, { count, values }, slopes) => {
      let positives = 0;
      let largest = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < count; j++) {
        if (j === i) continue;
        if (labels[j] === labels[i]) positives++;
        largest = Math.max(largest, values[i * count + j]! / temperature);
      }
      if (positives === 0) return undefined;
      let total = 0;
      for (let j = 0; j < count; j++)
        if (j !== i) total += Math.exp(values[i * count + j]! / temperature - largest);
      let cost = 0;
      for (let j = 0; j < count; j++) {
        if (j === i) continue;
        const logit = values[i * count + j]! / temperature - largest;
        const probability = Math.exp(logit) / total;
        const positive = labels[j] === labels[i] ? 1 / positives : 0;
        if (positive > 0) cost -= positive * (logit - Math.log(total));
        slopes[j] = (factor * (probability - positive)) / temperature;
      }
      return factor * cost;
    },
    'counted',
  );
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
  return overAnchors(
    'multiSimilarityLoss',
    features,
    labels,
    options,
    (i, { count, values }, slopes) => {
      let hardestNegative = Number.NEGATIVE_INFINITY;
      let hardestPositive = Number.POSITIVE_INFINITY;
      for (let j = 0; j < count; j++) {
        if (j === i) continue;
        const s = values[i * count + j]!;
        if (labels[j] === labels[i]) hardestPositive = Math.min(hardestPositive, s);
        else hardestNegative = Math.max(hardestNegative, s);
      }
      let positives = 0;
      let negatives = 0;
      for (let pass = 0; pass < 2; pass++) {
        for (let j = 0; j < count; j++) {
          if (j === i) continue;
          const s = values[i * count + j]!;
          const same = labels[j] === labels[i];
          if (minerEpsilon !== null) {
            if (same ? s - minerEpsilon >= hardestNegative : s + minerEpsilon <= hardestPositive) continue;
          }
          const e = Math.exp(same ? -alpha * (s - base) : beta * (s - base));
          if (pass === 1) slopes[j] = same ? -e / (1 + positives) : e / (1 + negatives);
          else if (same) positives += e;
          else negatives += e;
        }
      }
      return Math.log1p(positives) / alpha + Math.log1p(negatives) / beta;
    },
    'all',
  );
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
    (i, { count, values }, slopes) => {
      const logit = (j: number): number => {
        const s = values[i * count + j]!;
        return labels[j] === labels[i]
          ? -gamma * Math.max(0, 1 + margin - s) * (s - 1 + margin)
          : gamma * Math.max(0, s + margin) * (s - margin);
      };
      let largestP = Number.NEGATIVE_INFINITY;
      let largestN = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < count; j++) {
        if (j === i) continue;
        if (labels[j] === labels[i]) largestP = Math.max(largestP, logit(j));
        else largestN = Math.max(largestN, logit(j));
      }
      if (largestP === Number.NEGATIVE_INFINITY || largestN === Number.NEGATIVE_INFINITY) return undefined;
      let sumP = 0;
      let sumN = 0;
      for (let j = 0; j < count; j++) {
        if (j === i) continue;
        if (labels[j] === labels[i]) sumP += Math.exp(logit(j) - largestP);
        else sumN += Math.exp(logit(j) - largestN);
      }
      const total = largestP + Math.log(sumP) + largestN + Math.log(sumN);
      const outer = total > 0 ? 1 / (1 + Math.exp(-total)) : Math.exp(total) / (1 + Math.exp(total));
      for (let j = 0; j < count; j++) {
        if (j === i) continue;
        const s = values[i * count + j]!;
        const same = labels[j] === labels[i];
        const share = Math.exp(logit(j) - (same ? largestP : largestN)) / (same ? sumP : sumN);
        slopes[j] =
          outer * share * (same ? -gamma * Math.max(0, 1 + margin - s) : gamma * Math.max(0, s + margin));
      }
      return Math.max(total, 0) + Math.log1p(Math.exp(-Math.abs(total)));
    },
    'counted',
  );
}
