/** Masks decoded on the GPU equal the CPU's, but for pixels whose logit is all but 0. */
import { describe, expect, it } from 'vitest';
import { FrameTransform } from '../../src/boxes/index.ts';
import { DisposedError, ShapeError, UnsupportedError } from '../../src/errors.ts';
import { createMaskLogits, decodeMaskLogits } from '../../src/heads/index.ts';
import { decodeRle } from '../../src/masks/index.ts';
import { GpuMasks } from '../../src/webgpu/masks.ts';
import { mix } from '../golden/seeded.ts';
import type { OpenGpu } from './suite.ts';
import { countedDevice, disposeOnSubmit } from './support.ts';

const channels = 8;
const [width, height] = [40, 24];
const unit = (seed: number) => mix(seed) / 2 ** 32;
const prototypes = {
  channels,
  width,
  height,
  data: Float32Array.from({ length: channels * width * height }, (_, i) => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    return Math.sin(x * 0.3 + i * 1e-3) * Math.cos(y * 0.4) + 0.3 * unit(i);
  }),
};
const input = { width: 160, height: 96 };
const transforms = [
  FrameTransform.identity(input),
  FrameTransform.letterbox({ source: { width: 333, height: 251 }, target: input }),
  FrameTransform.stretch({ source: { width: 97, height: 301 }, target: input }),
];

export function maskTests(open: OpenGpu): void {
  describe('masks on the GPU', () => {
    const device = async () => (await (await open()!.requestAdapter())!.requestDevice()) as GPUDevice;

    it('equal those of the CPU', async () => {
      const gpu = await device();
      const masks = new GpuMasks(gpu);
      const buffer = gpu.createBuffer({ size: prototypes.data.byteLength, usage: 0x88 });
      gpu.queue.writeBuffer(buffer, 0, prototypes.data);
      for (const [t, transform] of transforms.entries()) {
        const { source } = transform;
        const count = 12;
        const boxes = Float32Array.from({ length: 4 * count }, (_, k) => {
          const side = k % 2 === 0 ? source.width : source.height;
          const low = (unit(100 * t + (k >> 2)) - 0.2) * side;
          return k % 4 < 2 ? low : low + unit(7 * k + t) * side;
        });
        // no pixels, and beyond every border
        boxes.set([5, 5, 5, 9, -50, -50, 9999, 9999]);
        const coefficients = Float32Array.from(
          { length: channels * count },
          (_, i) => unit(31 * i + t) - 0.5,
        );
        const logits = createMaskLogits(prototypes, coefficients, boxes, transform);
        const onGpu = { channels, width, height, buffer };
        for (const from of [prototypes, onGpu]) {
          const found = await masks.decode({ prototypes: from, coefficients, boxes, transform });
          let differing = 0;
          let set = 0;
          for (let i = 0; i < count; i++) {
            const values = logits.values.subarray(logits.offsets[i], logits.offsets[i + 1]);
            const expected = decodeRle(
              decodeMaskLogits(logits.places.subarray(9 * i, 9 * i + 9), values, source),
            );
            const pixels = decodeRle(found[i]!);
            expected.forEach((value, p) => {
              set += value;
              if (value !== pixels[p]) differing++;
            });
          }
          expect(set).toBeGreaterThan(1000);
          expect(differing).toBeLessThanOrEqual(Math.ceil(set / 20_000));
        }
      }
      masks.dispose();
      buffer.destroy();
      gpu.destroy();
    });

    it('a job that the device refuses is an UnsupportedError, and the next one is as ever', async () => {
      const { device: gpu, memory } = await countedDevice(open());
      const masks = new GpuMasks(gpu);
      const job = {
        prototypes,
        coefficients: new Float32Array(channels).fill(0.5),
        boxes: Float32Array.of(5, 5, 90, 70),
        transform: transforms[0]!,
      };
      const before = await masks.decode(job);
      const buffer = gpu.createBuffer({ size: prototypes.data.byteLength, usage: 0x88 });
      buffer.destroy();
      const gone = { ...job, prototypes: { channels, width, height, buffer } };
      await expect(masks.decode(gone)).rejects.toBeInstanceOf(UnsupportedError);
      expect(await masks.decode(job)).toEqual(before);
      const starved = new GpuMasks(gpu);
      memory.full = true;
      await expect(starved.decode(job)).rejects.toBeInstanceOf(UnsupportedError);
      memory.full = false;
      expect(await starved.decode(job)).toEqual(before);
      const pending = masks.decode(job);
      // submitted and waiting to be read
      await gpu.queue.onSubmittedWorkDone();
      masks.dispose();
      await pending.catch((error: unknown) => expect(error).toBeInstanceOf(DisposedError));
      starved.dispose();
      gpu.destroy();
      await gpu.lost;
    });

    it('dispose during a call rejects it, at any moment, and makes no error on the device', async () => {
      const gpu = await device();
      const errors: string[] = [];
      gpu.addEventListener('uncapturederror', (event) => {
        event.preventDefault();
        errors.push((event as GPUUncapturedErrorEvent).error.message);
      });
      const job = {
        prototypes,
        coefficients: new Float32Array(channels).fill(0.5),
        boxes: Float32Array.of(5, 5, 90, 70),
        transform: transforms[0]!,
      };
      // while the pipelines are made
      const early = new GpuMasks(gpu);
      const waiting = early.decode(job);
      early.dispose();
      await expect(waiting).rejects.toBeInstanceOf(DisposedError);
      // once the commands were sent
      const masks = new GpuMasks(gpu);
      await masks.decode(job);
      disposeOnSubmit(gpu, masks);
      await expect(masks.decode(job)).rejects.toBeInstanceOf(DisposedError);
      await gpu.queue.onSubmittedWorkDone();
      expect(errors).toEqual([]);
      gpu.destroy();
    });

    it('nothing in, nothing out; wrong lengths and use after dispose are typed errors', async () => {
      const gpu = await device();
      const masks = new GpuMasks(gpu);
      const empty = { prototypes, coefficients: new Float32Array(0), boxes: [], transform: transforms[0]! };
      expect(await masks.decode(empty)).toEqual([]);
      await expect(masks.decode({ ...empty, boxes: [0, 0, 1, 1] })).rejects.toBeInstanceOf(ShapeError);
      masks.dispose();
      await expect(masks.decode(empty)).rejects.toBeInstanceOf(DisposedError);
      gpu.destroy();
    });
  });
}
