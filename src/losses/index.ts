export * from './classification/cross-entropy.ts';
export * from './classification/gaussian-focal.ts';
export * from './classification/quality.ts';
export * from './classification/seesaw.ts';
export * from './classification/sigmoid-focal.ts';
export {
  type FloatArray,
  type LossOptions,
  type LossResult,
  lossNormalizer,
  type Reduction,
} from './common.ts';
export * from './gradient-harmony.ts';
export type { DetectorLoss } from './recipes/common.ts';
export * from './recipes/detr.ts';
export * from './recipes/fcos.ts';
export * from './recipes/retinanet.ts';
export * from './recipes/ssd.ts';
export * from './recipes/yolov5.ts';
export * from './recipes/yolov8.ts';
export * from './recipes/yolox.ts';
export * from './recognition/ada-face.ts';
export * from './recognition/center.ts';
export * from './recognition/contrastive.ts';
export * from './recognition/margin-losses.ts';
export type { MarginSoftmaxOptions, MarginSoftmaxResult } from './recognition/margin-softmax.ts';
export type { ArcFallback } from './recognition/margins.ts';
export { sphereFacePsi } from './recognition/margins.ts';
export * from './recognition/partial-fc.ts';
export * from './recognition/similarity.ts';
export * from './recognition/sub-center.ts';
export * from './recognition/triplet.ts';
export * from './regression/bounded-iou.ts';
export * from './regression/elementwise.ts';
export * from './regression/focal-eiou.ts';
export { type IouLossOptions, type IouTransform, iouLoss } from './regression/iou-loss.ts';
export * from './regression/wise-iou.ts';
