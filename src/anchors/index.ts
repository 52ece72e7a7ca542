/**
 * Prior boxes of every common detector, and anchor sizes fitted to a dataset.
 *
 * Generators give {@link Anchors}: boxes in columns and the grids they lie on, which matching exploits.
 */
export { type Detectron2AnchorOptions, detectron2Anchors, detectron2RetinaNetAnchors } from './detectron2.ts';
export { type EfficientDetAnchorOptions, efficientDetAnchors } from './efficientdet.ts';
export {
  type EvolveOptions,
  evolveAnchors,
  type FitAnchorsOptions,
  type FittedAnchors,
  fitAnchors,
} from './evolve.ts';
export { blazeFacePriors, retinaFacePriors, ultraFacePriors } from './faces.ts';
export { type AnchorFit, type AnchorFitOptions, anchorFit } from './fit.ts';
export { gridAnchors, type LevelSpec } from './grid.ts';
export { type KmeansOptions, kmeansAnchors } from './kmeans.ts';
export {
  type MmdetectionAnchorOptions,
  type MmdetectionSsdOptions,
  mmdetectionAnchors,
  mmdetectionSsdAnchors,
} from './mmdetection.ts';
export { type PointPriorOptions, pointPriors } from './points.ts';
export { type Random, seededRandom } from './random.ts';
export { type DefaultBoxOptions, ssd300DefaultBoxes, ssdDefaultBoxes } from './ssd.ts';
export {
  type TorchvisionAnchorOptions,
  torchvisionAnchors,
  torchvisionFcosAnchors,
  torchvisionRetinaNetAnchors,
  torchvisionRpnAnchors,
} from './torchvision.ts';
export type { AnchorImage, AnchorLevel, Anchors, RetinaNetAnchorOptions } from './types.ts';
export { type YoloAnchorOptions, yoloAnchorSizes, yoloAnchors } from './yolo.ts';
