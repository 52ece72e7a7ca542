/** The documented behaviour of `detectFrames`, one sentence at a time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DisposedError, ImageError, OptionError, WorkerCrashError } from '../../src/errors.ts';
import { type DroppedFrame, detectFrames, type FrameResult, timerFrames } from '../../src/stream/index.ts';
import { type FakeFrame, FrameCounter, fakeDetector, indexOf, sleep, steadyFrames } from './fakes.ts';

let counter: FrameCounter;
beforeEach(() => {
  counter = new FrameCounter();
});
afterEach(async () => {
  await expect.poll(() => counter.closed).toBe(counter.opened);
  expect(counter.twice).toBe(0);
});

async function collect(results: AsyncIterable<FrameResult>): Promise<FrameResult[]> {
  const all: FrameResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

const ids = (results: readonly FrameResult[]) => results.map(({ frameId }) => frameId);
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('overflow', () => {
  it('lossless delivers every frame in order and holds the source back', async () => {
    let ahead = 0;
    let taken = 0;
    async function* source() {
      for (const index of range(20)) {
        ahead = Math.max(ahead, counter.opened - taken);
        yield counter.frame(index);
      }
    }
    const results = detectFrames(
      source(),
      fakeDetector(() => sleep(1)),
      { overflow: 'lossless' },
    );
    const seen: number[] = [];
    for await (const { frameId, detections } of results) {
      expect(indexOf(detections)).toBe(frameId);
      seen.push(frameId);
      taken++;
      await sleep(1);
    }
    expect(seen).toEqual(range(20));
    expect(ahead).toBeLessThanOrEqual(2);
    expect(results.stats).toEqual({
      received: 20,
      delivered: 20,
      dropped: 0,
      failed: 0,
      waiting: 0,
      running: 0,
    });
  });

  it('latest keeps the newest frame waiting, and the last frame always gets through', async () => {
    const dropped: DroppedFrame[] = [];
    const results = detectFrames(
      steadyFrames(counter, 40, 2),
      fakeDetector(() => sleep(15)),
      {
        overflow: 'latest',
        onDrop: (drop) => dropped.push(drop),
      },
    );
    const all = await collect(results);
    const { received, delivered, dropped: count } = results.stats;
    expect(received).toBe(40);
    expect(delivered + count).toBe(40);
    expect(count).toBeGreaterThan(10);
    expect(ids(all).at(-1)).toBe(39);
    expect(ids(all)).toEqual([...ids(all)].sort((a, b) => a - b));
    expect(dropped.map(({ frameId }) => frameId).sort((a, b) => a - b)).toEqual(
      range(40).filter((id) => !ids(all).includes(id)),
    );
    expect(new Set(dropped.map(({ reason }) => reason))).toEqual(new Set(['overflow']));
  });

  /** Frame 0 is in detection until all eight have arrived. */
  async function burst(overflow: { bounded: number; drop?: 'oldest' | 'newest' } | 'latest') {
    let release: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* source() {
      for (const index of range(8)) yield counter.frame(index);
      release();
    }
    const detector = fakeDetector((frame) => (frame.index === 0 ? arrived : undefined));
    return ids(await collect(detectFrames(source(), detector, { overflow })));
  }

  it('bounded drops the oldest that waits', async () => {
    expect(await burst({ bounded: 3 })).toEqual([0, 5, 6, 7]);
  });

  it('bounded with drop newest drops the one that arrives', async () => {
    expect(await burst({ bounded: 3, drop: 'newest' })).toEqual([0, 1, 2, 3]);
  });

  it('latest is bounded to one', async () => {
    expect(await burst('latest')).toEqual([0, 7]);
  });

  it('an endless source that never waits cannot starve the rest', async () => {
    function* endless() {
      for (let index = 0; ; index++) yield counter.frame(index);
    }
    const results = detectFrames(
      endless(),
      fakeDetector(() => sleep(3)),
      { overflow: 'latest' },
    );
    let seen = 0;
    for await (const _ of results) if (++seen === 5) break;
    expect(results.stats.dropped).toBeGreaterThan(5);
  });

  it('refuses what is no policy, no source, no count', () => {
    const detector = fakeDetector();
    const bad = [{ bounded: 0 }, { bounded: 1.5 }, { bounded: 2, drop: 'all' }, 'newest', null, 3];
    for (const overflow of bad) {
      expect(() => detectFrames([] as FakeFrame[], detector, { overflow: overflow as 'latest' })).toThrow(
        OptionError,
      );
    }
    expect(() => detectFrames([] as FakeFrame[], detector, { concurrency: 0 })).toThrow(OptionError);
    expect(() => detectFrames([] as FakeFrame[], detector, { onError: 'ignore' as 'skip' })).toThrow(
      OptionError,
    );
    expect(() => detectFrames<FakeFrame>(5 as never, detector)).toThrow(OptionError);
    expect(() => detectFrames([] as FakeFrame[], undefined as never)).toThrow(OptionError);
    const wrong = [null, 'latest', 2, { onDrop: 'count' }, { signal: new AbortController() }];
    for (const options of wrong) {
      expect(() => detectFrames([] as FakeFrame[], detector, options as never)).toThrow(OptionError);
    }
    expect(() => timerFrames(undefined as never)).toThrow(OptionError);
    expect(() => timerFrames(() => 0, { fps: '30' as never })).toThrow(OptionError);
  });
});

describe('results', () => {
  it('carry the frame number, the source time, queue and compute times', async () => {
    async function* source() {
      yield { frame: counter.frame(0), timestamp: 1234 };
      yield { frame: counter.frame(1) };
    }
    const before = performance.now();
    const [first, second] = await collect(
      detectFrames(
        source(),
        fakeDetector(() => sleep(20)),
      ),
    );
    expect(first).toMatchObject({ frameId: 0, timestamp: 1234 });
    expect(first!.computeMs).toBeGreaterThanOrEqual(15);
    expect(first!.queueMs).toBeGreaterThanOrEqual(0);
    expect(second!.timestamp).toBeGreaterThanOrEqual(before);
  });

  it('tell how long a frame waited', async () => {
    const detector = fakeDetector(() => sleep(30));
    const source = [counter.frame(0), counter.frame(1)];
    const [, second] = await collect(detectFrames(source, detector, { overflow: { bounded: 4 } }));
    expect(second!.queueMs).toBeGreaterThanOrEqual(20);
  });

  it('keep the order with several frames in detection', async () => {
    const detector = fakeDetector((frame) => sleep(frame.index % 2 === 0 ? 12 : 1));
    const results = detectFrames(steadyFrames(counter, 12, 0), detector, { concurrency: 3 });
    expect(ids(await collect(results))).toEqual(range(12));
    expect(detector.most).toBe(3);
  });

  it('one frame at a time is in detection by default', async () => {
    const detector = fakeDetector(() => sleep(1));
    await collect(detectFrames(steadyFrames(counter, 6, 0), detector));
    expect(detector.most).toBe(1);
  });

  it('the options of detect reach every frame', async () => {
    const seen: unknown[] = [];
    const detector = fakeDetector((_, options) => seen.push(options));
    await collect(
      detectFrames([counter.frame(0)], detector, {
        scoreThreshold: 0.7,
        classes: ['dog'],
        overflow: 'latest',
      }),
    );
    expect(seen).toEqual([{ scoreThreshold: 0.7, classes: ['dog'], signal: expect.any(AbortSignal) }]);
  });

  it('may be asked for without waiting', async () => {
    const results = detectFrames(steadyFrames(counter, 3, 1), fakeDetector());
    const items = await Promise.all([
      results.next(),
      results.next(),
      results.next(),
      results.next(),
      results.next(),
    ]);
    expect(items.map(({ done, value }) => (done ? 'done' : value!.frameId))).toEqual([
      0,
      1,
      2,
      'done',
      'done',
    ]);
  });

  it('come from a ReadableStream, an array and a generator alike', async () => {
    const stream = new ReadableStream<FakeFrame>({
      start(controller) {
        for (const index of range(3)) controller.enqueue(counter.frame(index));
        controller.close();
      },
    });
    expect(ids(await collect(detectFrames(stream, fakeDetector())))).toEqual([0, 1, 2]);
    expect(
      ids(
        await collect(
          detectFrames(
            range(3).map((index) => counter.frame(index)),
            fakeDetector(),
          ),
        ),
      ),
    ).toEqual([0, 1, 2]);
    expect(await collect(detectFrames([] as FakeFrame[], fakeDetector()))).toEqual([]);
  });
});

describe('errors', () => {
  const failing = fakeDetector(async (frame) => {
    await sleep(1);
    if (frame.index === 3) throw new ImageError('frame 3 has no pixels');
  });

  it('throw: the results before it, then the error, then the end', async () => {
    const results = detectFrames(steadyFrames(counter, 10, 0), failing, { concurrency: 2 });
    const seen: number[] = [];
    await expect(async () => {
      for await (const { frameId } of results) seen.push(frameId);
    }).rejects.toBeInstanceOf(ImageError);
    expect(seen).toEqual([0, 1, 2]);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    const { received, delivered, dropped, failed } = results.stats;
    expect(received).toBe(delivered + dropped + failed);
    expect(failed).toBe(1);
  });

  it('skip: the frame counts as failed and the rest goes on', async () => {
    const results = detectFrames(steadyFrames(counter, 6, 0), failing, { onError: 'skip' });
    expect(ids(await collect(results))).toEqual([0, 1, 2, 4, 5]);
    expect(results.stats).toMatchObject({ received: 6, delivered: 5, failed: 1, dropped: 0 });
  });

  it('a function decides frame by frame', async () => {
    const seen: unknown[] = [];
    const onError = (error: unknown, frameId: number) => {
      seen.push([(error as Error).message, frameId]);
      return 'skip' as const;
    };
    await collect(detectFrames(steadyFrames(counter, 5, 0), failing, { onError }));
    expect(seen).toEqual([['frame 3 has no pixels', 3]]);
    const thrower = () => {
      throw new RangeError('the callback itself');
    };
    await expect(
      collect(detectFrames(steadyFrames(counter, 5, 0), failing, { onError: thrower })),
    ).rejects.toThrow(RangeError);
  });

  it.each([new DisposedError('gone'), new WorkerCrashError('gone')])(
    '%s ends the stream even with skip',
    async (error) => {
      const detector = fakeDetector(() => Promise.reject(error));
      const results = detectFrames(steadyFrames(counter, 1000, 0), detector, { onError: 'skip' });
      await expect(collect(results)).rejects.toBe(error);
      expect(results.stats.received).toBeLessThan(5);
    },
  );

  it.each(['throw', 'skip'] as const)('a function may end the stream itself (%s)', async (verdict) => {
    const ended: unknown[] = [];
    const onError = () => {
      ended.push(results.stats.running);
      void results.return();
      return verdict;
    };
    const results = detectFrames(steadyFrames(counter, 6, 0), failing, { onError });
    expect(ids(await collect(results))).toEqual([0, 1, 2]);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    expect(ended).toEqual([1]);
    const { received, delivered, dropped, failed } = results.stats;
    expect(received).toBe(delivered + dropped + failed);
  });

  it('counts are whole while the function is asked', async () => {
    const sums: number[] = [];
    const onError = () => {
      const { received, delivered, dropped, failed, waiting, running } = results.stats;
      sums.push(received - delivered - dropped - failed - waiting - running);
      return 'skip' as const;
    };
    const results = detectFrames(steadyFrames(counter, 6, 0), failing, { onError });
    await collect(results);
    expect(sums).toEqual([0]);
  });

  it('end the reading at once, also of a source that cannot be closed', async () => {
    let given = 0;
    const source: AsyncIterable<FakeFrame> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: counter.frame(given++) }),
      }),
    };
    const results = detectFrames(source, failing);
    for (let i = 0; i < 3; i++) await results.next();
    await sleep(30);
    // frame 3 failed; the consumer has not come for its error yet
    expect(given).toBeLessThanOrEqual(5);
    await expect(results.next()).rejects.toBeInstanceOf(ImageError);
  });

  it('of the source come after the frames before them', async () => {
    async function* source() {
      yield counter.frame(0);
      yield counter.frame(1);
      throw new Error('the camera was unplugged');
    }
    const results = detectFrames(
      source(),
      fakeDetector(() => sleep(2)),
      { overflow: { bounded: 5 } },
    );
    const seen: number[] = [];
    await expect(async () => {
      for await (const { frameId } of results) seen.push(frameId);
    }).rejects.toThrow('unplugged');
    expect(seen).toEqual([0, 1]);
  });
});

describe('ending early', () => {
  it('break closes the source, what waits and what runs, and waits for none of them', async () => {
    let returned = false;
    const stuck = {
      [Symbol.asyncIterator]: () => ({
        sent: 0,
        next(): Promise<IteratorResult<FakeFrame>> {
          if (this.sent === 4) return new Promise(() => undefined);
          return Promise.resolve({ done: false, value: counter.frame(this.sent++) });
        },
        return() {
          returned = true;
          return new Promise<never>(() => undefined);
        },
      }),
    };
    const reasons: unknown[] = [];
    const detector = fakeDetector(async (frame, { signal }) => {
      if (frame.index === 0) return;
      await sleep(60_000, signal).catch((reason) => {
        reasons.push(reason.name);
        throw reason;
      });
    });
    const results = detectFrames(stuck, detector, { overflow: { bounded: 2 } });
    for await (const _ of results) break;
    expect(returned).toBe(true);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    await expect.poll(() => reasons).toEqual(['AbortError']);
    const { received, delivered, dropped, waiting, running } = results.stats;
    expect({ received, waiting, running }).toEqual({ received: delivered + dropped, waiting: 0, running: 0 });
  });

  it('a frame that arrives after the end is closed', async () => {
    let give: (frame: FakeFrame) => void = () => undefined;
    const late = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise<IteratorResult<FakeFrame>>((resolve) => {
            give = (frame) => resolve({ done: false, value: frame });
          }),
      }),
    };
    const results = detectFrames(late, fakeDetector());
    const pending = results.next();
    await sleep(1);
    await results.return();
    expect(await pending).toEqual({ done: true, value: undefined });
    give(counter.frame(0));
    await expect.poll(() => results.stats).toMatchObject({ received: 1, dropped: 1 });
  });

  it('a ReadableStream is cancelled', async () => {
    let cancelled = false;
    const stream = new ReadableStream<FakeFrame>(
      {
        pull: (controller) => controller.enqueue(counter.frame(0)),
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    for await (const _ of detectFrames(stream, fakeDetector())) break;
    await expect.poll(() => cancelled).toBe(true);
  });

  it('an abort rejects with the reason at once', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const detector = fakeDetector((_, { signal }) => sleep(60_000, signal));
    const results = detectFrames(steadyFrames(counter, 10, 1), detector, {
      signal: controller.signal,
      overflow: { bounded: 3 },
    });
    const pending = results.next();
    setTimeout(() => controller.abort(reason), 20);
    await expect(pending).rejects.toBe(reason);
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });

  it('an aborted signal reads nothing', async () => {
    const source = steadyFrames(counter, 3, 0);
    const results = detectFrames(source, fakeDetector(), { signal: AbortSignal.abort('no') });
    await expect(results.next()).rejects.toBe('no');
    expect(counter.opened).toBe(0);
    expect(await source.next()).toEqual({ done: true, value: undefined });
  });

  it('leaves no listener on a signal that lives long', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await collect(detectFrames(steadyFrames(counter, 3, 0), fakeDetector(), { signal }));
    for await (const _ of detectFrames(steadyFrames(counter, 3, 0), fakeDetector(), { signal })) break;
    expect(listeners).toBe(0);
  });

  it('never reads without being asked', async () => {
    const results = detectFrames(steadyFrames(counter, 3, 0), fakeDetector());
    await sleep(5);
    expect(counter.opened).toBe(0);
    await results.return();
  });
});
