/**
 * Pictures in, detections out: a model on onnxruntime-web with its pre- and post-processing, in this thread or in a
 * worker.
 */
export { createDetector } from './create.ts';
export { readImage } from './image/read.ts';
export { cocoEvaluation, defaultNms } from './postprocess.ts';
export type {
  DetectOptions,
  Detector,
  DetectorInfo,
  DetectorOptions,
  DetectorStats,
  ExecutionProvider,
  ImageSource,
  LoadProgress,
  Preprocessing,
  RawImage,
} from './types.ts';
