import { iouItself, type Variant, type VariantSource } from '../formula/variant.ts';

export const source: VariantSource = {
  title: 'Intersection over union',
  paper: 'Jaccard 1912; torchvision.ops.box_iou',
  float32: true,
};

/** Intersection over union: the Jaccard index. */
export const variant: Variant = {
  name: 'iou',
  symmetric: true,
  formula: (terms) => terms.iou,
  minIou: iouItself,
};
