import { sub } from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Distance IoU',
  paper: 'Zheng et al., AAAI 2020, Eq. 7, arXiv 1911.08287',
  float32: true,
};

/** IoU less the squared centre distance over the squared enclosing diagonal. */
export const variant: Variant = {
  name: 'diou',
  symmetric: true,
  formula: (terms) => sub(terms.iou, terms.centreShare),
  minIou: neverAboveIou,
};
