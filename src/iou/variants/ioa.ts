import { ratio } from '../formula/expression.ts';
import { noBound, type Variant } from '../formula/variant.ts';

/** Intersection over the area of box b: how much of the target (the column) is covered. */
export const variant: Variant = {
  name: 'ioa',
  title: 'Intersection over area (of b)',
  paper: 'detectron2 pairwise_ioa; Ultralytics bbox_ioa',
  symmetric: false,
  formula: (terms) => ratio(terms.intersection, terms.guarded(terms.b.area), 0),
  minIou: noBound,
};
