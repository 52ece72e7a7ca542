import { add, parameter, power, ratio, sub } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'α-GIoU',
  paper: 'He et al., NeurIPS 2021, arXiv 2110.13675; bbox_alpha_iou of its repository',
};

/** IoU^α less the empty share of the enclosing box to the power α. */
export const variant: Variant = {
  name: 'alphaGiou',
  symmetric: true,
  parameters: { alpha: 3, powerEps: 1e-9 },
  formula: (terms) => {
    const eps = parameter('powerEps');
    const alpha = parameter('alpha');
    const outside = add(terms.emptyArea, eps);
    const empty = ratio(outside, add(terms.union, outside), 0);
    return sub(power(add(terms.iou, eps), alpha), power(add(empty, eps), alpha));
  },
  minIou: noBound,
};
