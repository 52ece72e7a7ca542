/** Run-length masks, in COCO's column-major order, as pycocotools reads and writes them. */

/**
 * A binary mask as run lengths: column-major (down the first column, then the next), the first run counts zeros.
 * The runs sum to `height · width`.
 */
export interface Rle {
  /** `[height, width]` in pixels, in pycocotools' order. */
  readonly size: readonly [height: number, width: number];
  readonly counts: Uint32Array;
}

/** COCO's JSON form of a mask: `counts` as pycocotools' compressed string or as a list of runs. */
export interface CocoRle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string | ArrayLike<number>;
}
