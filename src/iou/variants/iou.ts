import { iouItself, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Intersection over union',
  paper: 'Jaccard 1912; torchvision.ops.box_iou',
};

/** Intersection over union: the Jaccard index. */
export const variant: Variant = {
  name: 'iou',
  symmetric: true,
  float32: true,
  formula: (terms) => terms.iou,
  minIou: iouItself,
};
