// Generalised IoU and its gradient: the operations of the generated loop in src/iou in their
// order, so that a scale of 1 gives its digits.
import { highPair, lowPair, ratio, store, strange, total, unlessAbove, whereAbove } from './pair-gradient';
import { constant } from './vector';

export function giou(
  count: i32,
  a: usize,
  b: usize,
  values: usize,
  gradients: usize,
  factor: f64,
  heightGuard: f64,
  unionGuard: f64,
  unionLeast: f64,
  penaltyEnclosingGuard: f64,
  enclosingLeast: f64,
  penaltyUnionGuard: f64,
  enclosingGuard: f64,
): f64 {
  const zero = constant(0);
  const minusOne = constant(-1);
  const scale = constant(factor);
  const heightEps = constant(heightGuard);
  const unionFloor = constant(unionLeast);
  const enclosingFloor = constant(enclosingLeast);
  let sum = zero;
  let before = zero;
  let found = zero;
  for (let k = 0; k < count; k += 2) {
    const at = <usize>k << 4;
    const a0 = v128.load(a + at);
    const a1 = v128.load(a + at, 16);
    const b0 = v128.load(b + at);
    const b1 = v128.load(b + at, 16);
    found = f32x4.add(found, strange(a0, a1, b0, b1));
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
      unlessAbove(
        f64x2.sub(zero, ratio(f64x2.mul(emptyShare, minusOne), enclosing)),
        enclosingFloor,
        guardedEnclosing,
      ),
      unlessAbove(inverse, enclosingFloor, penaltyEnclosing),
    );
    const byUnion = f64x2.add(
      unlessAbove(f64x2.sub(zero, inverse), unionFloor, penaltyUnion),
      unlessAbove(f64x2.sub(zero, ratio(iou, union)), unionFloor, guarded),
    );
    const byIntersection = f64x2.sub(ratio(constant(1), union), byUnion);
    const byWidth = unlessAbove(f64x2.mul(height, byIntersection), zero, overlapX);
    const byHeight = unlessAbove(f64x2.mul(width, byIntersection), zero, overlapY);
    const outerX = f64x2.mul(enclosingHeight, byEnclosing);
    const outerY = f64x2.mul(enclosingWidth, byEnclosing);
    const areaX = f64x2.mul(aHeight, byUnion);
    const areaY = f64x2.mul(aWidth, byUnion);
    const gx1 = f64x2.sub(
      f64x2.sub(f64x2.sub(zero, whereAbove(outerX, bx1, ax1)), areaX),
      whereAbove(byWidth, ax1, bx1),
    );
    const gy1 = f64x2.sub(
      f64x2.sub(f64x2.sub(zero, whereAbove(outerY, by1, ay1)), areaY),
      whereAbove(byHeight, ay1, by1),
    );
    const gx2 = f64x2.add(f64x2.add(areaX, whereAbove(outerX, ax2, bx2)), whereAbove(byWidth, bx2, ax2));
    const gy2 = f64x2.add(f64x2.add(areaY, whereAbove(outerY, ay2, by2)), whereAbove(byHeight, by2, ay2));
    const similarity = f64x2.sub(iou, emptyShare);
    v128.store64_lane(values + (<usize>k << 2), f32x4.demote_f64x2_zero(similarity), 0);
    before = sum;
    sum = f64x2.add(sum, similarity);
    store(gradients + at, gx1, gy1, gx2, gy2, scale);
  }
  return total(sum, before, count, found);
}
