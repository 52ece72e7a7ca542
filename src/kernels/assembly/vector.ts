// float64 pairs: a constant in both lanes, and a step of Horner's scheme.

// @ts-ignore: decorator
@inline
export function constant(value: f64): v128 {
  return f64x2.splat(value);
}

// a·b + c
// @ts-ignore: decorator
@inline
export function step(a: v128, b: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(a, b), constant(c));
}
