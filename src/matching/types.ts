/** What matchers take and give. */
import type { Anchors } from '../anchors/types.ts';
import type { BoxArray, Preset } from '../boxes/types.ts';
import type { Metric } from '../iou/types.ts';

/**
 * What is matched with ground truths: anchors of a generator, or 4·N corners `x1,y1,x2,y2`. Of generated anchors each
 * ground truth is compared only with those it can reach; the result is the same.
 */
export type Priors = BoxArray | Anchors;

/** A prior without ground truth: background, a negative sample. */
export const background = -1;
/** A prior that takes no part in the loss: between thresholds, or over an ignored region. */
export const ignored = -2;

/** Options every matcher has. */
export interface MatchOptions {
  /** Class of each ground truth; with it the assignment has `labels`. */
  readonly groundTruthClasses?: ArrayLike<number>;
  /** Crowds and other regions not to learn from: 4·K corners. Priors over them are ignored, see `ignoreThreshold`. */
  readonly ignoreBoxes?: BoxArray;
  /** A prior is ignored when more than this part of it lies in one ignored region. Default 0.5. */
  readonly ignoreThreshold?: number;
  /** The part is counted of the prior's area or of the region's. Default `'prior'`. */
  readonly ignoreRelativeTo?: 'prior' | 'region';
  /**
   * Whether priors over regions are ignored in an image without ground truths, too. Default true; false makes all of them
   * background, as mmdetection's MaxIoU and ATSS do.
   */
  readonly ignoreWithoutGroundTruths?: boolean;
  /** Takes the results, so that repeated calls allocate nothing; made for as many priors. */
  readonly out?: Assignment;
}

/** Options of matchers that compare boxes. */
export interface MetricOptions {
  /** How boxes are compared: `metric(groundTruth, prior)`. Default `'iou'`. */
  readonly metric?: Metric;
  /** Library whose eps the metric follows. */
  readonly metricPreset?: Preset;
}

/** One entry a prior. */
export interface Assignment {
  /** The matched ground truth ≥ 0, −1 for background, −2 for ignored. */
  readonly gtIndices: Int32Array<ArrayBuffer>;
  /** Similarity of the prior with its matched ground truth, or with the best one (0 where none is above 0). */
  readonly overlaps: Float32Array<ArrayBuffer>;
  /** Class of the matched ground truth, −1 for background, −2 for ignored; when classes were given. */
  readonly labels?: Int32Array<ArrayBuffer>;
  /** How much a positive counts, where the method says so (TaskAligned: the soft class target); 0 elsewhere. */
  readonly weights?: Float32Array<ArrayBuffer>;
}

/** What a network says about each prior, for matchers that depend on it. */
export interface Predictions {
  /** 4·N predicted boxes, corners in pixels. */
  readonly boxes: BoxArray;
  /** N·classes, row-major: probabilities unless the matcher says logits. */
  readonly scores: BoxArray;
}

/** The priors that are not background, ascending. */
export interface SparseAssignment {
  readonly priorIndices: Int32Array<ArrayBuffer>;
  /** The matched ground truth ≥ 0, −2 for ignored. */
  readonly gtIndices: Int32Array<ArrayBuffer>;
  /** Similarity of the prior with its matched ground truth, or with the best one. */
  readonly overlaps: Float32Array<ArrayBuffer>;
  /** Class of the matched ground truth, −2 for ignored; when classes were given. */
  readonly labels?: Int32Array<ArrayBuffer>;
}

/** Pairs of a prior and a ground truth, where a prior may have several. */
export interface PairAssignment {
  readonly priorIndices: Int32Array<ArrayBuffer>;
  readonly gtIndices: Int32Array<ArrayBuffer>;
  /** Class of each pair's ground truth; when classes were given. */
  readonly labels?: Int32Array<ArrayBuffer>;
}
