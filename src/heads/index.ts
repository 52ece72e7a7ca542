/** Raw output tensors of detectors → candidate columns, and what an ONNX file says about its own head. */
export { cocoClassNames } from './coco-classes.ts';
export { type DetrOptions, decodeDetr, decodeDetrSoftmax } from './detr.ts';
export { decodeDetrDecoded } from './detr-decoded.ts';
export { decodeEndToEnd } from './end-to-end.ts';
export { inspectModel } from './inspect/inspect.ts';
export type {
  HeadCandidate,
  ModelInspection,
  PreprocessingSources,
  Source,
  TensorInfo,
} from './inspect/types.ts';
export { type PreprocessingChoice, preprocessingPresets } from './preprocessing.ts';
export { decode, type Head, headNames, heads } from './registry.ts';
export type {
  Candidates,
  Decode,
  DecodeOptions,
  HeadName,
  HeadOptions,
  ModelOutputs,
  TensorLike,
} from './types.ts';
export { decodeYolov5 } from './yolov5.ts';
export { decodeYolov8 } from './yolov8.ts';
export { decodeYolox, type YoloxOptions } from './yolox.ts';
