import { cornerPenalty } from '../formula/corner-penalty.ts';
import { add, exp, mul, negate, parameter, square, sub } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Powerful-IoU v2 (box b is the target)',
  paper: 'Liu et al., Neural Networks 170, 2024',
};

/** 1 less the v1 loss weighted by 3x·e^(−x²), x = λ·e^(−P): attention to boxes of middling quality. Not detached. */
export const variant: Variant = {
  name: 'piou2',
  symmetric: false,
  parameters: { lambda: 1.3 },
  formula: (terms) => {
    const penalty = cornerPenalty(terms);
    const loss = add(sub(1, terms.iou), sub(1, exp(negate(square(penalty)))));
    const x = mul(parameter('lambda'), exp(negate(penalty)));
    return sub(1, mul(3, x, exp(negate(square(x))), loss));
  },
  minIou: noBound,
};
