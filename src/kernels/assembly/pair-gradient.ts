// What GIoU and CIoU of aligned float32 pairs with the gradient by the first box share: float64, two pairs a step.
//
// `a` and `b` point to x1 y1 x2 y2 a pair; `values` gets the similarities, `gradients` the slopes times `scale`. Both give
// the sum of the similarities, or NaN where a coordinate is not finite or (CIoU) a side is negative or a height 0: then
// nothing they left behind counts. Of an odd count the last step reads one pair more and leaves it out of the sum.

import { constant } from './vector';

// n / d, 0 where d is 0.
// @ts-ignore: decorator
@inline
export function ratio(n: v128, d: v128): v128 {
  return v128.and(f64x2.div(n, d), f64x2.ne(d, constant(0)));
}

// x where a ≤ b, else 0.
// @ts-ignore: decorator
@inline
export function unlessAbove(x: v128, a: v128, b: v128): v128 {
  return v128.andnot(x, f64x2.gt(a, b));
}

// x where a > b, half of it where they are equal.
// @ts-ignore: decorator
@inline
export function whereAbove(x: v128, a: v128, b: v128): v128 {
  return f64x2.add(v128.and(f64x2.gt(a, b), x), v128.and(f64x2.eq(a, b), f64x2.mul(x, constant(0.5))));
}

// The first two, and the last two, of four float32 as float64.
// @ts-ignore: decorator
@inline
export function lowPair(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// @ts-ignore: decorator
@inline
export function highPair(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

// Not 0 (NaN) where one of the four vectors holds a number that is not finite.
// @ts-ignore: decorator
@inline
export function strange(a: v128, b: v128, c: v128, d: v128): v128 {
  const zero = f32x4.splat(0);
  return f32x4.add(
    f32x4.add(f32x4.mul(a, zero), f32x4.mul(b, zero)),
    f32x4.add(f32x4.mul(c, zero), f32x4.mul(d, zero)),
  );
}

// Sum of the lanes, of an odd count without the last of lane 1; NaN where something was found.
// @ts-ignore: decorator
@inline
export function total(sum: v128, before: v128, count: i32, found: v128): f64 {
  if (v128.any_true(f32x4.ne(found, f32x4.splat(0)))) return NaN;
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane((count & 1) != 0 ? before : sum, 1);
}

// Slopes of two pairs, times the scale: x1 x1' y1 y1' and x2 x2' y2 y2', then one box after the other.
// @ts-ignore: decorator
@inline
export function store(to: usize, x1: v128, y1: v128, x2: v128, y2: v128, scale: v128): void {
  const first = v128.shuffle<f64>(
    f32x4.demote_f64x2_zero(f64x2.mul(x1, scale)),
    f32x4.demote_f64x2_zero(f64x2.mul(y1, scale)),
    0,
    2,
  );
  const second = v128.shuffle<f64>(
    f32x4.demote_f64x2_zero(f64x2.mul(x2, scale)),
    f32x4.demote_f64x2_zero(f64x2.mul(y2, scale)),
    0,
    2,
  );
  v128.store(to, v128.shuffle<f32>(first, second, 0, 2, 4, 6));
  v128.store(to, v128.shuffle<f32>(first, second, 1, 3, 5, 7), 16);
}
