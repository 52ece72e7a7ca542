/**
 * GPU devices made and given back, and calls on one of them: memory stays flat and no buffer is left. `npm run soak`
 * takes 1,000 devices and 10,000 calls; the gate a few, beside the fifty devices of the WebGPU suite.
 *
 * Buffers are counted at the device itself, apart from the library's own counts. Memory is Chromium's own count, as in
 * soak.test.ts; what the GPU process holds is bounded by the buffers and devices that are counted.
 */
import { expect, it } from 'vitest';
import { bestMatch } from '../../src/iou/index.ts';
import { createBatchIou } from '../../src/webgpu/index.ts';
import { type MemorySample, slopeOf } from '../support/soak.ts';
import { countedDevice, sampleBoxes } from '../webgpu/support.ts';

declare const __BOXOPS_SOAK_FRAMES__: number;
const full = __BOXOPS_SOAK_FRAMES__ >= 2000;
const devices = full ? 1000 : Math.max(10, Math.floor(__BOXOPS_SOAK_FRAMES__ / 20));
const calls = full ? 10_000 : 6 * devices;

/** Bytes a device, and a call, that memory may grow by: less than a forgotten pool, buffer or promise takes. */
const allowed = { device: 4000, call: 400 };

const collect = (globalThis as { gc?: () => void }).gc;

interface MeasuringPerformance extends Performance {
  measureUserAgentSpecificMemory(): Promise<{ readonly bytes: number }>;
}

async function memory(): Promise<number> {
  const measuring = (performance as MeasuringPerformance).measureUserAgentSpecificMemory();
  let ready = false;
  void measuring.then(() => {
    ready = true;
  });
  while (!ready) {
    collect?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return (await measuring).bytes;
}

/**
 * Runs `work` so many times and samples memory along the way; the slope is that of the last two thirds. Under a hundred
 * times it says nothing yet, and counts as 0.
 */
async function grow(
  times: number,
  work: (index: number) => Promise<void>,
): Promise<{ slope: number; text: string }> {
  const samples: MemorySample[] = [];
  const every = Math.max(5, Math.floor(times / 40));
  for (let index = 0; index < times; index++) {
    await work(index);
    if ((index + 1) % every === 0) samples.push({ frame: index + 1, bytes: await memory() });
  }
  const slope = times < 100 ? 0 : slopeOf(samples.slice(Math.floor(samples.length / 3)));
  const mebibytes = ({ bytes }: MemorySample): string => (bytes / 2 ** 20).toFixed(2);
  return {
    slope,
    text: `memory ${mebibytes(samples[0]!)} → ${mebibytes(samples.at(-1)!)} MiB, slope ${slope.toFixed(0)} bytes`,
  };
}

const [a, b] = [sampleBoxes(120, 1), sampleBoxes(40, 2)];
const metrics = ['iou', 'ciou'] as const;

it(`${devices} devices, own and given: memory flat, no buffer left`, { timeout: 3_600_000 }, async () => {
  expect(collect, 'Chromium must be started with --js-flags=--expose-gc').toBeTypeOf('function');
  const totals = { created: 0, destroyed: 0 };
  const { slope, text } = await grow(devices, async (index) => {
    const given = index % 2 === 0 ? await countedDevice(navigator.gpu) : undefined;
    const gpu = await createBatchIou(given === undefined ? {} : { device: given.device });
    const kept = await gpu.pairwise(a, b, { output: 'buffer' });
    const { indices } = await gpu.bestMatch(a, b, { metric: metrics[index % 2]! });
    expect(indices).toHaveLength(120);
    if (index % 3 === 0) kept.release();
    gpu.dispose();
    const { buffersCreated, buffersDestroyed, liveBuffers, pooledBuffers, bufferBytes } = gpu.stats();
    expect([buffersDestroyed, liveBuffers, pooledBuffers, bufferBytes]).toEqual([buffersCreated, 0, 0, 0]);
    totals.created += buffersCreated;
    totals.destroyed += buffersDestroyed;
    if (given === undefined) return;
    expect(given.counts).toEqual({ created: buffersCreated, destroyed: buffersDestroyed });
    given.device.destroy();
    await given.device.lost;
  });
  expect(totals.destroyed).toBe(totals.created);
  console.info(
    `${devices} devices: ${totals.created} buffers made, ${totals.destroyed} destroyed, ${text} a device`,
  );
  expect(slope).toBeLessThan(allowed.device);
});

it(`${calls} calls on one device: memory flat, buffers used again`, { timeout: 3_600_000 }, async () => {
  const { device, counts } = await countedDevice(navigator.gpu);
  const gpu = await createBatchIou({ device });
  const out = { values: new Float32Array(120), indices: new Int32Array(120) };
  const matrix = new Float32Array(120 * 40);
  const expected = bestMatch(a, b).indices;
  const call = async (index: number): Promise<void> => {
    const metric = metrics[(index >> 2) % 2]!;
    if (index % 4 === 0) await gpu.bestMatch(a, b, { metric, out });
    else if (index % 4 === 1) await gpu.pairwise(a, b, { metric, out: matrix });
    else if (index % 4 === 2) (await gpu.pairwise(a, b, { metric, output: 'buffer' })).release();
    else await gpu.bestMatch(a, b, { metric, secondBest: true, columnBest: true });
  };
  for (let index = 0; index < 16; index++) await call(index);
  const { created } = counts;
  const { slope, text } = await grow(calls, call);
  await gpu.bestMatch(a, b, { out });
  expect(out.indices).toEqual(expected);
  expect(counts.created, 'buffers made after the first calls').toBe(created);
  expect(gpu.stats().liveBuffers).toBe(0);
  gpu.dispose();
  expect(counts.destroyed).toBe(counts.created);
  device.destroy();
  await device.lost;
  console.info(
    `${calls} calls: ${counts.created} buffers made, ${counts.destroyed} destroyed, ${text} a call`,
  );
  expect(slope).toBeLessThan(allowed.call);
});
