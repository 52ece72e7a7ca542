/** What every generator returns: boxes, and how they lie on regular grids. */
import type { Size } from '../boxes/types.ts';

/** One feature map: `width`·`height` cells, row by row, `perCell` anchors each, one after the other. */
export interface AnchorLevel {
  /** Pixels of the image a cell stands for: the unit of point priors and scale ranges. */
  readonly stride: number;
  /** Distance of neighbouring cells in pixels; differs from the stride where cells share the image evenly. */
  readonly pitchX: number;
  readonly pitchY: number;
  /** Cells along x and y. */
  readonly width: number;
  readonly height: number;
  readonly perCell: number;
  /** Number of the level's first anchor among all, and how many it has. */
  readonly start: number;
  readonly count: number;
  /** Smallest box around the anchors of cell (0, 0), before any clipping. */
  readonly hull: readonly [x1: number, y1: number, x2: number, y2: number];
}

/**
 * Anchors of an image. Not to be changed: matching keeps what it derives from them.
 *
 * Anchor `level.start + (y·width + x)·perCell + a` is anchor a of cell (x, y): the one of cell (0, 0) shifted by
 * (x·pitchX, y·pitchY).
 */
export interface Anchors {
  /** 4·N corners `x1,y1,x2,y2` in pixels of the network's input. */
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly levels: readonly AnchorLevel[];
}

/** The image anchors are for, and optionally its feature maps. */
export interface AnchorImage {
  /** The network's input, padding included. */
  readonly image: Size;
  /** Sizes of the feature maps in cells. Default: image / stride, rounded up. */
  readonly maps?: readonly Size[];
}

/** RetinaNet's anchors of any pyramid. */
export interface RetinaNetAnchorOptions extends AnchorImage {
  /** Default 8, 16, 32, 64, 128. */
  readonly strides?: readonly number[];
}
