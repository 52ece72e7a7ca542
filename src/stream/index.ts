/** Streams of frames: sources, overflow policies, detection in order. */
export { detectFrames, type FrameResults } from './detect-frames.ts';
export type {
  DroppedFrame,
  FrameDetector,
  FrameInput,
  FrameResult,
  FrameSource,
  FrameStats,
  TimedFrame,
} from './frames.ts';
export type { DetectFramesOptions } from './options.ts';
export type { Overflow } from './overflow.ts';
export { FramePipeline, type Outcome } from './pipeline.ts';
export {
  type CameraFramesOptions,
  cameraFrames,
  mediaStreamFrames,
  type TrackFrame,
} from './sources/media-stream.ts';
export { type TimerFramesOptions, timerFrames } from './sources/timer.ts';
export { type VideoFramesOptions, videoFrames } from './sources/video.ts';
