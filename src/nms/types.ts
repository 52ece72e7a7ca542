/** Options and results of suppression. */
import type { Preset } from '../boxes/types.ts';
import type { Metric } from '../iou/types.ts';

/** One finite score a box; others are never kept. */
export type ScoreArray = Float32Array | Float64Array;

/** Options every suppression understands. */
export interface RankedOptions {
  /** How boxes are compared. Default `'iou'`. */
  readonly metric?: Metric;
  /** Keeps scores strictly above this (rounded to float32 for float32 scores). Default: all finite scores. */
  readonly scoreThreshold?: number;
  /** Only the best this many enter. Default all. */
  readonly maxCandidates?: number;
  /** At most this many come out. Default all. */
  readonly maxDetections?: number;
  /** N class ids of any size and sign. */
  readonly classIds?: Int32Array;
  /** Whether boxes of different classes affect each other. Default `'class'` when `classIds` is given. */
  readonly scope?: 'class' | 'agnostic';
  /** 1 counts a box's last pixel (legacy inclusive coordinates). Default 0. */
  readonly pixelOffset?: 0 | 1;
  /** The library whose conventions are followed; options override it. */
  readonly preset?: Preset;
}

/** What a suppression that changes scores returns: by new score, ties by lower index. */
export interface Suppression {
  /** Indices into the caller's boxes. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** Their new scores, in the precision of the scores that came in. */
  readonly scores: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

/** The same with boxes moved: 4 numbers a survivor. */
export interface MovingSuppression extends Suppression {
  /** The survivors' new boxes, in the precision of the boxes that came in. */
  readonly boxes: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

/** Options of greedy non-maximum suppression. */
export interface NmsOptions extends RankedOptions {
  /** Similarity that suppresses; DIoU-NMS is `'diou'`. Default `'iou'`. */
  readonly metric?: Metric;
  /** A box is suppressed by a kept box whose similarity compares true against this. Default 0.5. */
  readonly iouThreshold?: number;
  /** `'>'` keeps a box exactly at the threshold (torchvision, ONNX); `'>='` suppresses it. Default `'>'`. */
  readonly comparator?: '>' | '>=';
}
