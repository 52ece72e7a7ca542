import { min, ratio } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Intersection over the smaller area',
  paper: 'supervision box_iou_batch(OverlapMetric.IOS); SAHI',
  float32: true,
};

/** Intersection over the smaller area: 1 when one box lies inside the other. */
export const variant: Variant = {
  name: 'ios',
  symmetric: true,
  formula: (terms) => ratio(terms.intersection, terms.guarded(min(terms.a.area, terms.b.area)), 0),
  minIou: noBound,
};
