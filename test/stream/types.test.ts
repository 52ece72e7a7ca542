/** A `Detector` fits every stream as it is, whatever its frames; checked by the compiler. */
import type { Observable } from 'rxjs';
import { expect, it } from 'vitest';
import type { Detector } from '../../src/detector/index.ts';
import { detectFrames as operator } from '../../src/rxjs/index.ts';
import {
  detectFrames,
  type FrameResult,
  type FrameResults,
  timerFrames,
  videoFrames,
} from '../../src/stream/index.ts';

function compiles(detector: Detector, video: HTMLVideoElement, frames: Observable<VideoFrame>) {
  const fromVideo: FrameResults = detectFrames(videoFrames(video), detector, { overflow: 'latest' });
  const fromArray: FrameResults = detectFrames([new Blob()], detector);
  const fromTimer: FrameResults = detectFrames(
    timerFrames(() => new OffscreenCanvas(1, 1)),
    detector,
  );
  const piped: Observable<FrameResult> = frames.pipe(operator(detector, { overflow: { bounded: 2 } }));
  // @ts-expect-error a number is no picture
  detectFrames([1, 2], detector);
  return { fromVideo, fromArray, fromTimer, piped };
}

it('compiles', () => {
  expect(compiles).toBeTypeOf('function');
});
