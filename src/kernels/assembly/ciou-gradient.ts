// Complete IoU and its gradient, with an arctangent of its own.
import { highPair, lowPair, ratio, store, total, unlessAbove, whereAbove } from './pair-gradient';
import { constant } from './vector';

// P of atan(t) = t·P(t²) on 0–1, interpolating at Chebyshev's nodes, lowest power first; relative error below 3·10⁻⁹.
const table = memory.data<f64>([
  0.9999999971605456, -0.3333327629198268, 0.19998075281152253, -0.1426001608287739, 0.10932341501666483,
  -0.08349724969419603, 0.05708955594836933, -0.030351864801225547, 0.010487649261317912, -0.0017011700649783952,
]);

// Two neighbours of the table: c_k + c_(k+1)·u.
// @ts-ignore: decorator
@inline
function pair(u: v128, k: usize): v128 {
  return f64x2.add(v128.load64_splat(table + (k << 3)), f64x2.mul(u, v128.load64_splat(table + ((k + 1) << 3))));
}

// atan(y / x) of x > 0, the powers of t² in pairs, so that they do not wait for one another.
// @ts-ignore: decorator
@inline
function arctangent(y: v128, x: v128): v128 {
  const size = f64x2.abs(y);
  const t = f64x2.div(f64x2.pmin(size, x), f64x2.pmax(size, x));
  const u = f64x2.mul(t, t);
  const u2 = f64x2.mul(u, u);
  const u4 = f64x2.mul(u2, u2);
  const low = f64x2.add(pair(u, 0), f64x2.mul(u2, pair(u, 2)));
  const middle = f64x2.add(pair(u, 4), f64x2.mul(u2, pair(u, 6)));
  const sum = f64x2.add(low, f64x2.mul(u4, f64x2.add(middle, f64x2.mul(u4, pair(u, 8)))));
  const angle = f64x2.mul(t, sum);
  const whole = v128.bitselect(
    f64x2.sub(constant(1.5707963267948966), angle),
    angle,
    f64x2.gt(size, x),
  );
  return v128.or(whole, v128.and(y, constant(-0.0)));
}

// The generated loop's formula with one division where it has several, and both aspect angles in one arctangent:
// atan(w/h) − atan(w'/h') = atan((w·h' − w'·h) / (h·h' + w·w')) of sides ≥ 0 and heights > 0.
export function ciou(
  count: i32,
  a: usize,
  b: usize,
  values: usize,
  gradients: usize,
  factor: f64,
  heightGuard: f64,
  unionGuard: f64,
  unionLeast: f64,
  diagonalGuard: f64,
  alphaGate: f64,
  shapeHeightGuard: f64,
  alphaGuard: f64,
  lowest: f64,
  highest: f64,
): f64 {
  const zero = constant(0);
  const one = constant(1);
  const scale = constant(factor);
  const heightEps = constant(heightGuard);
  const shapeEps = constant(shapeHeightGuard);
  const unionFloor = constant(unionLeast);
  const least = constant(lowest);
  const most = constant(highest);
  let sum = zero;
  let before = zero;
  let narrowest = one;
  let lowestHeight = one;
  for (let k = 0; k < count; k += 2) {
    const at = <usize>k << 4;
    const a0 = v128.load(a + at);
    const a1 = v128.load(a + at, 16);
    const b0 = v128.load(b + at);
    const b1 = v128.load(b + at, 16);
    const aLow = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5);
    const aHigh = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
    const bLow = v128.shuffle<f32>(b0, b1, 0, 4, 1, 5);
    const bHigh = v128.shuffle<f32>(b0, b1, 2, 6, 3, 7);
    const ax1 = lowPair(aLow);
    const ay1 = highPair(aLow);
    const ax2 = lowPair(aHigh);
    const ay2 = highPair(aHigh);
    const bx1 = lowPair(bLow);
    const by1 = highPair(bLow);
    const bx2 = lowPair(bHigh);
    const by2 = highPair(bHigh);
    const overlapX = f64x2.sub(f64x2.pmin(ax2, bx2), f64x2.pmax(ax1, bx1));
    const overlapY = f64x2.sub(f64x2.pmin(ay2, by2), f64x2.pmax(ay1, by1));
    const width = f64x2.pmax(zero, overlapX);
    const height = f64x2.pmax(zero, overlapY);
    const intersection = f64x2.mul(width, height);
    const aWidth = f64x2.sub(ax2, ax1);
    const bWidth = f64x2.sub(bx2, bx1);
    const aSide = f64x2.sub(ay2, ay1);
    const bSide = f64x2.sub(by2, by1);
    const aHeight = f64x2.add(aSide, heightEps);
    const bHeight = f64x2.add(bSide, heightEps);
    const unionArea = f64x2.sub(
      f64x2.add(f64x2.mul(aWidth, aHeight), f64x2.mul(bWidth, bHeight)),
      intersection,
    );
    const guarded = f64x2.add(unionArea, constant(unionGuard));
    const perUnion = ratio(one, f64x2.pmax(guarded, unionFloor));
    const iou = f64x2.mul(intersection, perUnion);
    // twice the way between the centres
    const centreX = f64x2.add(f64x2.sub(ax1, bx1), f64x2.sub(ax2, bx2));
    const centreY = f64x2.add(f64x2.sub(ay1, by1), f64x2.sub(ay2, by2));
    const enclosingWidth = f64x2.sub(f64x2.pmax(ax2, bx2), f64x2.pmin(ax1, bx1));
    const enclosingHeight = f64x2.sub(f64x2.pmax(ay2, by2), f64x2.pmin(ay1, by1));
    const diagonal = f64x2.add(
      f64x2.add(f64x2.mul(enclosingWidth, enclosingWidth), f64x2.mul(enclosingHeight, enclosingHeight)),
      constant(diagonalGuard),
    );
    const halfPerDiagonal = ratio(constant(0.5), diagonal);
    const halfShare = f64x2.mul(
      f64x2.mul(f64x2.add(f64x2.mul(centreX, centreX), f64x2.mul(centreY, centreY)), constant(0.25)),
      halfPerDiagonal,
    );
    // aspect ratios
    const aTall = f64x2.add(aHeight, shapeEps);
    const bTall = f64x2.add(bHeight, shapeEps);
    narrowest = f64x2.pmin(narrowest, f64x2.pmin(aWidth, bWidth));
    lowestHeight = f64x2.pmin(lowestHeight, f64x2.pmin(aTall, bTall));
    const difference = arctangent(
      f64x2.sub(f64x2.mul(bWidth, aTall), f64x2.mul(aWidth, bTall)),
      f64x2.add(f64x2.mul(bTall, aTall), f64x2.mul(bWidth, aWidth)),
    );
    const weighted = f64x2.mul(difference, constant(0.4052847345693511)); // 4/π²
    const aspect = f64x2.mul(weighted, difference);
    const rest = f64x2.add(f64x2.add(aspect, f64x2.sub(one, iou)), constant(alphaGuard));
    const square = f64x2.add(f64x2.mul(aWidth, aWidth), f64x2.mul(aTall, aTall));
    // alpha = aspect / rest, and its slope is divided by the square: one division for both
    const alphaPerSquare = v128.and(
      ratio(aspect, f64x2.mul(rest, square)),
      f64x2.gt(iou, constant(alphaGate)),
    );
    const alpha = f64x2.mul(alphaPerSquare, square);
    const raw = f64x2.sub(iou, f64x2.add(f64x2.add(halfShare, halfShare), f64x2.mul(aspect, alpha)));
    const floored = f64x2.pmax(raw, least);
    const clipped = v128.or(f64x2.gt(floored, most), f64x2.gt(least, raw));
    let passing = scale;
    if (v128.any_true(clipped)) passing = v128.andnot(scale, clipped);
    // slopes
    const byDiagonal = f64x2.mul(f64x2.mul(halfShare, halfPerDiagonal), constant(8));
    const outerX = f64x2.mul(enclosingWidth, byDiagonal);
    const outerY = f64x2.mul(enclosingHeight, byDiagonal);
    const centreSlopeX = f64x2.mul(centreX, halfPerDiagonal);
    const centreSlopeY = f64x2.mul(centreY, halfPerDiagonal);
    const byAngle = f64x2.mul(f64x2.add(weighted, weighted), alphaPerSquare);
    const byUnion = unlessAbove(f64x2.mul(iou, perUnion), unionFloor, guarded); // negated
    const byIntersection = f64x2.add(perUnion, byUnion);
    const sizeX = f64x2.sub(f64x2.mul(byAngle, aTall), f64x2.mul(aHeight, byUnion));
    const sizeY = f64x2.add(f64x2.mul(byAngle, aWidth), f64x2.mul(aWidth, byUnion)); // negated
    // an edge outside moves the enclosing box, one inside the intersection
    const byWidth = unlessAbove(f64x2.mul(height, byIntersection), zero, overlapX);
    const byHeight = unlessAbove(f64x2.mul(width, byIntersection), zero, overlapY);
    const differX = f64x2.sub(outerX, byWidth);
    const differY = f64x2.sub(outerY, byHeight);
    store(
      gradients + at,
      f64x2.sub(zero, f64x2.add(f64x2.add(f64x2.add(byWidth, whereAbove(differX, bx1, ax1)), centreSlopeX), sizeX)),
      f64x2.sub(sizeY, f64x2.add(f64x2.add(byHeight, whereAbove(differY, by1, ay1)), centreSlopeY)),
      f64x2.add(f64x2.add(byWidth, whereAbove(differX, ax2, bx2)), f64x2.sub(sizeX, centreSlopeX)),
      f64x2.sub(f64x2.add(byHeight, whereAbove(differY, ay2, by2)), f64x2.add(sizeY, centreSlopeY)),
      passing,
    );
    const similarity = f64x2.pmin(floored, most);
    v128.store64_lane(values + (<usize>k << 2), f32x4.demote_f64x2_zero(similarity), 0);
    before = sum;
    sum = f64x2.add(sum, similarity);
  }
  if (v128.any_true(v128.or(f64x2.lt(narrowest, zero), f64x2.le(lowestHeight, zero)))) return NaN;
  // a coordinate that is not finite makes its share of the centres, and with it the sum, NaN
  return total(sum, before, count, zero);
}
