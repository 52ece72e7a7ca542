/**
 * What `boxops/webgpu` takes and gives. The types of WebGPU are looked up in the global scope, so that a consumer
 * without `@webgpu/types` (or a `lib.dom` that has them) still compiles: there they are plain objects.
 */
import type { BoxArray } from '../boxes/types.ts';
import type { AngleOptions, Batch, IouOptions, Metric } from '../iou/index.ts';

/** `GPUDevice` where the compiler knows it. */
export type Device = typeof globalThis extends { GPUDevice: { prototype: infer T } } ? T : object;
/** `GPUAdapter` where the compiler knows it. */
export type Adapter = typeof globalThis extends { GPUAdapter: { prototype: infer T } } ? T : object;
/** `GPU` (what `navigator.gpu` is) where the compiler knows it. */
export type Gpu = typeof globalThis extends { GPU: { prototype: infer T } } ? T : object;
/** `GPUBuffer` where the compiler knows it. */
export type DeviceBuffer = typeof globalThis extends { GPUBuffer: { prototype: infer T } } ? T : object;

/** Where a job runs. `'auto'`: where it is faster, as measured by `calibrate()`. */
export type Backend = 'gpu' | 'cpu' | 'auto';

/** The method: `pairwise` N×M similarities, `aligned` N, `bestMatch` the best column of each of N rows. */
export type JobKind = 'pairwise' | 'aligned' | 'bestMatch';

/** A measured size. */
export interface CalibrationPoint {
  readonly rows: number;
  readonly columns: number;
  readonly cpuMs: number;
  readonly gpuMs: number;
}

/** What was measured for one kernel; plain data, to be kept by the caller and given to `createBatchIou` again. */
export interface CalibrationEntry {
  readonly kind: JobKind;
  /** The metric's key: metrics that share a shader share the measurement. */
  readonly metric: string;
  readonly points: readonly CalibrationPoint[];
}

export type Calibration = readonly CalibrationEntry[];

export interface BatchIouOptions {
  /** A device to use, e.g. onnxruntime-web's. It is never destroyed. Default: an own one, destroyed by `dispose()`. */
  readonly device?: Device;
  /** Adapter that an own device is requested from. An adapter gives one device. */
  readonly adapter?: Adapter;
  /** Which adapter to request. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Entry point of WebGPU, for Node. Default `navigator.gpu`. */
  readonly gpu?: Gpu;
  /** Told once for each device that goes away, except by `dispose()`. */
  readonly onLost?: (reason: string) => void;
  /**
   * After a loss, the next call makes a new device, once: `true` requests one, a function provides it (and keeps owning
   * it). Default false: every later call is a DeviceLostError.
   */
  readonly recreate?: boolean | (() => Promise<Device>);
  /** Default of every call. Default `'gpu'`. */
  readonly backend?: Backend;
  /** What an earlier `calibrate()` returned. */
  readonly calibration?: Calibration;
  /** Tighter limits than the device's, for tests and for sharing a device. */
  readonly limits?: Partial<TileLimits>;
}

/** What one dispatch may use. */
export interface TileLimits {
  /** Bytes of one storage binding. */
  readonly bindingBytes: number;
  /** Workgroups (of 64 threads) a dimension. */
  readonly workgroups: number;
  /** Pairs a dispatch: a long dispatch may be taken for a hang by the driver. */
  readonly pairs: number;
}

export interface JobOptions extends IouOptions {
  /** Overrides the default of the object. */
  readonly backend?: Backend;
  /** The boxes are rotated by these angles and compared by ProbIoU, in place of a `metric`. */
  readonly rotated?: RotatedJob;
}

/** Angles of both arrays, whose boxes are then unrotated rectangles; as `rotatedIou` with `overlap: 'probiou'`. */
export interface RotatedJob extends AngleOptions {
  readonly aAngles: BoxArray;
  readonly bAngles: BoxArray;
}

/**
 * Boxes that lie in a buffer of the same device, a model's output say (`tensor.gpuBuffer` of onnxruntime-web), in the
 * call's `format`. They are read there and never copied to the CPU; the buffer (usage STORAGE) stays the caller's, and
 * may be larger than the boxes. Number k of box i is the float32 at `offset + i · boxStride + k · valueStride`: with
 * the defaults rows of four; an output `[1, 84, 8400]` has `boxStride: 1, valueStride: 8400`.
 */
export interface GpuBoxes {
  readonly buffer: DeviceBuffer;
  /** Number of boxes. */
  readonly count: number;
  /** Default 0. */
  readonly offset?: number;
  /** Default 4. */
  readonly boxStride?: number;
  /** Default 1. */
  readonly valueStride?: number;
}

/** `'array'` reads the result back; `'buffer'` leaves it on the GPU. */
export type Output = 'array' | 'buffer';

export interface GpuPairwiseOptions extends JobOptions {
  /** Receives the result in its first numbers. */
  readonly out?: Float32Array;
  readonly output?: Output;
  /** Boxes of several images in one submission: only boxes of the same image are compared. */
  readonly batch?: Batch;
}

export interface GpuAlignedOptions extends JobOptions {
  readonly out?: Float32Array;
  readonly output?: Output;
}

export interface GpuBestMatchOptions extends JobOptions {
  /** Also the second best column of each row. */
  readonly secondBest?: boolean;
  /** Also the best row of each column. Not with `output: 'buffer'`. */
  readonly columnBest?: boolean;
  readonly out?: GpuBestMatch;
  readonly output?: Output;
  /** Boxes of several images in one submission. Indices count in all of b. */
  readonly batch?: Batch;
}

/** -Infinity and -1 where there is nothing to match. */
export interface GpuBestMatch {
  readonly values: Float32Array;
  readonly indices: Int32Array;
  /** With `secondBest`: N values and indices. */
  readonly secondValues?: Float32Array;
  readonly secondIndices?: Int32Array;
  /** With `columnBest`: M values, and M indices into a. */
  readonly columnValues?: Float32Array;
  readonly columnIndices?: Int32Array;
}

/** A result left on the GPU. */
export interface GpuResult extends Disposable {
  /**
   * float32 similarities, or for `bestMatch` a float32 value and an int32 index a row (8 bytes; with `secondBest` those
   * of the second follow: 16 bytes). Usage STORAGE, COPY_SRC and COPY_DST. May be larger than `byteLength`: never use
   * `arrayLength`.
   */
  readonly buffer: DeviceBuffer;
  readonly byteLength: number;
  /** Gives the buffer back; idempotent. `dispose()` of the BatchIou does it too. */
  release(): void;
}

/** How a job would run. */
export interface Explanation {
  readonly backend: 'gpu' | 'cpu';
  /** One sentence. */
  readonly reason: string;
  readonly metric: string;
  readonly pairs: number;
  /** Dispatches that the limits of the device ask for. */
  readonly tiles: number;
  readonly uploadBytes: number;
  readonly readbackBytes: number;
  /** Predicted milliseconds; null before `calibrate()`. */
  readonly cpuMs: number | null;
  readonly gpuMs: number | null;
}

export interface BatchIouStats {
  /** Buffers in use by calls and by results not released. */
  readonly liveBuffers: number;
  /** Buffers kept for the next call. */
  readonly pooledBuffers: number;
  /** Bytes of both. */
  readonly bufferBytes: number;
  /** Since the object was made. */
  readonly buffersCreated: number;
  readonly buffersDestroyed: number;
  readonly pipelines: number;
  readonly devices: number;
  readonly lost: boolean;
}

export type AnyOptions = Omit<GpuPairwiseOptions, 'out'> & { readonly out?: unknown };

/** A call's boxes: on the CPU, or on the GPU already. */
export type Boxes = BoxArray | GpuBoxes;

/** The result stays on the GPU. */
export interface ToBuffer {
  readonly output: 'buffer';
}

/** The result is read back, which is the default. */
export interface ToArray {
  readonly output?: 'array';
}

export interface ExplainOptions extends JobOptions {
  readonly kind?: JobKind;
  readonly secondBest?: boolean;
  readonly output?: Output;
}

export interface CalibrateOptions {
  /** Default IoU. */
  readonly metrics?: readonly Metric[];
  /** Default all three. */
  readonly kinds?: readonly JobKind[];
}
