/**
 * Whatever the timing, the policy and the way it ends: every frame is accounted for, closed once, and in order.
 *
 * The schedule is fast-check's: it decides in which order source, detector and consumer go on, and shrinks a failing
 * interleaving to the shortest.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DroppedFrame, detectFrames, type Overflow } from '../../src/stream/index.ts';
import { FrameCounter, fakeDetector } from './fakes.ts';

const overflows: fc.Arbitrary<Overflow> = fc.oneof(
  fc.constant<Overflow>('latest'),
  fc.constant<Overflow>('lossless'),
  fc.record({
    bounded: fc.integer({ min: 1, max: 5 }),
    drop: fc.constantFrom('oldest' as const, 'newest' as const),
  }),
);

const plans = fc.record({
  overflow: overflows,
  concurrency: fc.integer({ min: 1, max: 3 }),
  count: fc.integer({ min: 0, max: 25 }),
  /** Frames whose detection fails. */
  failing: fc.uniqueArray(fc.integer({ min: 0, max: 24 }), { maxLength: 4 }),
  onError: fc.constantFrom('throw' as const, 'skip' as const),
  /** Where the consumer leaves, or the signal aborts, or the source fails; never when beyond the count. */
  leaveAfter: fc.integer({ min: 1, max: 40 }),
  abortAfter: fc.integer({ min: 1, max: 80 }),
  sourceFailsAt: fc.integer({ min: 0, max: 60 }),
  /** Where the source does not wait at all, so that frames come in bursts. */
  burst: fc.boolean(),
});

it('frames in = out + dropped + failed, closes = opens, order kept', async () => {
  let drops = 0;
  let ends = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, async (scheduler, plan) => {
      const counter = new FrameCounter();
      const aborting = new AbortController();
      const dropped: DroppedFrame[] = [];
      let steps = 0;
      const step = async (label: string) => {
        if (++steps === plan.abortAfter) aborting.abort('aborted');
        await scheduler.schedule(Promise.resolve(), label);
      };
      async function* source() {
        for (let index = 0; index < plan.count; index++) {
          if (!plan.burst) await step(`source ${index}`);
          if (index === plan.sourceFailsAt) throw new Error('source');
          yield counter.frame(index);
        }
      }
      const detector = fakeDetector(async (frame) => {
        await step(`detect ${frame.index}`);
        if (plan.failing.includes(frame.index)) throw new Error('detector');
      });
      const results = detectFrames(source(), detector, {
        overflow: plan.overflow,
        concurrency: plan.concurrency,
        onError: plan.onError,
        signal: aborting.signal,
        onDrop: (drop) => dropped.push(drop),
      });
      const seen: number[] = [];
      let end: unknown = 'end';
      const consume = async () => {
        try {
          for await (const { frameId } of results) {
            seen.push(frameId);
            if (seen.length === plan.leaveAfter) break;
            await step('consumer');
          }
        } catch (error) {
          end = error;
        }
      };
      await scheduler.waitFor(consume());
      await scheduler.waitIdle();
      // Late frames and aborted calls settle in tasks of their own.
      for (let turn = 0; turn < 50 && (counter.closed < counter.opened || detector.running > 0); turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        await scheduler.waitIdle();
      }
      const { received, delivered, dropped: droppedCount, failed, waiting, running } = results.stats;
      expect(received).toBe(counter.opened);
      expect(received).toBe(delivered + droppedCount + failed);
      expect([waiting, running, detector.running]).toEqual([0, 0, 0]);
      expect([counter.closed, counter.twice]).toEqual([counter.opened, 0]);
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
      expect(delivered).toBe(seen.length);
      expect(dropped.length).toBe(droppedCount);
      expect(dropped.filter(({ frameId }) => seen.includes(frameId))).toEqual([]);
      expect(detector.most).toBeLessThanOrEqual(plan.concurrency);
      if (plan.overflow === 'lossless') {
        expect(dropped.filter(({ reason }) => reason === 'overflow')).toEqual([]);
        if (end === 'end' && seen.length < plan.leaveAfter) expect(delivered + failed).toBe(plan.count);
      }
      if (end === 'end' && seen.length < plan.leaveAfter && plan.overflow === 'latest' && plan.count > 0) {
        const last = plan.count - 1;
        if (!plan.failing.includes(last)) expect(seen.at(-1)).toBe(last);
      }
      drops += droppedCount;
      if (end === 'end') ends++;
    }),
    { numRuns: 400 },
  );
  // The plans must reach what they are about.
  expect(drops).toBeGreaterThan(200);
  expect(ends).toBeGreaterThan(50);
});
