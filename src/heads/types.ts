/** What a head reads and what it gives: raw output tensors in, candidate columns out. */

/** A tensor as any runtime hands it over; onnxruntime's `Tensor` fits as it is. Read structurally, never imported. */
export interface TensorLike {
  /**
   * float32 as `Float32Array`; float16 as `Uint16Array` of bits or `Float16Array`; int64 as `BigInt64Array`; int32 as
   * `Int32Array`. Text is a `LayoutError` where numbers are read.
   */
  readonly data: ArrayLike<number> | ArrayLike<bigint> | ArrayLike<string>;
  /** Row-major dimensions, e.g. `[1, 84, 8400]`. */
  readonly dims: readonly number[];
  /** onnxruntime's element type name: `'float32'`, `'float16'`, `'int64'`, …; derived from `data` when absent. */
  readonly type?: string;
}

/** All outputs of one `session.run`, by tensor name. */
export type ModelOutputs = Readonly<Record<string, TensorLike>>;

/** The heads boxops can decode. One name a tensor layout, not a brand: YOLOv8, 9, 11 and 12 share one. */
export type HeadName =
  | 'yolov8'
  | 'yolov8-seg'
  | 'yolov8-pose'
  | 'yolov8-obb'
  | 'yolov8-rows'
  | 'yolov8-seg-rows'
  | 'yolov8-raw'
  | 'yolov5'
  | 'yolov5-seg'
  | 'yolov5-face'
  | 'yolov5-raw'
  | 'yolov3'
  | 'yolov4'
  | 'yolox'
  | 'yolo-nas'
  | 'yolo-nas-flat'
  | 'end-to-end'
  | 'end-to-end-seg'
  | 'end-to-end-pose'
  | 'end-to-end-obb'
  | 'yolov7-end-to-end'
  | 'detr'
  | 'detr-seg'
  | 'detr-softmax'
  | 'detr-concatenated'
  | 'detr-decoded'
  | 'fastestdet'
  | 'nanodet'
  | 'nanodet-plus'
  | 'ssd'
  | 'retinanet'
  | 'efficientdet'
  | 'efficientdet-rows'
  | 'fcos'
  | 'centernet'
  | 'centerface'
  | 'ultraface'
  | 'ultraface-raw'
  | 'retinaface'
  | 'scrfd'
  | 'yunet'
  | 'blazeface'
  | 'tf-detections'
  | 'torchvision'
  | 'efficient-nms'
  | 'mmdeploy'
  | 'paddle-detection';

/** Options every head takes. */
export interface DecodeOptions {
  /** Model input size in pixels: boxes come out in this frame. */
  readonly input: { readonly width: number; readonly height: number };
  /** Keeps scores strictly above this, compared in float32 as torch does. Default 0.25. */
  readonly scoreThreshold?: number;
  /** Which image of the batch. Default 0. */
  readonly image?: number;
  /** One candidate for every class above the threshold instead of only the best class. Default false. */
  readonly multiLabel?: boolean;
  /** Only these class ids, applied after the best class was chosen: a subset of the unfiltered result. Default all. */
  readonly classes?: readonly number[];
  /** Number of classes where the dims alone cannot tell. */
  readonly classCount?: number;
}

/**
 * Detections before suppression, in columns; a head without need of NMS says so.
 *
 * Every number is finite: a row with a NaN or infinite score or coordinate is never a candidate. `dropped` above 0
 * tells that the model gave such rows.
 */
export interface Candidates {
  /** Number of candidates. */
  readonly count: number;
  /** 4·count, xyxy in pixels of the model input. */
  readonly boxes: Float32Array<ArrayBuffer>;
  /** count, each > scoreThreshold. */
  readonly scores: Float32Array<ArrayBuffer>;
  /** count. */
  readonly classIds: Int32Array<ArrayBuffer>;
  /** True where the head needs no NMS (end-to-end models, set prediction). */
  readonly nmsFree: boolean;
  /**
   * Rows noticed to hold NaN or infinity and left out: those above the threshold with a box, keypoints,
   * angle or mask weights that are not finite, and those whose first score is NaN. Rows below the threshold are not looked at further.
   */
  readonly dropped: number;
  /** count, radians, clockwise on the screen; the box is then the unrotated rectangle about its centre. */
  readonly angles?: Float32Array<ArrayBuffer>;
  /** 3·K·count: x, y in pixels of the model input, and a confidence (1 where the model gives none). */
  readonly keypoints?: Float32Array<ArrayBuffer>;
  /** K. */
  readonly keypointCount?: number;
  /** channels·count: weights of the mask prototypes; see `decodeMask`. */
  readonly maskCoefficients?: Float32Array<ArrayBuffer>;
  readonly prototypes?: MaskPrototypes;
}

/** Low-resolution masks of one image; a detection's mask is their sum weighted by its coefficients. */
export interface MaskPrototypes {
  /** channels·height·width. A view of the model's tensor where that is float32: valid as long as the tensor. */
  readonly data: Float32Array;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
}

/** What still has to be done to class scores: nothing, or a sigmoid or softmax over logits. */
export type Activation = 'none' | 'sigmoid' | 'softmax';

/**
 * Where a cell's point lies: its corner `x·s`, the centre of its first pixel block `x·s + (s − 1)/2`, or its middle
 * `(x + ½)·s`.
 */
export type CellPoint = 'corner' | 'pixel' | 'middle';

/** Options of single heads, as `inspectModel` finds them in a model; every head ignores what is not its own. */
export interface HeadOptions {
  /** Number of classes where the dims alone cannot tell. */
  readonly classCount?: number;
  /** What the graph left to do with scores. */
  readonly activation?: Activation;
  /** YOLOX: boxes were decoded in the graph. */
  readonly decoded?: boolean;
  /** Strides of the levels, ascending. */
  readonly strides?: readonly number[];
  /** Anchor sizes in pixels, `w, h` pairs, one list a level. */
  readonly anchors?: readonly (readonly number[])[];
  /** YOLOv4's `scale_x_y`. */
  readonly scaleXY?: number;
  /** Numbers a keypoint has: 2 or 3. */
  readonly keypointDims?: 2 | 3;
  /** Bins of a distribution over distances (DFL). */
  readonly bins?: number;
  readonly cellPoint?: CellPoint;
  /** Prior boxes, normalised `cx, cy, w, h`. */
  readonly priors?: ArrayLike<number>;
  /** Anchor generator of RetinaNet. */
  readonly anchorStyle?: 'torchvision' | 'mmdetection' | 'detectron2';
  /** How FCOS combines class score and centreness. */
  readonly scoring?: 'sqrt' | 'product';
  /** Unit of FCOS distances. */
  readonly distanceUnit?: 'stride' | 'pixels';
  /** Subtracted from class ids, for models whose ids begin at 1. */
  readonly classOffset?: number;
  /** YOLOv8's heads: name of the output to read where several have its dims (YOLOv9's dual exports). */
  readonly output?: string;
}

/** Decodes one image's candidates from the outputs of a model. */
export type Decode = (outputs: ModelOutputs, options: DecodeOptions & HeadOptions) => Candidates;
