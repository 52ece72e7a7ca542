/** A detector whose every call takes the options of this moment, so that a moved slider reaches the next frame. */
import type { DetectOptions, Detector } from '../../../src/detector/types.ts';
import type { FrameDetector } from '../../../src/stream/index.ts';

export interface Tap {
  options(): DetectOptions;
  /** A frame is about to be handed over; the detector will close it. */
  onFrame(frame: ImageBitmap): void;
}

export function tapDetector(detector: Detector, tap: Tap): FrameDetector<ImageBitmap> {
  return {
    detect(frame, options) {
      tap.onFrame(frame);
      return detector.detect(frame, { ...options, ...tap.options() });
    },
  };
}
