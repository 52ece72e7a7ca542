/**
 * The machine under every stream: frames are pushed in, wait, are detected, and come out in order.
 *
 * It knows nothing of iterators or Observables. A frame is closed exactly once: by this class when it is dropped, by
 * the detector once it was handed over. Whatever ends the stream, no frame, no call and no listener is left behind.
 */
import { DisposedError, WorkerCrashError } from '../errors.ts';
import {
  closeFrame,
  type DroppedFrame,
  type FrameDetector,
  type FrameInput,
  type FrameResult,
  type FrameStats,
  type QueuedFrame,
  queueFrame,
} from './frames.ts';
import { checkOptions, type DetectFramesOptions } from './options.ts';
import { WaitingQueue } from './overflow.ts';

/** What the consumer gets next. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: FrameResult }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'end' };

/** A frame in detection; `result` is null while it runs. */
interface Running<Frame> {
  readonly queued: QueuedFrame<Frame>;
  result: FrameResult | null;
}

/** Frames pushed in, results taken out in their order: what `detectFrames` is made of. */
export class FramePipeline<Frame> {
  private readonly waiting: WaitingQueue<QueuedFrame<Frame>>;
  private readonly running: Running<Frame>[] = [];
  private readonly aborting = new AbortController();
  private readonly concurrency: number;
  private readonly counts = { received: 0, delivered: 0, dropped: 0, failed: 0 };
  /** How the stream will end once everything before was delivered; set by the source's end, or by a failure. */
  private ending: Outcome | undefined;
  private closed = false;
  private sourceClosed = false;

  /**
   * @param changed called whenever `take` or `hasRoom` may answer differently
   * @param stopped called once when the stream ends, so that the source can be closed
   */
  constructor(
    private readonly detector: FrameDetector<Frame>,
    private readonly options: DetectFramesOptions,
    private readonly changed: () => void,
    private readonly stopped: () => void,
  ) {
    checkOptions(options, detector);
    const { overflow = 'lossless', concurrency = 1 } = options;
    this.waiting = new WaitingQueue(overflow);
    this.concurrency = concurrency;
    if (options.signal?.aborted) this.abort();
    else options.signal?.addEventListener('abort', this.abort, { once: true });
  }

  get stats(): FrameStats {
    return { ...this.counts, waiting: this.waiting.length, running: this.running.length };
  }

  /** Whether no more frames are wanted: the stream is over or will be once its results are taken. Later ones are dropped. */
  get isClosed(): boolean {
    return this.closed || this.ending !== undefined;
  }

  /** Whether the source should be asked for a frame: always, except when it must be held back. */
  get hasRoom(): boolean {
    return !this.waiting.lossless || (this.running.length < this.concurrency && this.waiting.length === 0);
  }

  /** A frame from the source; true when a frame was dropped because of it. */
  push(input: FrameInput<Frame>): boolean {
    const queued = queueFrame(input, this.counts.received++);
    if (this.isClosed) {
      this.drop(queued, 'stopped');
      return true;
    }
    // With a free slot the frame would leave the queue at once; it must not push out another on its way through.
    if (this.running.length < this.concurrency && this.waiting.length === 0) {
      this.start(queued);
      return false;
    }
    const victim = this.waiting.push(queued);
    if (victim !== undefined) this.drop(victim, 'overflow');
    return victim !== undefined;
  }

  /** The source has no more frames. */
  finish(): void {
    this.ending ??= { kind: 'end' };
    this.changed();
  }

  /** The source failed. Frames it gave before are still detected and delivered. */
  fail(error: unknown): void {
    if (this.ending === undefined) this.ending = { kind: 'error', error };
    this.changed();
  }

  /** The next outcome, or undefined while it is not known. An `error` is told once, then `end` for ever. */
  take(): Outcome | undefined {
    const first = this.running[0];
    if (first === undefined) {
      if (this.waiting.length > 0 || this.ending === undefined) return undefined;
      const outcome = this.ending;
      this.ending = { kind: 'end' };
      this.close();
      return outcome;
    }
    if (first.result === null) return undefined;
    this.running.shift();
    this.counts.delivered++;
    this.advance();
    return { kind: 'result', result: first.result };
  }

  /** Ends now: what waits is dropped, what runs is aborted and dropped. The next `take` gives `outcome`. */
  stop(outcome: Outcome): void {
    if (this.closed) return;
    this.ending = outcome;
    this.close();
    // Frames of running calls are the detector's to close; here they only count.
    for (const { queued } of this.running.splice(0)) this.countDrop(queued, 'stopped');
    for (const queued of this.waiting.clear()) this.drop(queued, 'stopped');
    const ended = new DOMException('the stream of frames was ended', 'AbortError');
    this.aborting.abort(outcome.kind === 'error' ? outcome.error : ended);
    this.changed();
  }

  private readonly abort = () => this.stop({ kind: 'error', error: this.options.signal?.reason });

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.options.signal?.removeEventListener('abort', this.abort);
    this.closeSource();
  }

  private closeSource(): void {
    if (this.sourceClosed) return;
    this.sourceClosed = true;
    this.stopped();
  }

  /** Fills free slots. */
  private advance(): void {
    while (this.running.length < this.concurrency) {
      const queued = this.waiting.shift();
      if (queued === undefined) return;
      this.start(queued);
    }
  }

  private start(queued: QueuedFrame<Frame>): void {
    const running: Running<Frame> = { queued, result: null };
    this.running.push(running);
    const { frameId, timestamp, arrived } = queued;
    const begun = performance.now();
    this.detect(queued.frame).then(
      (detections) => {
        if (!this.running.includes(running)) return;
        const computeMs = performance.now() - begun;
        running.result = { frameId, timestamp, detections, queueMs: begun - arrived, computeMs };
        this.changed();
      },
      (error: unknown) => {
        if (this.running.includes(running)) this.failed(running, error);
      },
    );
  }

  private async detect(frame: Frame) {
    const { overflow, concurrency, onError, onDrop, ...options } = this.options;
    return this.detector.detect(frame, { ...options, signal: this.aborting.signal });
  }

  private failed(running: Running<Frame>, error: unknown): void {
    const verdict = this.judge(error, running.queued.frameId);
    // `onError` may have ended the stream, which dropped this frame with the others
    if (!this.running.includes(running)) return;
    this.counts.failed++;
    if (verdict === 'skip') {
      this.running.splice(this.running.indexOf(running), 1);
      this.advance();
    } else {
      this.endAt(running, verdict.error);
    }
    this.changed();
  }

  private judge(error: unknown, frameId: number): 'skip' | { readonly error: unknown } {
    const { onError = 'throw' } = this.options;
    // Every later frame would fail as well.
    if (error instanceof DisposedError || error instanceof WorkerCrashError) return { error };
    try {
      const policy = typeof onError === 'function' ? onError(error, frameId) : onError;
      return policy === 'skip' ? 'skip' : { error };
    } catch (thrown) {
      return { error: thrown };
    }
  }

  /** The stream ends with this frame's error: frames before it are delivered, those after it dropped. */
  private endAt(running: Running<Frame>, error: unknown): void {
    const later = this.running.splice(this.running.indexOf(running)).slice(1);
    for (const { queued } of later) this.countDrop(queued, 'stopped');
    for (const queued of this.waiting.clear()) this.drop(queued, 'stopped');
    this.ending = { kind: 'error', error };
    this.closeSource();
  }

  private drop(queued: QueuedFrame<Frame>, reason: DroppedFrame['reason']): void {
    closeFrame(queued.frame);
    this.countDrop(queued, reason);
  }

  private countDrop({ frameId, timestamp }: QueuedFrame<Frame>, reason: DroppedFrame['reason']): void {
    this.counts.dropped++;
    const { onDrop } = this.options;
    // Not here and now: a callback that throws must not leave the rest of the frames open.
    if (onDrop !== undefined) queueMicrotask(() => onDrop({ frameId, timestamp, reason }));
  }
}
