import {
  abs,
  add,
  type Expression,
  exp,
  label,
  max,
  mul,
  negate,
  power,
  ratio,
  square,
  sub,
} from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

/** 1 − e^(−|difference| / the larger), to the fourth power. */
function shapeCost(difference: Expression, of: Expression, and: Expression): Expression {
  return power(sub(1, exp(negate(ratio(abs(difference), max(of, and), 0)))), 4);
}

export const source: VariantSource = {
  title: 'SCYLLA-IoU',
  paper: 'Gevorgyan 2022, arXiv 2205.12740',
};

/**
 * IoU less half of a distance cost, steeper the nearer the direction between centres is to an axis, and a shape cost.
 *
 * The angle term sin 2α is 2|Δx||Δy| / ρ², no trigonometry; 0 where the centres coincide (YOLOv6 has NaN there). The
 * distance cost has the paper's sign: mmdetection's default (`neg_gamma=False`) rewards distance and is not followed.
 */
export const variant: Variant = {
  name: 'siou',
  symmetric: true,
  formula: (terms) => {
    const { a, b, guards } = terms;
    const { centreEps = 0, extentFloor } = guards;
    const offsetX = sub(terms.centreDeltaX, centreEps);
    const offsetY = sub(terms.centreDeltaY, centreEps);
    const angleCost = label(
      'angleCost',
      mul(2, ratio(mul(abs(offsetX), abs(offsetY)), add(square(offsetX), square(offsetY)), 0)),
    );
    const steepness = sub(angleCost, 2);
    const along = (offset: Expression, extent: Expression): Expression => {
      const divisor = extentFloor === undefined ? extent : max(extent, extentFloor);
      return sub(1, exp(mul(steepness, square(ratio(offset, divisor, 0)))));
    };
    const distanceCost = add(along(offsetX, terms.enclosingWidth), along(offsetY, terms.enclosingHeight));
    const shape = add(
      shapeCost(terms.widthDelta, a.width, b.width),
      shapeCost(terms.heightDelta, a.shapeHeight, b.shapeHeight),
    );
    return terms.clamped(sub(terms.iou, mul(0.5, add(distanceCost, shape))));
  },
  minIou: neverAboveIou,
};
