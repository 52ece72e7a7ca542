/** Sources that run anywhere. Those of video elements and tracks are tested in the browser. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors.ts';
import { cameraFrames, detectFrames, timerFrames } from '../../src/stream/index.ts';
import { type FakeFrame, FrameCounter, fakeDetector, sleep } from './fakes.ts';

describe('timerFrames', () => {
  it('captures at a steady rate, so many', async () => {
    const times: number[] = [];
    for await (const { frame, timestamp } of timerFrames((index: number): number => index, {
      fps: 50,
      count: 10,
    })) {
      expect(frame).toBe(times.length);
      times.push(timestamp);
    }
    const span = times.at(-1)! - times[0]!;
    expect(times.length).toBe(10);
    expect(span).toBeGreaterThan(150);
    expect(span).toBeLessThan(3000);
  });

  it('leaves out ticks that nobody waited for', async () => {
    const frames = timerFrames(() => performance.now(), { fps: 100 });
    const { value: first } = await frames.next();
    await sleep(100);
    const { value: second } = await frames.next();
    const { value: third } = await frames.next();
    expect(second!.frame - first!.frame).toBeGreaterThan(90);
    expect(third!.frame - second!.frame).toBeGreaterThanOrEqual(0);
    await frames.return!();
  });

  it('ends at undefined, and at an error of the capture', async () => {
    const seen: number[] = [];
    for await (const { frame } of timerFrames((index) => (index < 3 ? index : undefined), { fps: 1000 }))
      seen.push(frame);
    expect(seen).toEqual([0, 1, 2]);
    const broken = timerFrames(() => Promise.reject(new Error('no picture')), { fps: 1000 });
    await expect(broken.next()).rejects.toThrow('no picture');
    expect(await broken.next()).toEqual({ done: true, value: undefined });
    expect(() => timerFrames(() => 1, { fps: 0 })).toThrow(OptionError);
  });

  it('return answers a pending next, and closes the frame that still comes', async () => {
    const counter = new FrameCounter();
    const slow = timerFrames(async () => sleep(20).then(() => counter.frame(0)), { fps: 1000 });
    const pending = slow.next();
    await sleep(10);
    expect(await slow.return!()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    await expect.poll(() => counter.closed).toBe(1);
    expect(counter.opened).toBe(1);
  });

  it('an abort rejects the pending next with the reason, or else the following one', async () => {
    const controller = new AbortController();
    const frames = timerFrames(() => 1, { fps: 0.01, signal: controller.signal });
    await frames.next();
    const pending = frames.next();
    controller.abort('stop');
    await expect(pending).rejects.toBe('stop');
    expect(await frames.next()).toEqual({ done: true, value: undefined });
    const aborted = timerFrames(() => 1, { signal: AbortSignal.abort('early') });
    await expect(aborted.next()).rejects.toBe('early');
    expect(await aborted.next()).toEqual({ done: true, value: undefined });
  });

  it('feeds a stream of detections', async () => {
    const counter = new FrameCounter();
    const source = timerFrames<FakeFrame>((index) => counter.frame(index), { fps: 200, count: 12 });
    const results = detectFrames(
      source,
      fakeDetector(() => sleep(12)),
      { overflow: 'latest' },
    );
    const times: number[] = [];
    for await (const { timestamp } of results) times.push(timestamp);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(results.stats.received).toBe(12);
    expect(counter.closed).toBe(12);
  });
});

it('cameraFrames says that there is no camera where there is none', async () => {
  await expect(cameraFrames().next()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
