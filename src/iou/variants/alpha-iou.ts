import { add, parameter, power } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'α-IoU',
  paper: 'He et al., NeurIPS 2021, arXiv 2110.13675',
};

/** IoU to the power α: α > 1 weighs accurate boxes more. */
export const variant: Variant = {
  name: 'alphaIou',
  symmetric: true,
  parameters: { alpha: 3, powerEps: 1e-9 },
  formula: (terms) => power(add(terms.iou, parameter('powerEps')), parameter('alpha')),
  minIou: noBound,
};
