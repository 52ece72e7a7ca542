import { sub } from '../formula/expression.ts';
import { neverAboveIou, type Variant } from '../formula/variant.ts';

/** IoU less the squared centre distance over the squared enclosing diagonal. */
export const variant: Variant = {
  name: 'diou',
  title: 'Distance IoU',
  paper: 'Zheng et al., AAAI 2020, Eq. 7, arXiv 1911.08287',
  symmetric: true,
  float32: true,
  formula: (terms) => sub(terms.iou, terms.centreShare),
  minIou: neverAboveIou,
};
