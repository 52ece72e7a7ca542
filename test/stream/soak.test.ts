/** 300 frames through a detector in a worker thread; `npm run soak` does 2,000. */
import { expect, it } from 'vitest';
import { liveWorkers } from '../../src/client/index.ts';
import { checkSoak, describeSoak, slopeOf } from '../support/soak.ts';
import { soakNode } from './fixtures/soak-node.ts';

it('300 frames: memory flat, none lost, all closed, no thread left', { timeout: 600_000 }, async () => {
  const report = await soakNode(300, 10);
  checkSoak(report);
  expect(report.received, describeSoak(report)).toBe(300);
  expect(report.detections).toBeGreaterThan(0);
  expect(report.exited).toBe(true);
  expect(liveWorkers()).toBe(0);
});

it('the slope tells a leak of 2 kB a frame from noise', () => {
  const noise = (frame: number) => 20_000 * Math.sin(frame * 12.9898);
  const samples = (leak: number) =>
    Array.from({ length: 20 }, (_, index) => ({
      frame: 10 * index,
      bytes: 1e7 + leak * 10 * index + noise(index),
    }));
  expect(slopeOf(samples(0))).toBeLessThan(300);
  expect(slopeOf(samples(2000))).toBeGreaterThan(1500);
});
