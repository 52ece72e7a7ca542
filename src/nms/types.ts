/** Options of greedy non-maximum suppression. */
import type { Preset } from '../boxes/types.ts';
import type { Metric } from '../iou/types.ts';

/** One finite score a box; others are never kept. */
export type ScoreArray = Float32Array | Float64Array;

export interface NmsOptions {
  /** Similarity that suppresses; DIoU-NMS is `'diou'`. Default `'iou'`. */
  readonly metric?: Metric;
  /** A box is suppressed by a kept box whose similarity compares true against this. Default 0.5. */
  readonly iouThreshold?: number;
  /** Keeps scores strictly above this (rounded to float32 for float32 scores). Default: all finite scores. */
  readonly scoreThreshold?: number;
  /** Only the best this many enter. Default all. */
  readonly maxCandidates?: number;
  /** Stops after this many kept. Default all. */
  readonly maxDetections?: number;
  /** N class ids of any size and sign. */
  readonly classIds?: Int32Array;
  /** Whether boxes of different classes suppress each other. Default `'class'` when `classIds` is given. */
  readonly scope?: 'class' | 'agnostic';
  /** `'>'` keeps a box exactly at the threshold (torchvision, ONNX); `'>='` suppresses it. Default `'>'`. */
  readonly comparator?: '>' | '>=';
  readonly preset?: Preset;
}
