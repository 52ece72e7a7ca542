/** Devices: own and given ones, their loss, their end, and fifty of them without a buffer left behind. */
import { describe, expect, it } from 'vitest';
import { DeviceLostError, DisposedError, OptionError, UnsupportedError } from '../../src/errors.ts';
import { pairwiseIou } from '../../src/iou/index.ts';
import { createBatchIou } from '../../src/webgpu/index.ts';
import type { OpenGpu } from './suite.ts';
import { countedDevice, sampleBoxes } from './support.ts';

const a = sampleBoxes(60, 1);
const b = sampleBoxes(40, 2);

export function deviceTests(open: OpenGpu): void {
  describe('devices', () => {
    it('a given device is used, and not destroyed', async () => {
      const { device, counts } = await countedDevice(open());
      const gpu = await createBatchIou({ device });
      const got = await gpu.pairwise(a, b);
      for (const [i, value] of pairwiseIou(a, b).entries()) expect(got[i]).toBeCloseTo(value, 6);
      expect(counts.created).toBe(gpu.stats().buffersCreated);
      gpu.dispose();
      expect(counts).toEqual({ created: gpu.stats().buffersCreated, destroyed: counts.created });
      let lost = false;
      device.lost.then(() => (lost = true));
      device.createBuffer({ size: 16, usage: 128 }).destroy();
      await device.queue.onSubmittedWorkDone();
      expect(lost).toBe(false);
      device.destroy();
      await device.lost;
    });

    it('a lost device fails pending and later calls with DeviceLostError', async () => {
      const { device, counts } = await countedDevice(open());
      const reasons: string[] = [];
      const gpu = await createBatchIou({ device, onLost: (reason) => reasons.push(reason) });
      await gpu.pairwise(a, b);
      const pending = [gpu.pairwise(a, b), gpu.bestMatch(a, b), gpu.aligned(a, a, { metric: 'nwd' })];
      device.destroy();
      for (const call of pending) await expect(call).rejects.toBeInstanceOf(DeviceLostError);
      await device.lost;
      await expect(gpu.pairwise(a, b)).rejects.toBeInstanceOf(DeviceLostError);
      expect(reasons).toEqual(['destroyed']);
      expect(gpu.stats()).toMatchObject({ lost: true, liveBuffers: 0, pooledBuffers: 0 });
      expect(counts.destroyed).toBe(counts.created);
      gpu.dispose();
      await expect(gpu.pairwise(a, b)).rejects.toBeInstanceOf(DisposedError);
    });

    it('makes one new device when asked to', async () => {
      const given = (await countedDevice(open())).device;
      const spare = (await countedDevice(open())).device;
      const gpu = await createBatchIou({ device: given, recreate: async () => spare });
      const before = await gpu.pairwise(a, b);
      given.destroy();
      await given.lost;
      const [first, second] = await Promise.all([gpu.pairwise(a, b), gpu.pairwise(a, b)]);
      expect(first).toEqual(before);
      expect(second).toEqual(before);
      expect(gpu.stats()).toMatchObject({ devices: 2, lost: false });
      spare.destroy();
      await spare.lost;
      await expect(gpu.pairwise(a, b)).rejects.toBeInstanceOf(DeviceLostError);
      // no third one will come, so the CPU is the faster side
      expect(gpu.explain(60, 40, { backend: 'auto' }).backend).toBe('cpu');
      const onCpu = await gpu.pairwise(a, b, { backend: 'auto' });
      for (const [i, value] of pairwiseIou(a, b).entries()) expect(onCpu[i]).toBeCloseTo(value, 6);
      gpu.dispose();
      await expect(createBatchIou({ device: given, recreate: true })).rejects.toBeInstanceOf(OptionError);
    });

    it('a new device that cannot be had is a DeviceLostError too', async () => {
      const { device } = await countedDevice(open());
      const gpu = await createBatchIou({ device, recreate: () => Promise.reject(new Error('none left')) });
      device.destroy();
      await device.lost;
      await expect(gpu.pairwise(a, b)).rejects.toBeInstanceOf(DeviceLostError);
      await expect(gpu.pairwise(a, b)).rejects.toBeInstanceOf(DeviceLostError);
      gpu.dispose();
    });

    it('a refused job is an UnsupportedError and leaves later calls as they were', async () => {
      const { device, counts } = await countedDevice(open());
      const gpu = await createBatchIou({ device });
      const before = await gpu.pairwise(a, b);
      const buffer = device.createBuffer({ size: a.byteLength, usage: 128 | 8 });
      buffer.destroy();
      const gone = { buffer, count: a.length / 4 };
      await expect(gpu.pairwise(gone, b)).rejects.toBeInstanceOf(UnsupportedError);
      await expect(gpu.bestMatch(gone, b, { columnBest: true })).rejects.toBeInstanceOf(UnsupportedError);
      await expect(gpu.pairwise(gone, b, { output: 'buffer' })).rejects.toBeInstanceOf(UnsupportedError);
      expect(gpu.stats().liveBuffers).toBe(0);
      for (let k = 0; k < 3; k++) expect(await gpu.pairwise(a, b)).toEqual(before);
      gpu.dispose();
      expect(counts.destroyed).toBe(counts.created);
      device.destroy();
      await device.lost;
    });

    it('a device without memory fails the calls of that time, not those that follow', async () => {
      const { device, counts, memory } = await countedDevice(open());
      const gpu = await createBatchIou({ device });
      memory.full = true;
      await expect(gpu.pairwise(a, b)).rejects.toBeInstanceOf(UnsupportedError);
      await expect(gpu.pairwise(a, b, { output: 'buffer' })).rejects.toBeInstanceOf(UnsupportedError);
      await expect(gpu.bestMatch(a, b, { columnBest: true })).rejects.toBeInstanceOf(UnsupportedError);
      memory.full = false;
      const expected = pairwiseIou(a, b);
      for (const [i, value] of (await gpu.pairwise(a, b)).entries())
        expect(value).toBeCloseTo(expected[i]!, 6);
      (await gpu.pairwise(a, b, { output: 'buffer' })).release();
      await gpu.bestMatch(a, b, { columnBest: true });
      expect(gpu.stats().liveBuffers).toBe(0);
      gpu.dispose();
      expect(counts.destroyed).toBe(counts.created);
      device.destroy();
      await device.lost;
    });

    it('refuses what is no device and limits that no job can keep', async () => {
      const { device } = await countedDevice(open());
      const none = [Promise.resolve(device), null, {}] as unknown as GPUDevice[];
      for (const given of none) {
        await expect(createBatchIou({ device: given })).rejects.toBeInstanceOf(OptionError);
      }
      for (const limits of [
        { pairs: 0 },
        { workgroups: Number.NaN },
        { bindingBytes: 16.5 },
        { pairs: -1 },
      ]) {
        await expect(createBatchIou({ device, limits })).rejects.toBeInstanceOf(OptionError);
      }
      device.destroy();
      await device.lost;
    });

    it('dispose settles pending calls and can be called again', async () => {
      const gpu = await createBatchIou({ gpu: open() });
      const pending = [gpu.pairwise(a, b), gpu.bestMatch(a, b, { metric: 'ciou' })];
      gpu.dispose();
      gpu[Symbol.dispose]();
      for (const call of pending) await expect(call).rejects.toBeInstanceOf(DisposedError);
      await expect(gpu.pairwise(a, b)).rejects.toBeInstanceOf(DisposedError);
      await expect(gpu.calibrate()).rejects.toBeInstanceOf(DisposedError);
      expect(() => gpu.explain(1, 1)).toThrow(DisposedError);
      const { buffersCreated, buffersDestroyed } = gpu.stats();
      expect(buffersDestroyed).toBe(buffersCreated);
    });

    it('fifty devices, own and given, leave no buffer behind', async () => {
      let created = 0;
      for (let cycle = 0; cycle < 50; cycle++) {
        const given = cycle % 2 === 0 ? await countedDevice(open()) : undefined;
        const gpu = await createBatchIou(given === undefined ? { gpu: open() } : { device: given.device });
        // one result is released, one is not: dispose takes both
        const kept = await gpu.pairwise(a, b, { output: 'buffer' });
        const other = await gpu.pairwise(a, b, { output: 'buffer' });
        await gpu.pairwise(a, b);
        other.release();
        gpu.dispose();
        kept.release();
        const stats = gpu.stats();
        expect(stats).toMatchObject({ liveBuffers: 0, pooledBuffers: 0, bufferBytes: 0 });
        expect(stats.buffersDestroyed).toBe(stats.buffersCreated);
        if (given !== undefined) {
          expect(given.counts).toEqual({
            created: stats.buffersCreated,
            destroyed: stats.buffersDestroyed,
          });
          given.device.destroy();
          await given.device.lost;
        }
        created += stats.buffersCreated;
      }
      expect(created).toBeGreaterThan(300);
    });
  });
}
