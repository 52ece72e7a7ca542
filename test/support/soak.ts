/**
 * The soak: many frames through a detector in a worker; memory must stay flat and every frame must be accounted for.
 *
 * Half of the frames go through `'lossless'`, half through `'latest'` from a source that is too fast, so that frames
 * are detected, dropped and closed on every path. Memory is read after garbage collection, on both sides of the worker.
 */
import { Detections } from '../../src/boxes/detections.ts';
import {
  type DroppedFrame,
  detectFrames,
  type FrameDetector,
  type Overflow,
} from '../../src/stream/index.ts';

/** Bytes a frame that memory may grow by: less than any frame, result or closure that leaks. */
export const allowedSlope = 1000;

export interface MemorySample {
  readonly frame: number;
  /** Used heap and array buffers of both threads. */
  readonly bytes: number;
}

export interface SoakSetup<Frame> {
  readonly detector: FrameDetector<Frame>;
  /** Opens frame `index`. */
  open(index: number): Frame;
  /** Whether a frame was closed. */
  isClosed(frame: Frame): boolean;
  /** Bytes in use after garbage collection. */
  memory(): Promise<number>;
  /** Frames in all. */
  readonly frames: number;
  /** Frames between samples. */
  readonly every: number;
}

export interface SoakReport {
  readonly samples: readonly MemorySample[];
  /** Bytes a frame, over the last two thirds of the samples: what the first third warms up is not a leak. */
  readonly slope: number;
  readonly received: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly opened: number;
  readonly closed: number;
  readonly detections: number;
}

/** Runs the soak. */
export async function soak<Frame>(setup: SoakSetup<Frame>): Promise<SoakReport> {
  const open = new Map<number, Frame>();
  const samples: MemorySample[] = [];
  const totals = { received: 0, delivered: 0, dropped: 0, detections: 0 };
  let opened = 0;
  let closed = 0;
  let measured = 0;

  const settle = (id: number) => {
    const frame = open.get(id);
    if (frame === undefined || !setup.isClosed(frame)) return;
    closed++;
    open.delete(id);
  };
  const sample = async () => {
    if (opened - measured < setup.every && samples.length > 0) return;
    measured = opened;
    samples.push({ frame: opened, bytes: await setup.memory() });
  };
  const run = async (overflow: Overflow, frames: number) => {
    const first = opened;
    // The fast source gives two frames for every one that is detected: results let it go on.
    let credit = 2;
    let wake = () => {};
    async function* source() {
      for (let index = 0; index < frames; index++) {
        while (overflow === 'latest' && credit === 0) await new Promise<void>((resolve) => (wake = resolve));
        credit--;
        const frame = setup.open(opened);
        open.set(opened++, frame);
        yield frame;
      }
    }
    const onDrop = ({ frameId }: DroppedFrame) => settle(first + frameId);
    const results = detectFrames(source(), setup.detector, { overflow, onDrop, scoreThreshold: 0.01 });
    for await (const { frameId, detections } of results) {
      if (!(detections instanceof Detections)) throw new Error('expected Detections');
      totals.detections += detections.count;
      settle(first + frameId);
      credit += 3;
      wake();
      await sample();
    }
    totals.received += results.stats.received;
    totals.delivered += results.stats.delivered;
    totals.dropped += results.stats.dropped;
  };

  // Both paths are warm before the first sample that counts.
  const rounds = 6;
  for (let round = 0; round < rounds; round++) {
    const until = Math.floor((setup.frames * (round + 1)) / rounds);
    await run(round % 2 === 0 ? 'lossless' : 'latest', until - opened);
  }
  for (const id of [...open.keys()]) settle(id);
  samples.push({ frame: opened, bytes: await setup.memory() });
  return {
    samples,
    slope: slopeOf(samples.slice(Math.floor(samples.length / 3))),
    opened,
    closed,
    ...totals,
  };
}

/** Median of the slopes of all pairs (Theil and Sen): one late collection does not tilt it. */
export function slopeOf(samples: readonly MemorySample[]): number {
  const slopes: number[] = [];
  for (let i = 0; i < samples.length; i++) {
    for (let k = i + 1; k < samples.length; k++) {
      slopes.push((samples[k]!.bytes - samples[i]!.bytes) / (samples[k]!.frame - samples[i]!.frame));
    }
  }
  slopes.sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  return slopes.length % 2 === 1 ? slopes[middle]! : (slopes[middle - 1]! + slopes[middle]!) / 2;
}

/** A report in one line. */
export function describeSoak(report: SoakReport): string {
  const { samples, slope, received, delivered, dropped, opened, closed, detections } = report;
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
  return (
    `${received} frames in = ${delivered} out + ${dropped} dropped, ${closed} of ${opened} closed, ` +
    `${detections} detections, memory ${mebibytes(samples[0]!.bytes)} → ${mebibytes(samples.at(-1)!.bytes)} MiB, ` +
    `slope ${slope.toFixed(0)} bytes a frame over ${samples.length} samples`
  );
}

/** Throws when the report shows a leak or a lost frame. */
export function checkSoak(report: SoakReport): void {
  const { received, delivered, dropped, opened, closed, slope } = report;
  const fair = received === delivered + dropped && received === opened && opened === closed && dropped > 0;
  if (!fair || !(slope <= allowedSlope)) throw new Error(`the soak failed: ${describeSoak(report)}`);
}
