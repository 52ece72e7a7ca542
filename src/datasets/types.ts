/**
 * Annotated images in columns: what every reader gives, every writer takes and every operation returns.
 *
 * Annotations lie in the order of their images, so the annotations of image i are the rows
 * `offsets[i] … offsets[i + 1]`. Nothing here is an object a box.
 */
import type { Rle } from '../masks/types.ts';

/** A class of objects. Its place in {@link Dataset.categories} is its label. */
export interface Category {
  /** The id in the file it came from (COCO's `id`, YOLO's class number). */
  readonly id: number;
  readonly name: string;
  readonly supercategory?: string;
  /** Names of its keypoints, in the order of the numbers. */
  readonly keypoints?: readonly string[];
  /** Pairs of keypoints that are joined; counted from 1, as COCO counts them. */
  readonly skeleton?: readonly (readonly [number, number])[];
}

/** The images, one entry a column each. */
export interface ImageColumns {
  readonly count: number;
  readonly ids: Float64Array<ArrayBuffer>;
  /** Path relative to the folder of the images. */
  readonly fileNames: readonly string[];
  /** Pixels; 0 where unknown. */
  readonly widths: Int32Array<ArrayBuffer>;
  readonly heights: Int32Array<ArrayBuffer>;
}

/** Rows of different lengths: row i is `values[offsets[i] … offsets[i + 1]]`. */
export interface Ragged {
  readonly values: Float64Array<ArrayBuffer>;
  /** Rows + 1. */
  readonly offsets: Int32Array<ArrayBuffer>;
}

/** Outlines: annotation i has the rings `rings[i] … rings[i + 1]`, each x, y, x, y, … in pixels. */
export interface PolygonColumns extends Ragged {
  /** Annotations + 1; counts rows of `offsets`. */
  readonly rings: Int32Array<ArrayBuffer>;
}

/** Bits of {@link AnnotationColumns.flags}. */
export const annotationFlag = {
  /** A region of many objects (COCO `iscrowd`): ignored by matching. */
  crowd: 1,
  /** Hard to recognise (VOC `difficult`): ignored by matching. */
  difficult: 2,
  /** Cut off by the image's border or another object (VOC `truncated`). */
  truncated: 4,
} as const;

/** Bits that make a region one to ignore rather than an object. */
export const ignoredFlags = annotationFlag.crowd | annotationFlag.difficult;

/** The annotations, one entry a column each, in the order of their images. */
export interface AnnotationColumns {
  readonly count: number;
  /** Images + 1. */
  readonly offsets: Int32Array<ArrayBuffer>;
  readonly ids: Float64Array<ArrayBuffer>;
  /** Index into {@link Dataset.categories}. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** 4·N xyxy in pixels of the image. */
  readonly boxes: Float64Array<ArrayBuffer>;
  /** Area of the object in pixels² (of its mask, where the file says so). */
  readonly areas: Float64Array<ArrayBuffer>;
  /** Bits of {@link annotationFlag}. */
  readonly flags: Uint8Array<ArrayBuffer>;
  readonly polygons: PolygonColumns;
  /** Run-length masks by row; rows with polygons are not in it. */
  readonly masks: ReadonlyMap<number, Rle>;
  /** x, y, visibility a keypoint (0 not labelled, 1 hidden, 2 visible); empty rows without. */
  readonly keypoints: Ragged;
}

/** A set of annotated images. */
export interface Dataset {
  readonly categories: readonly Category[];
  readonly images: ImageColumns;
  readonly annotations: AnnotationColumns;
}

/** File formats a dataset is read from and written to. */
export type DatasetFormat = 'coco' | 'yolo' | 'voc';

/** What one line of a YOLO label file holds after its class. */
export type YoloTask = 'detect' | 'segment' | 'obb' | 'pose';
