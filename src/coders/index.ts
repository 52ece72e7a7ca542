export { type DeltaCoderOptions, deltaCoder, deltaPresets } from './delta.ts';
export { type DistanceCoderOptions, distanceCoder, distancePresets } from './distance.ts';
export {
  type BinTargets,
  type DistributionCoder,
  type DistributionCoderOptions,
  distributionCoder,
} from './distribution.ts';
export {
  type RotatedCoder,
  type RotatedCoderOptions,
  rotatedDeltaCoder,
  rotatedDeltaPresets,
} from './rotated.ts';
export type { RotatedBoxes } from './rotated-boxes.ts';
export { type RotatedDistanceCoder, rotatedDistanceCoder } from './rotated-distance.ts';
export { type TblrCoderOptions, tblrCoder } from './tblr.ts';
export type { BoxCoder } from './types.ts';
export { type YoloCoderOptions, yoloCoder, yoloxCoder } from './yolo.ts';
