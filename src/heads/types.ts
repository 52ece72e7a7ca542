/** What a head reads and what it gives: raw output tensors in, candidate columns out. */

/** A tensor as any runtime hands it over; onnxruntime's `Tensor` fits as it is. Read structurally, never imported. */
export interface TensorLike {
  /** float32 as `Float32Array`; float16 as `Uint16Array` of bits or `Float16Array`; int64 as `BigInt64Array`; int32 as `Int32Array`. */
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
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
  | 'yolov5'
  | 'yolox'
  | 'end-to-end'
  | 'detr'
  | 'detr-softmax'
  | 'detr-decoded';

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
   * Rows noticed to hold NaN or infinity and left out: those above the threshold with a box that is not finite, and
   * those whose first score is NaN. Rows below the threshold are not looked at further.
   */
  readonly dropped: number;
}

/** Options of single heads, as `inspectModel` finds them in a model; every head ignores what is not its own. */
export interface HeadOptions {
  /** Number of classes where the dims alone cannot tell. */
  readonly classCount?: number;
}

/** Decodes one image's candidates from the outputs of a model. */
export type Decode = (outputs: ModelOutputs, options: DecodeOptions) => Candidates;
