/** Options of `detectFrames`, for iterables and Observables alike. */
import type { DetectOptions } from '../detector/types.ts';
import { OptionError } from '../errors.ts';
import type { DroppedFrame } from './frames.ts';
import { type Overflow, readOverflow } from './overflow.ts';

/** How a stream of frames is detected; the options of `detect` (thresholds, classes, nms …) apply to every frame. */
export interface DetectFramesOptions extends DetectOptions {
  /** What happens to frames that arrive too fast. Default `'lossless'`. */
  readonly overflow?: Overflow;
  /** Frames in detection at a time, including results not yet taken; order is kept. Default 1. */
  readonly concurrency?: number;
  /**
   * `'throw'` (default) ends the stream with a frame's error, after the results before it. `'skip'` counts the frame as
   * failed and goes on; a disposed detector and a dead worker still end the stream. A function decides frame by frame.
   */
  readonly onError?: 'throw' | 'skip' | ((error: unknown, frameId: number) => 'throw' | 'skip');
  /** Told of every dropped frame, after it was closed. */
  readonly onDrop?: (dropped: DroppedFrame) => void;
  /** Ends the stream with the signal's reason; frames waiting and in detection are closed. */
  readonly signal?: AbortSignal;
}

/** Checks what the types cannot. */
export function checkOptions(options: DetectFramesOptions, detector: unknown): void {
  if (typeof (detector as { detect?: unknown } | null | undefined)?.detect !== 'function') {
    throw new OptionError(`detector: expected an object with a method detect, got ${detector}`);
  }
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(`options of detectFrames: expected an object, got ${options}`);
  }
  const { overflow = 'lossless', concurrency = 1, onError = 'throw', onDrop, signal } = options;
  readOverflow(overflow);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new OptionError(`concurrency: expected a whole number ≥ 1, got ${concurrency}`, { concurrency });
  }
  if (onError !== 'throw' && onError !== 'skip' && typeof onError !== 'function') {
    throw new OptionError(`onError: expected 'throw', 'skip' or a function, got ${onError}`, { onError });
  }
  if (onDrop !== undefined && typeof onDrop !== 'function') {
    throw new OptionError(`onDrop: expected a function, got ${onDrop}`, { onDrop });
  }
  checkSignal(signal);
}

/** Throws OptionError for what is no AbortSignal, its controller above all. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || typeof signal?.addEventListener === 'function') return;
  throw new OptionError(`signal: expected an AbortSignal, got ${signal}`);
}
