/** Raw output tensors of detectors → candidate columns, and what an ONNX file says about its own head. */

export {
  type LibraryPreset,
  type PresetDefaults,
  type PresetOptions,
  presetDefaults,
} from '../nms/preset-rules.ts';
export { type PresetRows, presetDetections, presetNms } from '../nms/presets.ts';
export { decodeCenterFace } from './centerface.ts';
export { decodeCenterNet } from './centernet.ts';
export { cocoCategoryNames, cocoClassNames } from './coco-classes.ts';
export { type DetrOptions, decodeDetr, decodeDetrSoftmax } from './detr.ts';
export { decodeDetrDecoded } from './detr-decoded.ts';
export { decodeDetrSeg } from './detr-seg.ts';
export { decodeNanoDet, decodeNanoDetPlus, decodeYolov8Raw } from './dfl.ts';
export { decodeEndToEnd, decodeEndToEndObb, decodeEndToEndPose, decodeEndToEndSeg } from './end-to-end.ts';
export { decodeBlazeFace, decodeScrfd, decodeYuNet } from './faces.ts';
export { decodeFastestDet } from './fastestdet.ts';
export { decodeFcos } from './fcos.ts';
export { decodeEfficientDetRows, decodeYoloNasFlat } from './flat-rows.ts';
export { inspectModel } from './inspect/inspect.ts';
export type {
  HeadCandidate,
  ModelInspection,
  PreprocessingSources,
  Source,
  TensorInfo,
} from './inspect/types.ts';
export { createMaskLogits, decodeMaskLogits } from './mask-logits.ts';
export {
  decodeEfficientNms,
  decodeMmdeploy,
  decodePaddleDetection,
  decodeTfDetections,
  decodeTorchvision,
  decodeYolov7EndToEnd,
} from './post-nms.ts';
export { type PreprocessingChoice, preprocessingPresets } from './preprocessing.ts';
export {
  efficientDetAnchors,
  retinaFacePriors,
  retinaNetAnchors,
  ssd300Priors,
  ultraFacePriors,
} from './priors.ts';
export { type BoxMask, decodeMask } from './prototypes.ts';
export { decode, type Head, headNames, heads } from './registry.ts';
export { decodeEfficientDet, decodeRetinaNet } from './retinanet.ts';
export { decodeRetinaFace, decodeSsd, decodeUltraFace, decodeUltraFaceRaw } from './ssd.ts';
export { decodeDetrConcatenated, decodeYoloNas, decodeYolov8Rows, decodeYolov8SegRows } from './tables.ts';
export type {
  Activation,
  Candidates,
  CellPoint,
  Decode,
  DecodeOptions,
  HeadName,
  HeadOptions,
  MaskPrototypes,
  ModelOutputs,
  TensorLike,
} from './types.ts';
export { decodeYolov3, decodeYolov5Raw, yolov5Anchors, yolov7Anchors } from './yolo-anchors.ts';
export { decodeYolov4 } from './yolov4.ts';
export { decodeYolov5, decodeYolov5Seg } from './yolov5.ts';
export { decodeYolov5Face } from './yolov5-face.ts';
export { decodeYolov8 } from './yolov8.ts';
export { decodeYolov8Obb, decodeYolov8Pose, decodeYolov8Seg } from './yolov8-tasks.ts';
export { decodeYolox, type YoloxOptions } from './yolox.ts';
