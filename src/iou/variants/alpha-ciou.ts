import { alphaDistance } from '../formula/alpha-distance.ts';
import { add, detach, mul, parameter, power, ratio, sub } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'α-CIoU',
  paper: 'He et al., NeurIPS 2021, arXiv 2110.13675; bbox_alpha_iou of its repository',
};

/** α-DIoU less (weight · v)^α; the weight uses the plain IoU and is not differentiated. */
export const variant: Variant = {
  name: 'alphaCiou',
  symmetric: true,
  parameters: { alpha: 3, powerEps: 1e-9 },
  formula: (terms) => {
    const eps = parameter('powerEps');
    const alpha = parameter('alpha');
    const v = terms.aspectDifference;
    const weight = ratio(v, add(sub(1, terms.iou), v, eps), 0);
    const aspect = power(add(mul(detach(weight), v), eps), alpha);
    return sub(power(add(terms.iou, eps), alpha), add(alphaDistance(terms), aspect));
  },
  minIou: noBound,
};
