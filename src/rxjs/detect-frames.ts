/**
 * `detectFrames` as an RxJS operator: the same pipeline, pushed by an Observable.
 */
import { Observable, type OperatorFunction } from 'rxjs';
import type { ImageSource } from '../detector/types.ts';
import {
  type DetectFramesOptions,
  type FrameDetector,
  type FrameInput,
  FramePipeline,
  type FrameResult,
  type FrameStats,
} from '../stream/index.ts';

/** Options of the operator. */
export interface DetectFramesOperatorOptions extends DetectFramesOptions {
  /** Told once a subscription, when it ended (completed, failed, or unsubscribed), what became of its frames. */
  readonly onEnd?: (stats: FrameStats) => void;
}

/**
 * Detects the frames of an Observable; results come in the order of their frames.
 *
 * Options, ownership and errors are those of `detectFrames` in `boxops/stream`. An Observable cannot be held back: with
 * `overflow: 'lossless'` (the default) frames that arrive too fast wait without bound, so live sources want `'latest'`
 * or `{ bounded: n }`. Unsubscribing closes every frame that waits, aborts and closes those in detection, and
 * unsubscribes from the source; so does an error of a frame. An error of the source is passed on after the frames
 * before it. Each subscription has its own queue and counts.
 *
 * @example
 * frames$.pipe(detectFrames(detector, { overflow: 'latest' })).subscribe(({ detections }) => draw(detections));
 */
export function detectFrames<Frame = ImageSource>(
  detector: FrameDetector<NoInfer<Frame>>,
  options: DetectFramesOperatorOptions = {},
): OperatorFunction<FrameInput<Frame>, FrameResult> {
  const { onEnd, ...streamOptions } = options;
  return (source) =>
    new Observable((subscriber) => {
      let delivering = false;
      const deliver = () => {
        // Not before there is a pipeline (a signal that is already aborted), nor from within `next`.
        if (pipeline === undefined || delivering) return;
        delivering = true;
        let outcome = pipeline.take();
        while (outcome?.kind === 'result') {
          subscriber.next(outcome.result);
          outcome = pipeline.take();
        }
        delivering = false;
        if (outcome?.kind === 'error') subscriber.error(outcome.error);
        else if (outcome?.kind === 'end') subscriber.complete();
      };
      const unsubscribe = () => subscription?.unsubscribe();
      let subscription: { unsubscribe(): void } | undefined;
      let pipeline: FramePipeline<Frame> | undefined;
      const frames = new FramePipeline<Frame>(detector, streamOptions, deliver, unsubscribe);
      pipeline = frames;
      subscriber.add(() => {
        frames.stop({ kind: 'end' });
        onEnd?.(frames.stats);
      });
      deliver();
      if (subscriber.closed) return;
      subscription = source.subscribe({
        next: (input) => void frames.push(input),
        error: (error: unknown) => frames.fail(error),
        complete: () => frames.finish(),
      });
      if (frames.isClosed) unsubscribe();
    });
}
