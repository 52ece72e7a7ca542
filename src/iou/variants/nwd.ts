import { add, exp, mul, negate, parameter, ratio, sqrt, square } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Normalised Gaussian Wasserstein distance',
  paper: 'Wang et al. 2021, arXiv 2110.13389',
};

/** e^(−W/C), W the Wasserstein distance of the boxes as Gaussians: smooth also where tiny boxes do not overlap. */
export const variant: Variant = {
  name: 'nwd',
  symmetric: true,
  parameters: { constant: 12.8, distanceEps: 1e-7 },
  formula: (terms) => {
    const sizes = add(square(terms.widthDelta), square(terms.heightDelta));
    const squared = add(terms.centreDistanceSquared, parameter('distanceEps'), mul(0.25, sizes));
    return exp(negate(ratio(sqrt(squared), parameter('constant'), 0)));
  },
  minIou: noBound,
};
