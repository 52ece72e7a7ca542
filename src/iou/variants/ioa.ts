import { ratio } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Intersection over area (of b)',
  paper: 'detectron2 pairwise_ioa; Ultralytics bbox_ioa',
};

/** Intersection over the area of box b: how much of the target (the column) is covered. */
export const variant: Variant = {
  name: 'ioa',
  symmetric: false,
  formula: (terms) => ratio(terms.intersection, terms.guarded(terms.b.area), 0),
  minIou: noBound,
};
