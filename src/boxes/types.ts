/** The column types every room of boxops shares. */

/**
 * N boxes as 4·N numbers, row-major, `x1,y1,x2,y2` in pixels unless a `format` says otherwise.
 * `Float64Array` in gives `Float64Array` out.
 */
export type BoxArray = Float32Array | Float64Array;

/**
 * How the four numbers of a box are to be read. The suffix `n` means normalised: x divided by the image width,
 * y by its height. `yxyx` is TensorFlow's and ONNX's `y1,x1,y2,x2`; `xywh` is COCO's top-left corner and size.
 */
export type BoxFormat = 'xyxy' | 'xywh' | 'cxcywh' | 'yxyx' | 'xyxyn' | 'xywhn' | 'cxcywhn' | 'yxyxn';

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A library whose conventions (eps, thresholds, comparators, orders) a function should follow. Options override it. */
export type Preset =
  | 'torchvision'
  | 'mmdetection'
  | 'ultralytics'
  | 'detectron2'
  | 'supervision'
  | 'tensorflow'
  | 'coco';
