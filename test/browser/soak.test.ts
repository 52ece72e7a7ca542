/**
 * 300 video frames through a detector in a web worker; `npm run soak` does 2,000.
 *
 * Memory is Chromium's own count over the page and its workers, heap and array buffers; it is ready at the next garbage
 * collection, which both sides are asked for.
 */
import { expect, it } from 'vitest';
import { liveWorkers } from '../../src/client/index.ts';
import { createDetector } from '../../src/detector/index.ts';
import { checkSoak, describeSoak, soak } from '../support/soak.ts';

declare const __BOXOPS_SOAK_FRAMES__: number;
const frames = __BOXOPS_SOAK_FRAMES__;

const collect = (globalThis as { gc?: () => void }).gc;

interface MeasuringPerformance extends Performance {
  measureUserAgentSpecificMemory(): Promise<{ readonly bytes: number }>;
}

it(`${frames} frames: memory flat, none lost, all closed, no worker left`, {
  timeout: 3_600_000,
}, async () => {
  expect(collect, 'Chromium must be started with --js-flags=--expose-gc').toBeTypeOf('function');
  const worker = new Worker(new URL('../stream/fixtures/soak-web-worker.ts', import.meta.url), {
    type: 'module',
  });
  const model = new URL('../../models/digits/digits.onnx', import.meta.url).href;
  const detector = await createDetector({ model, worker: () => worker });
  const canvas = new OffscreenCanvas(160, 160);
  const context = canvas.getContext('2d')!;
  const report = await soak<VideoFrame>({
    frames,
    every: Math.max(10, frames / 50),
    detector,
    open(index) {
      context.fillStyle = '#eee';
      context.fillRect(0, 0, 160, 160);
      context.fillStyle = '#222';
      context.font = '60px sans-serif';
      context.fillText(String(index % 10), 20 + ((index * 7) % 80), 100);
      return new VideoFrame(canvas, { timestamp: index });
    },
    isClosed: ({ codedWidth }) => codedWidth === 0,
    async memory() {
      const measuring = (performance as MeasuringPerformance).measureUserAgentSpecificMemory();
      let ready = false;
      void measuring.then(() => {
        ready = true;
      });
      while (!ready) {
        collect?.();
        worker.postMessage('gc');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return (await measuring).bytes;
    },
  });
  const { framesOpened, framesClosed } = await detector.stats();
  expect(framesClosed).toBe(framesOpened);
  expect(framesOpened).toBe(report.delivered);
  detector.dispose();
  console.info(describeSoak(report));
  checkSoak(report);
  expect(report.received).toBe(frames);
  expect(report.detections).toBeGreaterThan(0);
  expect(liveWorkers()).toBe(0);
  const { held } = await navigator.locks.query();
  expect(held!.filter(({ name }) => name!.startsWith('boxops-worker-')).length).toBeLessThanOrEqual(1);
});
