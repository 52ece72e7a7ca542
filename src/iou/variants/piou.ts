import { cornerPenalty } from '../formula/corner-penalty.ts';
import { exp, negate, square, sub } from '../formula/expression.ts';
import { neverAboveIou, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Powerful-IoU v1 (box b is the target)',
  paper: 'Liu et al., Neural Networks 170, 2024',
};

/** IoU less 1 − e^(−P²), P the edges' mean distance over the target's size. */
export const variant: Variant = {
  name: 'piou',
  symmetric: false,
  formula: (terms) => sub(terms.iou, sub(1, exp(negate(square(cornerPenalty(terms)))))),
  minIou: neverAboveIou,
};
