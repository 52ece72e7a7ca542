// Sigmoid focal loss with exponent 2, in float64 two elements a step, as the loop of src/losses computes it but with its own
// exponential and logarithm (both to a unit in the last place or two).
import { allocate, allocateFrom } from './memory';
import { constant, step } from './vector';

let logitsIn: usize = 0;
let targetsIn: usize = 0;
let gradients: usize = 0;

// Lays out `count` elements; returns where the logits go. Targets and gradients follow.
export function begin(count: i32): usize {
  allocateFrom((__heap_base + 15) & ~(<usize>15));
  logitsIn = allocate(<usize>count << 2);
  targetsIn = allocate(<usize>count << 2);
  gradients = allocate(<usize>count << 2);
  return logitsIn;
}

export function targets(): usize {
  return targetsIn;
}

export function gradient(): usize {
  return gradients;
}

// e^x for x ≤ 0: 2^n·e^r with |r| ≤ ln 2 / 2, its series to r^13.
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  const bounded = f64x2.pmax(x, constant(-708));
  const n = f64x2.nearest(f64x2.mul(bounded, constant(1.4426950408889634)));
  // ln 2 in two parts, the first with trailing zeros, so that n times it is exact
  const r = f64x2.sub(
    f64x2.sub(bounded, f64x2.mul(n, constant(0.6931471803691238))),
    f64x2.mul(n, constant(1.9082149292705877e-10)),
  );
  let sum = constant(1.6059043836821613e-10);
  sum = step(sum, r, 2.08767569878681e-9);
  sum = step(sum, r, 2.505210838544172e-8);
  sum = step(sum, r, 2.755731922398589e-7);
  sum = step(sum, r, 2.7557319223985893e-6);
  sum = step(sum, r, 2.48015873015873e-5);
  sum = step(sum, r, 0.0001984126984126984);
  sum = step(sum, r, 0.001388888888888889);
  sum = step(sum, r, 0.008333333333333333);
  sum = step(sum, r, 0.041666666666666664);
  sum = step(sum, r, 0.16666666666666666);
  sum = step(sum, r, 0.5);
  sum = step(sum, r, 1);
  sum = step(sum, r, 1);
  const power = i64x2.shl(i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(n)), 52);
  return i64x2.add(sum, power);
}

// ln(1 + e) for 0 ≤ e ≤ 1: 2·artanh(e/(2 + e)), its series to the 33rd power.
// @ts-ignore: decorator
@inline
function logarithm(e: v128): v128 {
  const z = f64x2.div(e, f64x2.add(constant(2), e));
  const square = f64x2.mul(z, z);
  let sum = constant(1.0 / 33);
  sum = step(sum, square, 1.0 / 31);
  sum = step(sum, square, 1.0 / 29);
  sum = step(sum, square, 1.0 / 27);
  sum = step(sum, square, 1.0 / 25);
  sum = step(sum, square, 1.0 / 23);
  sum = step(sum, square, 1.0 / 21);
  sum = step(sum, square, 1.0 / 19);
  sum = step(sum, square, 1.0 / 17);
  sum = step(sum, square, 1.0 / 15);
  sum = step(sum, square, 1.0 / 13);
  sum = step(sum, square, 1.0 / 11);
  sum = step(sum, square, 1.0 / 9);
  sum = step(sum, square, 1.0 / 7);
  sum = step(sum, square, 1.0 / 5);
  sum = step(sum, square, 1.0 / 3);
  sum = step(sum, square, 1);
  return f64x2.mul(f64x2.add(z, z), sum);
}

// Sum of the terms of `count` elements, an even number; their gradients, times `scale`, are left behind.
export function focal(count: i32, positive: f64, negative: f64, scale: f64): f64 {
  const one = constant(1);
  const zero = constant(0);
  let sum = zero;
  const end = logitsIn + (<usize>count << 2);
  let target = targetsIn;
  let to = gradients;
  for (let from = logitsIn; from < end; from += 8) {
    const x = f64x2.promote_low_f32x4(v128.load64_zero(from));
    const t = f64x2.promote_low_f32x4(v128.load64_zero(target));
    const above = f64x2.gt(x, zero);
    const e = exponential(f64x2.neg(f64x2.abs(x)));
    const large = f64x2.div(one, f64x2.add(one, e));
    const small = f64x2.mul(e, large);
    const p = v128.bitselect(large, small, above);
    const q = v128.bitselect(small, large, above);
    const rest = f64x2.sub(one, t);
    const crossEntropy = f64x2.add(f64x2.sub(f64x2.pmax(zero, x), f64x2.mul(x, t)), logarithm(e));
    const miss = f64x2.add(f64x2.mul(p, rest), f64x2.mul(q, t));
    const modulation = f64x2.mul(miss, miss);
    const missSlope = f64x2.mul(f64x2.mul(f64x2.sub(rest, t), p), q);
    const factor = f64x2.add(f64x2.mul(constant(positive), t), f64x2.mul(constant(negative), rest));
    sum = f64x2.add(sum, f64x2.mul(f64x2.mul(modulation, crossEntropy), factor));
    const slope = f64x2.add(
      f64x2.mul(modulation, f64x2.sub(p, t)),
      f64x2.mul(f64x2.mul(f64x2.add(miss, miss), missSlope), crossEntropy),
    );
    const scaled = f64x2.mul(f64x2.mul(slope, factor), constant(scale));
    v128.store64_lane(to, f32x4.demote_f64x2_zero(scaled), 0);
    target += 8;
    to += 8;
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
