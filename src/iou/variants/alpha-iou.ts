import { add, parameter, power } from '../formula/expression.ts';
import { noBound, type Variant } from '../formula/variant.ts';

/** IoU to the power α: α > 1 weighs accurate boxes more. */
export const variant: Variant = {
  name: 'alphaIou',
  title: 'α-IoU',
  paper: 'He et al., NeurIPS 2021, arXiv 2110.13675',
  symmetric: true,
  parameters: { alpha: 3, powerEps: 1e-9 },
  formula: (terms) => power(add(terms.iou, parameter('powerEps')), parameter('alpha')),
  minIou: noBound,
};
