import { min, ratio } from '../formula/expression.ts';
import { noBound, type Variant } from '../formula/variant.ts';

/** Intersection over the smaller area: 1 when one box lies inside the other. */
export const variant: Variant = {
  name: 'ios',
  title: 'Intersection over the smaller area',
  paper: 'supervision box_iou_batch(OverlapMetric.IOS); SAHI',
  symmetric: true,
  float32: true,
  formula: (terms) => ratio(terms.intersection, terms.guarded(min(terms.a.area, terms.b.area)), 0),
  minIou: noBound,
};
