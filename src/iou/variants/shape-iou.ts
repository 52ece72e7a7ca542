import {
  abs,
  add,
  type Expression,
  exp,
  max,
  mul,
  negate,
  parameter,
  power,
  ratio,
  square,
  sub,
} from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Shape-IoU (box b is the target)',
  paper: 'Zhang and Zhang 2023, arXiv 2312.17663',
};

/** IoU less a centre distance and a shape cost that the target's own shape weighs; `scale` 0 weighs both axes alike. */
export const variant: Variant = {
  name: 'shapeIou',
  symmetric: false,
  parameters: { scale: 0 },
  formula: (terms) => {
    const { a, b } = terms;
    const width = power(b.width, parameter('scale'));
    const height = power(b.height, parameter('scale'));
    const wide = ratio(mul(2, width), add(width, height), 1);
    const tall = ratio(mul(2, height), add(width, height), 1);
    const distance = ratio(
      add(mul(tall, square(terms.centreDeltaX)), mul(wide, square(terms.centreDeltaY))),
      terms.diagonalSquared,
      0,
    );
    const cost = (weight: Expression, difference: Expression, of: Expression, and: Expression): Expression =>
      power(sub(1, exp(negate(mul(weight, ratio(abs(difference), max(of, and), 0))))), 4);
    const shape = add(
      cost(tall, terms.widthDelta, a.width, b.width),
      cost(wide, terms.heightDelta, a.height, b.height),
    );
    return sub(terms.iou, add(distance, mul(0.5, shape)));
  },
  minIou: neverAboveIou,
};
