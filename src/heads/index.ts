/** Raw output tensors of detectors → candidate columns, and what an ONNX file says about its own head. */
export { type DetrOptions, decodeDetr, decodeDetrSoftmax } from './detr.ts';
export { decodeDetrDecoded } from './detr-decoded.ts';
export { decodeEndToEnd } from './end-to-end.ts';
export { type PreprocessingChoice, preprocessingPresets } from './preprocessing.ts';
export { decode, type Head, heads } from './registry.ts';
export type { Candidates, Decode, DecodeOptions, HeadName, ModelOutputs, TensorLike } from './types.ts';
export { decodeYolov5 } from './yolov5.ts';
export { decodeYolov8 } from './yolov8.ts';
export { decodeYolox, type YoloxOptions } from './yolox.ts';
