import { alphaDistance } from '../formula/alpha-distance.ts';
import { add, parameter, power, sub } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'α-DIoU',
  paper: 'He et al., NeurIPS 2021, arXiv 2110.13675; bbox_alpha_iou of its repository',
};

/** IoU^α less the centre distance's share with every length to the power 2α. */
export const variant: Variant = {
  name: 'alphaDiou',
  symmetric: true,
  parameters: { alpha: 3, powerEps: 1e-9 },
  formula: (terms) =>
    sub(power(add(terms.iou, parameter('powerEps')), parameter('alpha')), alphaDistance(terms)),
  minIou: noBound,
};
