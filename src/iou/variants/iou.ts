import { iouItself, type Variant } from '../formula/variant.ts';

/** Intersection over union: the Jaccard index. */
export const variant: Variant = {
  name: 'iou',
  title: 'Intersection over union',
  paper: 'Jaccard 1912; torchvision.ops.box_iou',
  symmetric: true,
  float32: true,
  formula: (terms) => terms.iou,
  minIou: iouItself,
};
