/** The WebGPU suite in Node. Dawn is optional: where it is not, one test says so and counts it. */
import { expect, it } from 'vitest';
import { openDawn } from './dawn.ts';
import { webgpuSuite } from './suite.ts';

const dawn = await openDawn();

if ('gpu' in dawn) {
  webgpuSuite('Node (Dawn)', () => dawn.gpu);
} else {
  console.log(`absent: 1 backend, Dawn in Node (${dawn.absent}); the WebGPU suite runs in Chromium`);
  it('Dawn is absent here: the WebGPU suite runs in Chromium alone', () => expect(dawn.absent).not.toBe(''));
}
