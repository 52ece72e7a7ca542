/**
 * Frames taken at a steady rate from anything that can be asked for one: a canvas, a game, a test.
 */
import { OptionError } from '../../errors.ts';
import { closeFrame, type TimedFrame } from '../frames.ts';
import { checkSignal } from '../options.ts';
import { feedFrames } from './feed.ts';

export interface TimerFramesOptions {
  /** Frames a second. Default 30. */
  readonly fps?: number;
  /** Ends after this many. Default never. */
  readonly count?: number;
  /** Ends the source with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Calls `capture(index)` at a steady rate and yields what it gives; `undefined` ends the source.
 *
 * The first is taken at once. Ticks missed while nobody asked are left out, not made up for: a late one is taken at once
 * and the rhythm goes on. The time is `performance.now()` at the capture.
 *
 * @example
 * timerFrames(() => new VideoFrame(canvas, { timestamp: 1000 * performance.now() }), { fps: 15 });
 */
export function timerFrames<Frame>(
  capture: (index: number) => Frame | undefined | Promise<Frame | undefined>,
  options: TimerFramesOptions = {},
): AsyncIterableIterator<Required<TimedFrame<Frame>>> {
  if (typeof capture !== 'function') {
    throw new OptionError(`capture: expected a function that gives a frame, got ${capture}`);
  }
  const { fps = 30, count = Number.POSITIVE_INFINITY, signal } = options;
  checkSignal(signal);
  if (!(typeof fps === 'number' && fps > 0))
    throw new OptionError(`fps: expected a number above 0, got ${fps}`, { fps });
  const period = 1000 / fps;
  return feedFrames(
    () => {
      const start = performance.now();
      let index = 0;
      let tick = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      return {
        async next() {
          if (index >= count) return undefined;
          tick = Math.max(tick, Math.floor((performance.now() - start) / period));
          const wait = Math.max(0, start + tick * period - performance.now());
          await new Promise<void>((resolve) => {
            timer = setTimeout(resolve, wait);
          });
          tick++;
          const timestamp = performance.now();
          const frame = await capture(index++);
          return frame === undefined ? undefined : { frame, timestamp };
        },
        close: () => clearTimeout(timer),
      };
    },
    ({ frame }) => closeFrame(frame),
    signal,
  );
}
