// Sigmoid focal loss with exponent 2, in float64 two elements a step, as the loop of src/losses computes it but with its own
// exponential and logarithm (both to a unit in the last place or two).
import { allocate, allocateFrom } from './memory';

let logitsIn: usize = 0;
let targetsIn: usize = 0;
let gradients: usize = 0;
let similarities: usize = 0;

// Lays out `count` elements; returns where the logits go. Targets and gradients follow.
export function begin(count: i32): usize {
  allocateFrom((__heap_base + 15) & ~(<usize>15));
  logitsIn = allocate(<usize>count << 2);
  targetsIn = allocate(<usize>count << 2);
  gradients = allocate(<usize>count << 2);
  similarities = allocate(<usize>count);
  return logitsIn;
}

export function targets(): usize {
  return targetsIn;
}

export function gradient(): usize {
  return gradients;
}

// One a pair of boxes.
export function values(): usize {
  return similarities;
}

// @ts-ignore: decorator
@inline
function constant(value: f64): v128 {
  return f64x2.splat(value);
}

// a·b + c
// @ts-ignore: decorator
@inline
function step(a: v128, b: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(a, b), constant(c));
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

// n / d, 0 where d is 0.
// @ts-ignore: decorator
@inline
function ratio(n: v128, d: v128): v128 {
  return v128.and(f64x2.div(n, d), f64x2.ne(d, constant(0)));
}

// 0 where a > b, else 1.
// @ts-ignore: decorator
@inline
function notAbove(a: v128, b: v128): v128 {
  return v128.andnot(constant(1), f64x2.gt(a, b));
}

// 1 where a > b, a half where they are equal.
// @ts-ignore: decorator
@inline
function above(a: v128, b: v128): v128 {
  return f64x2.add(v128.and(f64x2.gt(a, b), constant(1)), v128.and(f64x2.eq(a, b), constant(0.5)));
}

// Generalised IoU of `count` pairs, an even number, and its gradient by the first box: the operations of the generated loop
// in src/iou in their order, two pairs at a time. Boxes of a lie where logits go, boxes of b where targets go.
export function giou(
  count: i32,
  heightGuard: f64,
  unionGuard: f64,
  unionLeast: f64,
  penaltyEnclosingGuard: f64,
  enclosingLeast: f64,
  penaltyUnionGuard: f64,
  enclosingGuard: f64,
): void {
  const zero = constant(0);
  const minusOne = constant(-1);
  const heightEps = constant(heightGuard);
  const unionFloor = constant(unionLeast);
  const enclosingFloor = constant(enclosingLeast);
  for (let k = 0; k < count; k += 2) {
    const at = <usize>k << 4;
    const a0 = v128.load(logitsIn + at);
    const a1 = v128.load(logitsIn + at, 16);
    const b0 = v128.load(targetsIn + at);
    const b1 = v128.load(targetsIn + at, 16);
    const ax1 = f64x2.promote_low_f32x4(v128.shuffle<f32>(a0, a1, 0, 4, 0, 4));
    const ay1 = f64x2.promote_low_f32x4(v128.shuffle<f32>(a0, a1, 1, 5, 1, 5));
    const ax2 = f64x2.promote_low_f32x4(v128.shuffle<f32>(a0, a1, 2, 6, 2, 6));
    const ay2 = f64x2.promote_low_f32x4(v128.shuffle<f32>(a0, a1, 3, 7, 3, 7));
    const bx1 = f64x2.promote_low_f32x4(v128.shuffle<f32>(b0, b1, 0, 4, 0, 4));
    const by1 = f64x2.promote_low_f32x4(v128.shuffle<f32>(b0, b1, 1, 5, 1, 5));
    const bx2 = f64x2.promote_low_f32x4(v128.shuffle<f32>(b0, b1, 2, 6, 2, 6));
    const by2 = f64x2.promote_low_f32x4(v128.shuffle<f32>(b0, b1, 3, 7, 3, 7));
    const overlapX = f64x2.sub(f64x2.pmin(ax2, bx2), f64x2.pmax(ax1, bx1));
    const overlapY = f64x2.sub(f64x2.pmin(ay2, by2), f64x2.pmax(ay1, by1));
    const width = f64x2.pmax(zero, overlapX);
    const height = f64x2.pmax(zero, overlapY);
    const intersection = f64x2.mul(width, height);
    const aWidth = f64x2.sub(ax2, ax1);
    const aHeight = f64x2.add(f64x2.sub(ay2, ay1), heightEps);
    const bArea = f64x2.mul(f64x2.sub(bx2, bx1), f64x2.add(heightEps, f64x2.sub(by2, by1)));
    const unionArea = f64x2.sub(f64x2.add(f64x2.mul(aWidth, aHeight), bArea), intersection);
    const guarded = f64x2.add(unionArea, constant(unionGuard));
    const union = f64x2.pmax(guarded, unionFloor);
    const iou = ratio(intersection, union);
    const enclosingWidth = f64x2.sub(f64x2.pmax(ax2, bx2), f64x2.pmin(ax1, bx1));
    const enclosingHeight = f64x2.sub(f64x2.pmax(ay2, by2), f64x2.pmin(ay1, by1));
    const enclosingArea = f64x2.mul(enclosingWidth, enclosingHeight);
    const penaltyEnclosing = f64x2.add(enclosingArea, constant(penaltyEnclosingGuard));
    const penaltyUnion = f64x2.add(unionArea, constant(penaltyUnionGuard));
    const guardedEnclosing = f64x2.add(enclosingArea, constant(enclosingGuard));
    const enclosing = f64x2.pmax(enclosingFloor, guardedEnclosing);
    const emptyShare = ratio(
      f64x2.sub(f64x2.pmax(penaltyEnclosing, enclosingFloor), f64x2.pmax(unionFloor, penaltyUnion)),
      enclosing,
    );
    const inverse = ratio(minusOne, enclosing);
    const byEnclosing = f64x2.add(
      f64x2.mul(
        f64x2.sub(zero, ratio(f64x2.mul(emptyShare, minusOne), enclosing)),
        notAbove(enclosingFloor, guardedEnclosing),
      ),
      f64x2.mul(inverse, notAbove(enclosingFloor, penaltyEnclosing)),
    );
    const byUnion = f64x2.add(
      f64x2.mul(f64x2.sub(zero, inverse), notAbove(unionFloor, penaltyUnion)),
      f64x2.mul(f64x2.sub(zero, ratio(iou, union)), notAbove(unionFloor, guarded)),
    );
    const byIntersection = f64x2.sub(ratio(constant(1), union), byUnion);
    const byWidth = f64x2.mul(f64x2.mul(height, byIntersection), notAbove(zero, overlapX));
    const byHeight = f64x2.mul(f64x2.mul(width, byIntersection), notAbove(zero, overlapY));
    const outerX = f64x2.mul(enclosingHeight, byEnclosing);
    const outerY = f64x2.mul(enclosingWidth, byEnclosing);
    const areaX = f64x2.mul(aHeight, byUnion);
    const areaY = f64x2.mul(aWidth, byUnion);
    const gx1 = f64x2.sub(
      f64x2.sub(f64x2.sub(zero, f64x2.mul(outerX, above(bx1, ax1))), areaX),
      f64x2.mul(byWidth, above(ax1, bx1)),
    );
    const gy1 = f64x2.sub(
      f64x2.sub(f64x2.sub(zero, f64x2.mul(outerY, above(by1, ay1))), areaY),
      f64x2.mul(byHeight, above(ay1, by1)),
    );
    const gx2 = f64x2.add(
      f64x2.add(areaX, f64x2.mul(outerX, above(ax2, bx2))),
      f64x2.mul(byWidth, above(bx2, ax2)),
    );
    const gy2 = f64x2.add(
      f64x2.add(areaY, f64x2.mul(outerY, above(ay2, by2))),
      f64x2.mul(byHeight, above(by2, ay2)),
    );
    v128.store64_lane(
      similarities + (<usize>k << 2),
      f32x4.demote_f64x2_zero(f64x2.sub(iou, emptyShare)),
      0,
    );
    // x1 x1' y1 y1' and x2 x2' y2 y2', then one box after the other
    const first = v128.shuffle<f64>(f32x4.demote_f64x2_zero(gx1), f32x4.demote_f64x2_zero(gy1), 0, 2);
    const second = v128.shuffle<f64>(f32x4.demote_f64x2_zero(gx2), f32x4.demote_f64x2_zero(gy2), 0, 2);
    v128.store(gradients + at, v128.shuffle<f32>(first, second, 0, 2, 4, 6));
    v128.store(gradients + at, v128.shuffle<f32>(first, second, 1, 3, 5, 7), 16);
  }
}
