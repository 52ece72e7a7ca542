/** Functions that generated code and the evaluator share. */

/** atan(width / height); ±π/2 where only the height is 0, and 0 where both are (torch has NaN there). */
export function aspectAngle(width: number, height: number): number {
  if (height === 0) return width === 0 ? 0 : (Math.sign(width) * Math.PI) / 2;
  return Math.atan(width / height);
}

/** base^exponent of base ≥ 0: 0 where base is 0 or below, or 1 for an exponent ≤ 0. */
export function power(base: number, exponent: number): number {
  if (base > 0) return Math.exp(exponent * Math.log(base));
  return exponent > 0 ? 0 : 1;
}
