/** COCO's JSON as evaluation reads it, and what evaluation gives back. */

import { OptionError } from '../errors.ts';

/** One annotation of `instances_*.json` or `person_keypoints_*.json`; only the fields evaluation reads. */
export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  /** `[x, y, width, height]` in pixels. */
  readonly bbox: readonly number[];
  /** Area of the object (of its mask, where it has one); decides small, medium and large. */
  readonly area: number;
  readonly iscrowd?: number;
  /** Polygons, or a run-length mask (compressed string or counts). Read for `type: 'segm'`. */
  readonly segmentation?: unknown;
  /** `x, y, visibility` a keypoint. Read for `type: 'keypoints'`. */
  readonly keypoints?: readonly number[];
  readonly num_keypoints?: number;
  /** Set, the object neither counts nor punishes (LVIS `ignore`, Pascal VOC `difficult`). COCO does not read them. */
  readonly ignore?: number;
  readonly difficult?: number;
}

/** A COCO annotation file. */
export interface CocoDataset {
  readonly images: readonly {
    readonly id: number;
    readonly width?: number;
    readonly height?: number;
    readonly file_name?: string;
    /** LVIS: categories verified to be absent, and those whose objects are not all annotated. */
    readonly neg_category_ids?: readonly number[];
    readonly not_exhaustive_category_ids?: readonly number[];
  }[];
  readonly annotations: readonly CocoAnnotation[];
  readonly categories: readonly {
    readonly id: number;
    readonly name?: string;
    /** LVIS: rare, common or frequent in the training images. */
    readonly frequency?: 'r' | 'c' | 'f';
  }[];
}

/** One row of a COCO results file. */
export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox?: readonly number[];
  readonly score: number;
  readonly segmentation?: unknown;
  readonly keypoints?: readonly number[];
}

export interface CocoOptions {
  /** What is compared: boxes, masks or keypoints. Default `'bbox'`. */
  readonly type?: 'bbox' | 'segm' | 'keypoints';
  /** Default 0.5 : 0.05 : 0.95. */
  readonly iouThresholds?: readonly number[];
  /** Default 0 : 0.01 : 1. */
  readonly recallThresholds?: readonly number[];
  /** Ascending. Default [1, 10, 100], for keypoints [20]. */
  readonly maxDetections?: readonly number[];
  /** True ignores categories (pycocotools `useCats = 0`). Default false. */
  readonly classAgnostic?: boolean;
  /** Standard deviation of each keypoint as a fraction of the object's size. Default COCO's 17. */
  readonly keypointSigmas?: readonly number[];
}

/** A dense array with its dimensions, row-major. −1 marks entries without ground truth. */
export interface EvaluationTensor {
  readonly data: Float64Array<ArrayBuffer>;
  readonly dims: readonly number[];
}

export interface CocoClassResult {
  readonly categoryId: number;
  readonly name: string;
  /** Ground-truth objects that count (not crowd). */
  readonly objects: number;
  /** Mean precision over all IoU thresholds; −1 without objects. */
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  /** Mean recall over all IoU thresholds at the largest number of detections. */
  readonly ar: number;
}

export interface CocoEvaluation {
  /** The 12 numbers pycocotools prints (10 for keypoints), −1 where undefined. */
  readonly stats: number[];
  /** A name a number: `AP`, `AP50`, … */
  readonly statNames: readonly string[];
  readonly perClass: readonly CocoClassResult[];
  /** [thresholds, recalls, classes, areas, maxDetections]. */
  readonly precision: EvaluationTensor;
  /** [thresholds, classes, areas, maxDetections]. */
  readonly recall: EvaluationTensor;
  /** Score at which each precision was reached; same dims as `precision`. */
  readonly scores: EvaluationTensor;
  readonly iouThresholds: readonly number[];
  readonly recallThresholds: readonly number[];
  readonly areaNames: readonly string[];
  readonly maxDetections: readonly number[];
  readonly categoryIds: readonly number[];
}

/** Areas in pixels², both ends inclusive, as pycocotools has them. */
export const areaRanges = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const;

/** numpy's linspace, to the last bit: `start + i·step`, the last value set exactly. */
export function linspace(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? stop : i * step + start));
}

/** Throws `OptionError` unless the values rise from at least 0 to at most 1. */
export function expectShares(name: string, values: readonly number[]): void {
  const rise = values.every((value, i) => value >= 0 && value <= 1 && (i === 0 || value > values[i - 1]!));
  if (rise && values.length > 0) return;
  throw new OptionError(`${name} must rise within 0 … 1, got [${values.join(', ')}]`, { name, values });
}
