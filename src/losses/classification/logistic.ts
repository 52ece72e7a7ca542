/**
 * The logistic pieces every sigmoid loss is made of, stable for logits of ±100 and beyond.
 *
 * With e = exp(−|x|): σ(|x|) = 1/(1+e), and softplus(−|x|) = ln(1+e), so that one exponential and one logarithm give
 * both the probability and the cross-entropy.
 */

/** Binary cross-entropy of logit x and target t: max(x, 0) − x·t + ln(1 + e^−|x|). */
export function binaryCrossEntropy(x: number, t: number): number {
  return (x > 0 ? x : 0) - x * t + Math.log1p(Math.exp(x > 0 ? -x : x));
}

/** 1/(1 + e^−x) without overflow. */
export function sigmoid(x: number): number {
  const e = Math.exp(x > 0 ? -x : x);
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/** base^exponent for base ≥ 0, with the small whole exponents losses use done by multiplication. */
export function power(base: number, exponent: number): number {
  if (exponent === 2) return base * base;
  if (exponent === 1) return base;
  if (exponent === 0) return 1;
  return base ** exponent;
}

/** d(base^exponent)/d base; 0 at base 0 for exponents below 1, where the slope is infinite but its factor vanishes. */
export function powerSlope(base: number, exponent: number): number {
  if (exponent === 2) return 2 * base;
  if (exponent === 1) return 1;
  if (exponent === 0) return 0;
  return base === 0 ? 0 : exponent * base ** (exponent - 1);
}
