/**
 * What flows through a stream: frames in, results out, and who closes a frame.
 *
 * A frame belongs to the stream from the moment the source gives it. The stream closes what it drops; what it hands to
 * `detect` belongs to the detector from then on.
 */
import type { Detections } from '../boxes/detections.ts';
import type { DetectOptions, ImageSource } from '../detector/types.ts';

/** A frame with the time it was taken. */
export interface TimedFrame<Frame> {
  readonly frame: Frame;
  /** Milliseconds on the source's clock. Default: a `VideoFrame`'s own timestamp, else `performance.now()` on arrival. */
  readonly timestamp?: number;
}

/** What a source may yield: bare frames, or frames with their time. */
export type FrameInput<Frame> = Frame | TimedFrame<Frame>;

/** Where frames come from. A `ReadableStream` is cancelled, an iterator returned, when the stream ends early. */
export type FrameSource<Frame> =
  | AsyncIterable<FrameInput<Frame>>
  | Iterable<FrameInput<Frame>>
  | ReadableStream<FrameInput<Frame>>;

/** The part of a `Detector` that streams need; it owns, and closes, the frame it is given. */
export interface FrameDetector<Frame = ImageSource> {
  detect(frame: Frame, options: DetectOptions): Promise<Detections>;
}

/** One frame's detections. */
export interface FrameResult {
  /** Position of the frame in the source, from 0; gaps are dropped or failed frames. */
  readonly frameId: number;
  /** Milliseconds, see {@link TimedFrame}. */
  readonly timestamp: number;
  readonly detections: Detections;
  /** Milliseconds the frame waited for its turn. */
  readonly queueMs: number;
  /** Milliseconds from its turn to its detections, a worker's journey included. */
  readonly computeMs: number;
}

/** Why a frame was dropped: no room, or the stream ended before its detections were delivered. */
export interface DroppedFrame {
  readonly frameId: number;
  readonly timestamp: number;
  readonly reason: 'overflow' | 'stopped';
}

/** Always `received = delivered + dropped + failed + waiting + running`. */
export interface FrameStats {
  /** Frames the source gave. */
  readonly received: number;
  /** Results the consumer got. */
  readonly delivered: number;
  readonly dropped: number;
  /** Frames whose detection failed. */
  readonly failed: number;
  /** Frames waiting for their turn. */
  readonly waiting: number;
  /** Frames in detection, or detected and not yet taken by the consumer. */
  readonly running: number;
}

/** A frame under way. */
export interface QueuedFrame<Frame> {
  readonly frameId: number;
  readonly timestamp: number;
  readonly arrived: number;
  readonly frame: Frame;
}

/** Gives an arriving frame its number and time. */
export function queueFrame<Frame>(input: FrameInput<Frame>, frameId: number): QueuedFrame<Frame> {
  const arrived = performance.now();
  if (isTimed(input)) {
    const { frame, timestamp = ownTime(frame) ?? arrived } = input;
    return { frameId, timestamp, arrived, frame };
  }
  return { frameId, timestamp: ownTime(input) ?? arrived, arrived, frame: input };
}

/** Closes a frame that can be closed; others need nothing. */
export function closeFrame(frame: unknown): void {
  if (typeof frame !== 'object' || frame === null) return;
  const { close } = frame as { close?: unknown };
  if (typeof close === 'function') close.call(frame);
}

function isTimed<Frame>(input: FrameInput<Frame>): input is TimedFrame<Frame> {
  return typeof input === 'object' && input !== null && 'frame' in input;
}

/** A `VideoFrame` counts in microseconds. */
function ownTime(frame: unknown): number | undefined {
  return typeof VideoFrame === 'function' && frame instanceof VideoFrame ? frame.timestamp / 1000 : undefined;
}
