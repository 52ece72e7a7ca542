/** Functions that generated code and the evaluator share. */

/** atan(width / height); ±π/2 where only the height is 0, and 0 where both are (torch has NaN there). */
export function aspectAngle(width: number, height: number): number {
  if (height === 0) return width === 0 ? 0 : (Math.sign(width) * Math.PI) / 2;
  return Math.atan(width / height);
}
