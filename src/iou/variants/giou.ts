import { sub } from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Generalised IoU',
  paper: 'Rezatofighi et al., CVPR 2019, Algorithm 1, arXiv 1902.09630',
  float32: true,
};

/** IoU less the share of the enclosing box that neither box covers: tells near misses from far ones. */
export const variant: Variant = {
  name: 'giou',
  symmetric: true,
  formula: (terms) => sub(terms.iou, terms.emptyShare),
  minIou: neverAboveIou,
};
