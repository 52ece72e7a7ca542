/**
 * A stream of frames in, a stream of detections out, over plain async iteration.
 */
import { nextTask } from '../detector/session/next-task.ts';
import type { ImageSource } from '../detector/types.ts';
import type { FrameDetector, FrameResult, FrameSource, FrameStats } from './frames.ts';
import { checkOptions, type DetectFramesOptions } from './options.ts';
import { FramePipeline, type Outcome } from './pipeline.ts';
import { type FrameReader, readFrames } from './reader.ts';

/** Results in the order of their frames; `stats` counts at any time, also after the end. */
export interface FrameResults extends AsyncIterableIterator<FrameResult> {
  readonly stats: FrameStats;
  /** Ends the stream: frames waiting are closed, detection under way is aborted, the source is closed. */
  return(): Promise<IteratorResult<FrameResult, undefined>>;
}

/**
 * Detects every frame of a source, one after another.
 *
 * Nothing is read before the first `next`. From then on the source is read as the `overflow` policy says (see
 * {@link Overflow}) and, while the consumer works on a result, the next frame is already in detection; `concurrency`
 * frames at most are in detection or waiting to be taken. Results keep the order of their frames.
 *
 * The stream owns the frames: what it drops it closes (and counts in `stats`), what it detects the detector closes.
 * Leaving the loop early, an abort and an error all close the source, the frames that wait and those in detection; none
 * of them waits for a source that does not answer.
 *
 * @param source frames, or `{ frame, timestamp }`, from an AsyncIterable, an Iterable or a ReadableStream
 * @param detector a `Detector`, or anything with its `detect`, which owns and closes the frame it is given
 * @throws OptionError for bad options; the iteration rejects with the source's error, a frame's error (see `onError`),
 *   or the signal's reason
 *
 * @example
 * const results = detectFrames(videoFrames(video), detector, { overflow: 'latest', scoreThreshold: 0.4 });
 * for await (const { frameId, detections, queueMs, computeMs } of results) draw(detections);
 * results.stats; // { received: 300, delivered: 121, dropped: 179, failed: 0, waiting: 0, running: 0 }
 */
export function detectFrames<Frame = ImageSource>(
  source: FrameSource<Frame>,
  detector: FrameDetector<NoInfer<Frame>>,
  options: DetectFramesOptions = {},
): FrameResults {
  return new DetectedFrames(source, detector, options);
}

interface Waiter {
  resolve(item: IteratorResult<FrameResult, undefined>): void;
  reject(error: unknown): void;
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** As `disposeKey`, for `await using`. */
const asyncDisposeKey: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);

class DetectedFrames<Frame> implements FrameResults {
  private readonly reader: FrameReader<Frame>;
  private readonly pipeline: FramePipeline<Frame>;
  private readonly waiters: Waiter[] = [];
  private wakeReader: (() => void) | undefined;
  private reading = false;
  private serving = false;

  constructor(source: FrameSource<Frame>, detector: FrameDetector<Frame>, options: DetectFramesOptions) {
    // First: a stream is locked by its reader, and a bad option must not leave it so.
    checkOptions(options, detector);
    this.reader = readFrames(source);
    this.pipeline = new FramePipeline(
      detector,
      options,
      () => this.serve(),
      () => this.reader.close(),
    );
  }

  get stats(): FrameStats {
    return this.pipeline.stats;
  }

  next(): Promise<IteratorResult<FrameResult, undefined>> {
    if (!this.reading) {
      this.reading = true;
      void this.read();
    }
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      this.serve();
    });
  }

  return(): Promise<IteratorResult<FrameResult, undefined>> {
    this.pipeline.stop({ kind: 'end' });
    return Promise.resolve(done);
  }

  async throw(error: unknown): Promise<IteratorResult<FrameResult, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [asyncDisposeKey](): Promise<void> {
    await this.return();
  }

  /** Reads the source until it ends or is not wanted any more. */
  private async read(): Promise<void> {
    const { pipeline, reader } = this;
    try {
      while (!pipeline.isClosed) {
        if (!pipeline.hasRoom) {
          await new Promise<void>((resolve) => {
            this.wakeReader = resolve;
          });
          continue;
        }
        const item = await reader.next();
        if (item.done) return pipeline.finish();
        // A source that never waits would starve the detector's answers, and the page.
        if (pipeline.push(item.value)) await nextTask();
      }
    } catch (error) {
      pipeline.fail(error);
    }
  }

  /** Gives what is there to those who wait, and lets the reader look again. */
  private serve(): void {
    // The pipeline may speak before the constructor has it (a signal that is already aborted), and while it is asked
    // (a detector that aborts the stream at once).
    if (this.pipeline === undefined || this.serving) return;
    this.serving = true;
    while (this.waiters.length > 0) {
      const outcome = this.pipeline.take();
      if (outcome === undefined) break;
      settle(this.waiters.shift()!, outcome);
    }
    this.serving = false;
    this.wakeReader?.();
    this.wakeReader = undefined;
  }
}

function settle(waiter: Waiter, outcome: Outcome): void {
  if (outcome.kind === 'result') waiter.resolve({ done: false, value: outcome.result });
  else if (outcome.kind === 'error') waiter.reject(outcome.error);
  else waiter.resolve(done);
}
