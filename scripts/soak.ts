/**
 * `npm run soak`: 2,000 frames through a detector in a worker, in Node and in Chromium; then 1,000 GPU devices and 10,000
 * calls on one, in Chromium. Fails when memory grows by more than 1 kB a frame (4 kB a device, 400 bytes a call), a frame
 * is lost or left open, or a GPU buffer is left. `npm run soak -- 500` takes 500 frames and fewer of the rest.
 */
import { startVitest } from 'vitest/node';
import { soakNode } from '../test/stream/fixtures/soak-node.ts';
import { checkSoak, describeSoak } from '../test/support/soak.ts';

const frames = Number(process.argv[2] ?? 2000);
if (!Number.isInteger(frames) || frames < 60) {
  console.error(`expected a number of frames of at least 60, got ${process.argv[2]}`);
  process.exit(2);
}

const node = await soakNode(frames, Math.max(10, frames / 50));
console.log(`Node: ${describeSoak(node)}`);
checkSoak(node);
if (!node.exited) throw new Error('the worker thread did not exit');

// Chromium's parts are browser tests of their own, told how many frames to take.
process.env.BOXOPS_SOAK_FRAMES = String(frames);
const vitest = await startVitest('test', ['test/browser/soak.test.ts', 'test/browser/soak-webgpu.test.ts'], {
  project: ['browser'],
  watch: false,
  reporters: ['default'],
  disableConsoleIntercept: true,
});
const failed = vitest.state.getCountOfFailedTests() + vitest.state.getUnhandledErrors().length;
const ran = vitest.state.getTestModules().length;
await vitest.close();
process.exit(failed > 0 || ran === 0 ? 1 : 0);
