/** Frames that know whether they were closed, and detectors that behave as told. */
import { Detections } from '../../src/boxes/detections.ts';
import type { DetectOptions } from '../../src/detector/types.ts';
import type { FrameDetector } from '../../src/stream/index.ts';

/** Counts frames: `opened === closed` when nothing leaked, `twice` must stay 0. */
export class FrameCounter {
  opened = 0;
  closed = 0;
  twice = 0;

  frame(index: number): FakeFrame {
    this.opened++;
    return new FakeFrame(index, this);
  }
}

export class FakeFrame {
  private open = true;
  readonly index: number;
  private readonly counter: FrameCounter;

  constructor(index: number, counter: FrameCounter) {
    this.index = index;
    this.counter = counter;
  }

  get isOpen(): boolean {
    return this.open;
  }

  close(): void {
    if (this.open) this.counter.closed++;
    else this.counter.twice++;
    this.open = false;
  }
}

/** Detections whose only box starts at x = `index`, so that a result tells which frame it came from. */
export function detectionsOf(index: number): Detections {
  return Detections.from({ boxes: [index, 0, index + 1, 1], scores: [1], classIds: [0] });
}

export const indexOf = (detections: Detections): number => detections.boxes[0]!;

/** Waits, or rejects with the signal's reason. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(finish, milliseconds);
    function finish() {
      signal?.removeEventListener('abort', abort);
      resolve();
    }
    function abort() {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A detector that owns its frames as the contract says. `work` takes the time, or throws. */
export function fakeDetector(
  work: (frame: FakeFrame, options: DetectOptions) => Promise<unknown> | unknown = () => undefined,
): FrameDetector<FakeFrame> & { running: number; most: number } {
  return {
    running: 0,
    most: 0,
    async detect(frame, options) {
      this.most = Math.max(this.most, ++this.running);
      try {
        options.signal?.throwIfAborted();
        if (!frame.isOpen) throw new Error(`frame ${frame.index} was closed before its turn`);
        await work(frame, options);
        return detectionsOf(frame.index);
      } finally {
        this.running--;
        frame.close();
      }
    },
  };
}

/** Frames 0 … count − 1, one every `period` milliseconds; as fast as asked for with 0. */
export async function* steadyFrames(counter: FrameCounter, count: number, period: number) {
  for (let index = 0; index < count; index++) {
    if (period > 0) await sleep(period);
    yield counter.frame(index);
  }
}
