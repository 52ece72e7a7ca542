import { ratio } from '../formula/expression.ts';
import { noBound, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Intersection over foreground (area of a)',
  paper: "mmdetection bbox_overlaps(mode='iof')",
  float32: true,
};

/** Intersection over the area of box a: how much of the prediction (the foreground, the row) is covered. */
export const variant: Variant = {
  name: 'iof',
  symmetric: false,
  formula: (terms) => ratio(terms.intersection, terms.guarded(terms.a.area), 0),
  minIou: noBound,
};
