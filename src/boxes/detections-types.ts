/** What a {@link Detections} is made from, and what it becomes on its way to another thread. */
import type { Rle } from '../masks/types.ts';
import type { Detections } from './detections.ts';
import type { DetectionsHeader } from './detections-layout.ts';
import type { Size } from './types.ts';

/**
 * Masks before they are pixels: a patch of logits a detection, at the model's resolution and inside its box only. What a
 * segmentation model's detections carry; a patch becomes a mask of the image when it is asked for.
 */
export interface MaskLogits {
  /**
   * 9·N: left, top, right, bottom of the pixels the mask may cover, whole numbers, right and bottom excluded; x, y of the
   * middle of the patch's first cell; width and height of a cell, all in pixels of the image; cells a row.
   */
  readonly places: Float32Array<ArrayBuffer>;
  /** N+1: patch i has the values `offsets[i] … offsets[i + 1] - 1`, row by row. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** Logits; above 0 is inside. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** Turns one patch of {@link MaskLogits} into a mask of an image; `decodeMaskLogits` of `boxops/heads` is one. */
export type MaskDecoder = (place: Float32Array, values: Float32Array, image: Size) => Rle;

/** Columns to build a {@link Detections} from; they are copied. */
export interface DetectionsInit {
  /** 4·N, xyxy in pixels of the image. */
  readonly boxes: ArrayLike<number>;
  /** N. */
  readonly scores: ArrayLike<number>;
  /** N. */
  readonly classIds: ArrayLike<number>;
  /** N, radians, clockwise on the screen; the box is then the unrotated rectangle about its centre. */
  readonly angles?: ArrayLike<number> | undefined;
  /** N identities over time, -1 where there is none. */
  readonly trackIds?: ArrayLike<number> | undefined;
  /** 3·K·N: x, y and visibility (0 absent, 1 hidden, 2 visible, or a confidence) of K keypoints a detection. */
  readonly keypoints?: ArrayLike<number> | undefined;
  /** K; needed with `keypoints` when N is 0, otherwise derived. */
  readonly keypointCount?: number | undefined;
  /** N masks of one size, as run lengths. */
  readonly masks?: readonly Rle[] | undefined;
  /** N masks as logits, in place of `masks`; needs `imageSize`. */
  readonly maskLogits?: MaskLogits | undefined;
  /** Decodes `maskLogits` when a mask is asked for. */
  readonly maskDecoder?: MaskDecoder | undefined;
  /** Name of class id 0, 1, …; may be empty. */
  readonly classNames?: readonly string[] | undefined;
  /** Image the boxes refer to. */
  readonly imageSize?: Size | undefined;
}

/** Which columns an empty {@link Detections.create} should have. */
export interface DetectionsShape {
  readonly count: number;
  readonly angles?: boolean;
  readonly trackIds?: boolean;
  readonly keypointCount?: number;
  /** Size of every mask; with it `maskRunCount` run lengths are reserved. */
  readonly maskSize?: Size;
  readonly maskRunCount?: number;
  /** Masks are logits of this many values in all, not runs. */
  readonly maskLogitCount?: number | undefined;
  readonly maskDecoder?: MaskDecoder | undefined;
  readonly classNames?: readonly string[] | undefined;
  readonly imageSize?: Size | undefined;
}

/** A {@link Detections} on its way to another thread: plain data, to be posted with its buffer in the transfer list. */
export interface TransferredDetections extends DetectionsHeader {
  readonly kind: 'boxops/detections';
  readonly version: 1;
  readonly buffer: ArrayBuffer;
  readonly classNames: readonly string[];
  readonly imageSize: Size | null;
}
