/** What a {@link Detections} is made from, and what it becomes on its way to another thread. */
import type { Rle } from '../masks/types.ts';
import type { Detections } from './detections.ts';
import type { DetectionsHeader } from './detections-layout.ts';
import type { Size } from './types.ts';

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
