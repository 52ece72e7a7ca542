/** Two Gaussians in one dimension, fitted by expectation maximisation as scikit-learn's `GaussianMixture` does. */

export interface GaussianPair {
  /** Component of each value: 0 or 1, the first at a tie. */
  readonly components: Uint8Array<ArrayBuffer>;
  /** Log-likelihood of each value under the mixture. */
  readonly logLikelihoods: Float64Array<ArrayBuffer>;
  readonly means: readonly [number, number];
  readonly variances: readonly [number, number];
  readonly weights: readonly [number, number];
}

const tolerance = 1e-3;
const iterations = 100;
/** Added to variances (`reg_covar`). */
const regularisation = 1e-6;
/** Keeps an empty component from dividing by 0. */
const tiny = 10 * 2 ** -52;

/**
 * Fits from means at the smallest and largest value, weights of one half and precisions of 1; stops when the mean
 * log-likelihood changes by less than 1e-3, after 100 steps at most.
 *
 * Source: Dempster et al. 1977; scikit-learn `GaussianMixture(2, covariance_type='diag', reg_covar=1e-6)`.
 */
export function fitGaussianPair(values: ArrayLike<number>): GaussianPair {
  const n = values.length;
  const means: [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < n; i++) {
    means[0] = Math.min(means[0], values[i]!);
    means[1] = Math.max(means[1], values[i]!);
  }
  const variances: [number, number] = [1, 1];
  const weights: [number, number] = [0.5, 0.5];
  const responsibilities = new Float64Array(2 * n);
  const logLikelihoods = new Float64Array(n);
  let bound = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < iterations; step++) {
    const previous = bound;
    bound = expect(values, means, variances, weights, responsibilities, logLikelihoods);
    maximise(values, means, variances, weights, responsibilities);
    if (Math.abs(bound - previous) < tolerance) break;
  }
  expect(values, means, variances, weights, responsibilities, logLikelihoods);
  const components = new Uint8Array(n);
  for (let i = 0; i < n; i++) components[i] = responsibilities[2 * i + 1]! > responsibilities[2 * i]! ? 1 : 0;
  return { components, logLikelihoods, means, variances, weights };
}

/** How much each component answers for each value; returns the mean log-likelihood. */
function expect(
  values: ArrayLike<number>,
  means: readonly [number, number],
  variances: readonly [number, number],
  weights: readonly [number, number],
  responsibilities: Float64Array,
  logLikelihoods: Float64Array,
): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const a = logDensity(values[i]!, means[0], variances[0]) + Math.log(weights[0]);
    const b = logDensity(values[i]!, means[1], variances[1]) + Math.log(weights[1]);
    const high = Math.max(a, b);
    const total = high + Math.log(Math.exp(a - high) + Math.exp(b - high));
    logLikelihoods[i] = total;
    responsibilities[2 * i] = Math.exp(a - total);
    responsibilities[2 * i + 1] = Math.exp(b - total);
    sum += total;
  }
  return sum / values.length;
}

function maximise(
  values: ArrayLike<number>,
  means: [number, number],
  variances: [number, number],
  weights: [number, number],
  responsibilities: Float64Array,
): void {
  const counts: [number, number] = [tiny, tiny];
  for (const k of [0, 1] as const) {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const r = responsibilities[2 * i + k]!;
      counts[k] += r;
      sum += r * values[i]!;
    }
    means[k] = sum / counts[k];
    for (let i = 0; i < values.length; i++) {
      squares += responsibilities[2 * i + k]! * (values[i]! - means[k]) ** 2;
    }
    variances[k] = squares / counts[k] + regularisation;
  }
  weights[0] = counts[0] / (counts[0] + counts[1]);
  weights[1] = counts[1] / (counts[0] + counts[1]);
}

function logDensity(x: number, mean: number, variance: number): number {
  return -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance);
}
