import { add, type Expression, parameter, ratio, square, sub } from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Minimum-point-distance IoU (needs the image size)',
  paper: 'Ma and Xu 2023, arXiv 2307.07662',
  needsParameters: true,
};

/** IoU less the squared distances of the top-left and of the bottom-right corners over the image's squared diagonal. */
export const variant: Variant = {
  name: 'mpdiou',
  symmetric: true,
  parameters: { imageDiagonalSquared: Number.NaN },
  formula: (terms) => {
    const { a, b } = terms;
    const share = (dx: Expression, dy: Expression): Expression =>
      ratio(add(square(dx), square(dy)), parameter('imageDiagonalSquared'), 0);
    return sub(
      terms.iou,
      add(share(sub(a.x1, b.x1), sub(a.y1, b.y1)), share(sub(a.x2, b.x2), sub(a.y2, b.y2))),
    );
  },
  minIou: neverAboveIou,
};
