/** The public face of a detector: the same whether it runs in this thread or in a worker. */
import type { Detections } from '../boxes/detections.ts';
import type { Size } from '../boxes/types.ts';
import type { HeadName } from '../heads/types.ts';
import type { LibraryPreset } from '../nms/preset-rules.ts';
import type { NmsOptions } from '../nms/types.ts';

/** RGBA pixels, 8 bits a channel, row-major; `ImageData` fits. */
export interface RawImage extends Size {
  readonly data: Uint8ClampedArray | Uint8Array;
}

/**
 * What `detect` takes. A `VideoFrame` or `ImageBitmap` becomes the detector's (it closes it, also on error and
 * abort); typed arrays are copied unless `{ transfer: true }`. Encoded images are a `Blob` or bytes (`Uint8Array`,
 * `ArrayBuffer`). Where there is no DOM the drawable kinds do not exist.
 */
export type ImageSource =
  | RawImage
  | Blob
  | ArrayBuffer
  | Uint8Array<ArrayBuffer>
  | VideoFrame
  | ImageBitmap
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas;

/** Suppression of a detector's candidates. */
export interface DetectNms extends Omit<NmsOptions, 'classIds' | 'scoreThreshold'> {
  /** How rotated boxes are compared. Default `'polygon'`. */
  readonly rotated?: 'polygon' | 'probiou';
}

/** Run-time options of one `detect` call; nothing reloads. */
export interface DetectOptions {
  /** Keeps scores strictly above this. Default: the detector's, else 0.25. */
  readonly scoreThreshold?: number;
  /**
   * Suppression; `false` keeps all candidates. Default: class-aware IoU above 0.7 (other families than Ultralytics: as their own code, faces 0.3 or 0.4),
   * of the 30 000 best candidates, at most 300 detections. Models that need none (end-to-end, DETR) get none: of these
   * options only `maxDetections` reaches them. Rotated boxes are compared as rotated boxes, exactly or by ProbIoU; they
   * know no other metric.
   */
  readonly nms?: DetectNms | false;
  /**
   * A library whose post-processing is followed from scores to detections: thresholds, labels a box, order, limits (see
   * `presetNms`). `scoreThreshold`, `multiLabel`, `clip` and, of `nms`, the IoU threshold, limits and scope override it.
   */
  readonly preset?: LibraryPreset;
  /** Whether masks are carried, where the model has any. Default true; false saves their sums. */
  readonly masks?: boolean;
  /** Only these classes, by id or name. */
  readonly classes?: readonly (number | string)[];
  /** One detection for every class above the threshold instead of the best class only. */
  readonly multiLabel?: boolean;
  /**
   * Cuts boxes at the border of the image. Default false: a box goes as far as the model thinks the object does, which
   * trackers and COCO evaluation of the original projects count on. Rotated boxes are never cut.
   */
  readonly clip?: boolean;
  /** Rejects the call with the signal's reason; the frame is closed. */
  readonly signal?: AbortSignal;
  /** Hand typed arrays over instead of copying them. */
  readonly transfer?: boolean;
}

/** How an image becomes the input tensor. */
export interface Preprocessing {
  /** Input size; read from the model when fixed there. */
  readonly size?: Size;
  /** How the image is fitted: stretched, letterboxed centred, or letterboxed in the top-left corner. */
  readonly fit?: 'stretch' | 'letterbox' | 'letterbox-top-left';
  /** Padding value of a letterbox, 0–255. Default 114. */
  readonly padValue?: number;
  /**
   * `true`: resized as Pillow's `resize(…, BILINEAR)`, which smooths when shrinking (torchvision's `Resize` of PIL images,
   * Hugging Face's image processors); `false`: as OpenCV's `INTER_LINEAR`, which does not. Either bit for bit. Default: as
   * the model's family was trained, `true` for DETR, RT-DETR, D-FINE and DEIM.
   */
  readonly antialias?: boolean;
  readonly channelOrder?: 'rgb' | 'bgr';
  /** Subtracted from each channel (in tensor channel order, 0–255 scale) before the division. */
  readonly mean?: readonly [number, number, number];
  /** Divides each channel, 0–255 scale. `[255, 255, 255]` gives 0–1. */
  readonly std?: readonly [number, number, number];
  readonly layout?: 'nchw' | 'nhwc';
}

export type ExecutionProvider = 'wasm' | 'webgpu';

export interface LoadProgress {
  /** `download` and `cache` count bytes of the model; `session` and `warm-up` are steps of one. */
  readonly phase: 'download' | 'cache' | 'session' | 'warm-up';
  readonly loaded: number;
  /** Absent where the server does not say. */
  readonly total?: number;
}

/** Options of `createDetector`. */
export interface DetectorOptions {
  /** URL of an ONNX file, or its bytes. */
  readonly model: string | URL | Uint8Array<ArrayBuffer> | ArrayBuffer;
  /**
   * `true`: in a web worker (worker_threads in Node), by URL and, failing that, inline; `'url'` or `'inline'`: only that
   * way; a factory: in the worker it makes; `false`: in this thread. Default false.
   */
  readonly worker?: boolean | 'url' | 'inline' | (() => unknown);
  /** Milliseconds a worker may take to say that it is ready before the next way is tried. Default 30 000. */
  readonly readyTimeout?: number;
  /** Which head decodes the outputs; needed only where `inspectModel` calls the model ambiguous. */
  readonly head?: HeadName;
  /** Overrides parts of the pre-processing that the model's inspection chose. */
  readonly preprocessing?: Preprocessing;
  /** Overrides the class names found in the model. */
  readonly classNames?: readonly string[];
  /** Tried in order; the one in use, and why an earlier one was not, are in `stats()`. Default `['wasm']`. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /**
   * Where onnxruntime-web finds its .wasm and .mjs files: the URL of a folder, or one URL a file. The first detector of a
   * thread settles it; each worker is a thread.
   */
  readonly wasmPaths?: string | { readonly wasm?: string | URL; readonly mjs?: string | URL };
  /**
   * URL of an ES module of onnxruntime-web to import in place of the bare specifier, for code that no bundler resolved:
   * the inline worker, or a page without a bundler. Default there: `ort.wasm.bundle.min.mjs` (or, with the webgpu
   * provider, `ort.webgpu.bundle.min.mjs`) in the folder `wasmPaths`.
   */
  readonly runtimeUrl?: string | URL;
  /** Threads of the wasm provider; more than 1 needs cross-origin isolation. Default 1. */
  readonly threads?: number;
  readonly scoreThreshold?: number;
  readonly nms?: DetectOptions['nms'];
  readonly classes?: DetectOptions['classes'];
  readonly multiLabel?: boolean;
  readonly clip?: boolean;
  readonly preset?: DetectOptions['preset'];
  readonly masks?: boolean;
  /**
   * `'cpu'` reads the outputs of a webgpu session back whole; `'auto'` thins them out on the GPU where a kernel reads the
   * head (the detections are the same). Default `'auto'`.
   */
  readonly postprocessing?: 'auto' | 'cpu';
  /** Runs the model once on an empty image, so that the first `detect` is as fast as the rest. Default true. */
  readonly warmUp?: boolean;
  /** Keeps downloaded models in this Cache Storage (browser) or folder (Node). Default none. */
  readonly cache?: string;
  /** What it throws ends the creation, which rejects with it. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Rejects creation with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface DetectorStats {
  /** Frames finished without error. */
  readonly frames: number;
  /** Calls that failed or were aborted. */
  readonly failures: number;
  readonly executionProvider: ExecutionProvider;
  /** Providers that were tried and refused, with the reason. */
  readonly fallbacks: readonly { readonly provider: ExecutionProvider; readonly reason: string }[];
  readonly worker: 'none' | 'url' | 'inline' | 'factory' | 'node';
  /** Drawables handed to the detector, and closed by it. Equal when idle. */
  readonly framesOpened: number;
  readonly framesClosed: number;
  /**
   * Where outputs were thinned out to detections. On the GPU only the kept rows are read back: with the webgpu provider,
   * for heads that a kernel reads (YOLOv5, YOLOv8, YOLOX, end-to-end, DETR layouts), up to 4096 candidates an image.
   */
  readonly postprocessing: {
    /** Runs of the model, the warm-up included. */
    readonly gpuRuns: number;
    readonly cpuRuns: number;
    /** Why the last run of the CPU was the CPU's; null where there was none. */
    readonly reason: string | null;
    /** Buffers the kernels hold. */
    readonly gpuBuffers: number;
    readonly gpuBytes: number;
  };
  /** Mean milliseconds a frame, over the life of the detector. */
  readonly milliseconds: {
    readonly preprocess: number;
    readonly inference: number;
    readonly postprocess: number;
  };
}

/** What the detector runs: the model's inspection after options were applied. */
export interface DetectorInfo {
  readonly head: HeadName;
  readonly family: string;
  readonly classNames: readonly string[];
  readonly preprocessing: Required<Preprocessing>;
  readonly reasons: readonly string[];
}

/** A loaded model with its pre- and post-processing. */
export interface Detector extends Disposable {
  readonly info: DetectorInfo;
  /** One image in, its detections out, boxes in pixels of that image. */
  detect(source: ImageSource, options?: DetectOptions): Promise<Detections>;
  /** A batch in, one `Detections` an image, in order. */
  detect(sources: readonly ImageSource[], options?: DetectOptions): Promise<Detections[]>;
  stats(): Promise<DetectorStats>;
  /** Frees session and worker; pending calls reject with `DisposedError`. Idempotent. */
  dispose(): void;
}
