export {
  type CocoResult,
  type DetectionRow,
  Detections,
  type DetectionsInit,
  type DetectionsShape,
  type MaskDecoder,
  type MaskLogits,
  type TransferredDetections,
} from './detections.ts';
export type { ElementFitOptions, ObjectFit, ObjectPosition } from './element-fit.ts';
export { boxFormats, type ConvertBoxesOptions, convertBoxes } from './formats.ts';
export {
  FrameTransform,
  type FrameTransformInit,
  type ToElementOptions,
  type TransformBoxesOptions,
  type TransformPointsOptions,
} from './frame-transform.ts';
export {
  type BoxAreaOptions,
  boxArea,
  boxHull,
  type ClipBoxesOptions,
  clipBoxes,
  type ScaleBoxesOptions,
  scaleBoxes,
} from './geometry.ts';
export type { LetterboxOptions, LetterboxRounding } from './letterbox.ts';
export type { BoxArray, BoxFormat, Preset, Size } from './types.ts';
export { areFinite, removeSmallBoxes, type ValidBoxesOptions, validBoxes } from './validity.ts';
