/** Reading a buffer back as any user of the device would, and boxes for jobs. */
import { sampleBoxes } from '../../src/webgpu/calibrate.ts';
import type { GpuResult } from '../../src/webgpu/index.ts';

export { sampleBoxes };

/** The first `byteLength` bytes of a result. */
export async function readResult(device: GPUDevice, result: GpuResult): Promise<ArrayBuffer> {
  const { byteLength } = result;
  const staging = device.createBuffer({ size: Math.max(4, byteLength), usage: 1 | 8 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(result.buffer, 0, staging, 0, byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const data = staging.getMappedRange().slice(0, byteLength);
  staging.destroy();
  return data;
}

/**
 * A device with counts of the buffers made and destroyed on it, kept apart from the library's own. While `memory.full`,
 * it makes invalid buffers, as a device without memory does.
 */
export async function countedDevice(gpu: GPU): Promise<{
  device: GPUDevice;
  counts: { created: number; destroyed: number };
  memory: { full: boolean };
}> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('no WebGPU adapter: this suite needs one');
  const device = await adapter.requestDevice();
  const counts = { created: 0, destroyed: 0 };
  const memory = { full: false };
  const create = device.createBuffer.bind(device);
  Object.defineProperty(device, 'createBuffer', {
    value: (descriptor: GPUBufferDescriptor) => {
      counts.created++;
      device.pushErrorScope('validation');
      // no buffer may be mapped for both reading and writing
      const buffer = create(memory.full ? { size: descriptor.size, usage: 1 | 2 } : descriptor);
      device.popErrorScope();
      const destroy = buffer.destroy.bind(buffer);
      let gone = false;
      Object.defineProperty(buffer, 'destroy', {
        value: () => {
          if (!gone) counts.destroyed++;
          gone = true;
          destroy();
        },
      });
      return buffer;
    },
  });
  return { device, counts, memory };
}

/** Disposes of `user` right after it has sent commands to the device: before it can read what they made. */
export function disposeOnSubmit({ queue }: GPUDevice, user: { dispose(): void }): void {
  const submit = queue.submit.bind(queue);
  Object.defineProperty(queue, 'submit', {
    value: (commands: GPUCommandBuffer[]) => {
      submit(commands);
      user.dispose();
    },
  });
}
