/**
 * Every error boxops throws on purpose: one class a failure, each with a stable `code` and typed `details`.
 *
 * The classes survive a worker boundary: `src/client` sends `code`, `message` and `details` and rebuilds the class
 * from `code` with {@link restoreError}. Messages name what came and what was expected.
 */

/** Facts about a failure, plain data (they must survive structured cloning). */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** Base of all boxops errors. */
export class BoxopsError extends Error {
  override readonly name: string = 'BoxopsError';
  /** Stable identifier of the failure, e.g. `SHAPE`. */
  readonly code: string = 'BOXOPS';
  readonly details: ErrorDetails;

  constructor(message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.details = details;
  }
}

/** An array has the wrong length or two arrays do not belong together. */
export class ShapeError extends BoxopsError {
  override readonly name = 'ShapeError';
  override readonly code = 'SHAPE';
}

/** An option has a value outside its domain, or two options contradict each other. */
export class OptionError extends BoxopsError {
  override readonly name = 'OptionError';
  override readonly code = 'OPTION';
}

/** A tensor's dims or type do not fit the head that should decode it; `details.fits` names heads that would. */
export class LayoutError extends BoxopsError {
  override readonly name = 'LayoutError';
  override readonly code = 'LAYOUT';
}

/** The bytes are not an ONNX model, are truncated, or the runtime refused them. */
export class ModelError extends BoxopsError {
  override readonly name = 'ModelError';
  override readonly code = 'MODEL';
}

/** The model's head cannot be told from its bytes; `details.candidates` ranks the heads that fit. */
export class AmbiguousModelError extends BoxopsError {
  override readonly name = 'AmbiguousModelError';
  override readonly code = 'AMBIGUOUS_MODEL';
}

/** An image cannot be decoded or has no pixels. */
export class ImageError extends BoxopsError {
  override readonly name = 'ImageError';
  override readonly code = 'IMAGE';
}

/** Numbers that should be finite are not, where that cannot have a documented result. */
export class NumericError extends BoxopsError {
  override readonly name = 'NumericError';
  override readonly code = 'NUMERIC';
}

/** Annotations or result files do not follow their format. */
export class DatasetError extends BoxopsError {
  override readonly name = 'DatasetError';
  override readonly code = 'DATASET';
}

/** The object was used after `dispose()`. */
export class DisposedError extends BoxopsError {
  override readonly name = 'DisposedError';
  override readonly code = 'DISPOSED';
}

/** A worker could not be started; `details.attempts` lists every way tried and why it failed. */
export class WorkerLoadError extends BoxopsError {
  override readonly name = 'WorkerLoadError';
  override readonly code = 'WORKER_LOAD';
}

/** A running worker died or sent something that cannot be read; every call it owed an answer is rejected with this. */
export class WorkerCrashError extends BoxopsError {
  override readonly name = 'WorkerCrashError';
  override readonly code = 'WORKER_CRASH';
}

/** The GPU device went away. */
export class DeviceLostError extends BoxopsError {
  override readonly name = 'DeviceLostError';
  override readonly code = 'DEVICE_LOST';
}

/** Something the call needs is not there: an optional peer, a web API, an execution provider. */
export class UnsupportedError extends BoxopsError {
  override readonly name = 'UnsupportedError';
  override readonly code = 'UNSUPPORTED';
}

const classes = [
  ShapeError,
  OptionError,
  LayoutError,
  ModelError,
  AmbiguousModelError,
  ImageError,
  NumericError,
  DatasetError,
  DisposedError,
  WorkerLoadError,
  WorkerCrashError,
  DeviceLostError,
  UnsupportedError,
] as const;

/** Rebuilds a boxops error from its `code`; an unknown code gives the base class. */
export function restoreError(code: string, message: string, details: ErrorDetails): BoxopsError {
  for (const Class of classes) {
    const error = new Class(message, details);
    if (error.code === code) return error;
  }
  return new BoxopsError(message, details);
}
