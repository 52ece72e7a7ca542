/**
 * Pictures in, detections out: a model on onnxruntime-web with its pre- and post-processing, in this thread or in a
 * worker.
 */

export { type GpuMaskJob, GpuMasks, type GpuPrototypes } from '../webgpu/masks.ts';
export { createDetector } from './create.ts';
export { readImage } from './image/read.ts';
export { cocoEvaluation, defaultNms } from './run-options.ts';
export { type PostprocessOptions, postprocess } from './standalone.ts';
export { detectTiled, type TiledOptions } from './tiled/detect-tiled.ts';
export { type MergeTilesOptions, mergeTiles } from './tiled/merge-tiles.ts';
export { type Tile, type TileGridOptions, tileGrid } from './tiled/tile-grid.ts';
export type {
  DetectNms,
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
