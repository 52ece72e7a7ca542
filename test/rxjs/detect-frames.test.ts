/** The RxJS operator: the semantics of the stream, pushed. */
import {
  concat,
  EMPTY,
  from,
  interval,
  lastValueFrom,
  map,
  NEVER,
  Observable,
  Subject,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageError } from '../../src/errors.ts';
import { detectFrames } from '../../src/rxjs/index.ts';
import type { FrameStats } from '../../src/stream/index.ts';
import { type FakeFrame, FrameCounter, fakeDetector, sleep } from '../stream/fakes.ts';

let counter: FrameCounter;
beforeEach(() => {
  counter = new FrameCounter();
});
afterEach(async () => {
  await expect.poll(() => counter.closed).toBe(counter.opened);
  expect(counter.twice).toBe(0);
});

const burst = (count: number): Observable<FakeFrame> =>
  new Observable((subscriber) => {
    for (let index = 0; index < count; index++) subscriber.next(counter.frame(index));
    subscriber.complete();
  });

const ids = (source: Observable<{ frameId: number }>) =>
  lastValueFrom(
    source.pipe(
      map(({ frameId }) => frameId),
      toArray(),
    ),
    { defaultValue: [] },
  );

describe('the operator', () => {
  it('lossless lets frames wait and delivers all in order', async () => {
    const results = burst(10).pipe(detectFrames(fakeDetector(() => sleep(1))));
    expect(await ids(results)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('latest, bounded and drop newest', async () => {
    const detector = fakeDetector(() => sleep(1));
    expect(await ids(burst(8).pipe(detectFrames(detector, { overflow: 'latest' })))).toEqual([0, 7]);
    expect(await ids(burst(8).pipe(detectFrames(detector, { overflow: { bounded: 2 } })))).toEqual([0, 6, 7]);
    const newest = { bounded: 2, drop: 'newest' } as const;
    expect(await ids(burst(8).pipe(detectFrames(detector, { overflow: newest })))).toEqual([0, 1, 2]);
  });

  it('counts each subscription for itself', async () => {
    const ends: FrameStats[] = [];
    const results = burst(6).pipe(
      detectFrames(
        fakeDetector(() => sleep(1)),
        { overflow: 'latest', onEnd: (stats) => ends.push(stats) },
      ),
    );
    await Promise.all([ids(results), ids(results)]);
    const expected = { received: 6, delivered: 2, dropped: 4, failed: 0, waiting: 0, running: 0 };
    expect(ends).toEqual([expected, expected]);
  });

  it('unsubscribing closes what waits and what runs, and leaves the source', async () => {
    let left = false;
    const source = new Observable<FakeFrame>((subscriber) => {
      for (let index = 0; index < 5; index++) subscriber.next(counter.frame(index));
      return () => {
        left = true;
      };
    });
    const aborted: string[] = [];
    const detector = fakeDetector((_, { signal }) =>
      sleep(60_000, signal).catch((reason) => {
        aborted.push(reason.name);
        throw reason;
      }),
    );
    let stats: FrameStats | undefined;
    const options = { onEnd: (final: FrameStats) => (stats = final) };
    const subscription = source.pipe(detectFrames(detector, options)).subscribe();
    await sleep(5);
    subscription.unsubscribe();
    expect(left).toBe(true);
    expect(stats).toMatchObject({ received: 5, dropped: 5, waiting: 0, running: 0 });
    await expect.poll(() => aborted).toEqual(['AbortError']);
  });

  it('take(n) ends source and detection', async () => {
    const source = interval(1).pipe(map((index) => counter.frame(index)));
    const results = source.pipe(detectFrames(fakeDetector(), { overflow: 'latest' }), take(3));
    expect((await ids(results)).length).toBe(3);
  });

  it('a frame error ends it after the results before; skip goes on', async () => {
    const detector = fakeDetector((frame) => {
      if (frame.index === 2) throw new ImageError('no pixels');
    });
    const seen: number[] = [];
    const run = new Promise((resolve) => {
      burst(5)
        .pipe(detectFrames(detector))
        .subscribe({ next: ({ frameId }) => seen.push(frameId), error: resolve });
    });
    expect(await run).toBeInstanceOf(ImageError);
    expect(seen).toEqual([0, 1]);
    expect(await ids(burst(5).pipe(detectFrames(detector, { onError: 'skip' })))).toEqual([0, 1, 3, 4]);
  });

  it('a source error comes after the frames before it', async () => {
    const source = concat(
      burst(3),
      throwError(() => new Error('unplugged')),
    );
    const seen: number[] = [];
    const run = new Promise((resolve) => {
      source
        .pipe(detectFrames(fakeDetector(() => sleep(1))))
        .subscribe({ next: ({ frameId }) => seen.push(frameId), error: resolve });
    });
    expect(await run).toMatchObject({ message: 'unplugged' });
    expect(seen).toEqual([0, 1, 2]);
  });

  it('an abort errors with the reason; an aborted signal takes no frame', async () => {
    const controller = new AbortController();
    const run = new Promise((resolve) => {
      concat(burst(2), NEVER)
        .pipe(
          detectFrames(
            fakeDetector((_, { signal }) => sleep(60_000, signal)),
            { signal: controller.signal },
          ),
        )
        .subscribe({ error: resolve });
    });
    controller.abort('enough');
    expect(await run).toBe('enough');
    let subscribed = false;
    const source = new Observable<FakeFrame>(() => {
      subscribed = true;
    });
    const refused = new Promise((resolve) => {
      source
        .pipe(detectFrames(fakeDetector(), { signal: AbortSignal.abort('no') }))
        .subscribe({ error: resolve });
    });
    expect(await refused).toBe('no');
    expect(subscribed).toBe(false);
  });

  it('an empty source completes; a source and its frames carry their time', async () => {
    expect(await ids((EMPTY as Observable<FakeFrame>).pipe(detectFrames(fakeDetector())))).toEqual([]);
    const timed = from([{ frame: counter.frame(0), timestamp: 77 }]);
    const result = await lastValueFrom(timed.pipe(detectFrames<FakeFrame>(fakeDetector())));
    expect(result).toMatchObject({ frameId: 0, timestamp: 77 });
  });

  it('completes only when the last frame is out', async () => {
    const frames = new Subject<FakeFrame>();
    const seen: (number | string)[] = [];
    frames.pipe(detectFrames(fakeDetector(() => sleep(2)))).subscribe({
      next: ({ frameId }) => seen.push(frameId),
      complete: () => seen.push('complete'),
    });
    frames.next(counter.frame(0));
    frames.next(counter.frame(1));
    frames.complete();
    await expect.poll(() => seen).toEqual([0, 1, 'complete']);
  });
});
