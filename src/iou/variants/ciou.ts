import { add, detach, mul, ratio, select, sub } from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Complete IoU',
  paper: 'Zheng et al., AAAI 2020, Eq. 8–11, arXiv 1911.08287',
  float32: true,
};

/** DIoU less α·v, v the squared difference of the boxes' aspect angles; α is a weight, not differentiated. */
export const variant: Variant = {
  name: 'ciou',
  symmetric: true,
  formula: (terms) => {
    const { alphaEps = 0, alphaGate } = terms.guards;
    const v = terms.aspectDifference;
    const weight = ratio(v, add(sub(1, terms.iou), v, alphaEps), 0);
    const alpha = alphaGate === undefined ? weight : select(terms.iou, alphaGate, weight, 0);
    return terms.clamped(sub(terms.iou, add(terms.centreShare, mul(detach(alpha), v))));
  },
  minIou: neverAboveIou,
};
