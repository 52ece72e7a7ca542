import { add, ratio, square, sub } from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: "Efficient IoU (not mmdetection's eiou_loss, which is Extended IoU)",
  paper: 'Zhang et al., Neurocomputing 2022, Eq. 7, arXiv 2101.08158',
};

/** DIoU less the squared differences of widths and heights over the enclosing width and height. */
export const variant: Variant = {
  name: 'eiou',
  symmetric: true,
  formula: (terms) =>
    sub(
      terms.iou,
      add(
        terms.centreShare,
        ratio(square(terms.widthDelta), terms.guardedSquare(terms.enclosingWidth), 0),
        ratio(square(terms.heightDelta), terms.guardedSquare(terms.enclosingHeight), 0),
      ),
    ),
  minIou: neverAboveIou,
};
