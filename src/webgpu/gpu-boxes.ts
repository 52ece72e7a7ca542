/** Boxes that are on the GPU already: checked, and described for the shader that reads them. */
import { isNormalised } from '../boxes/formats.ts';
import type { BoxArray, BoxFormat } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';
import type { DeviceSession } from './device.ts';
import { dispatch, gridOf } from './dispatch.ts';
import { formatNumbers, workgroupSize } from './shaders.ts';
import type { GpuBoxes } from './types.ts';

export interface BoxesOnGpu {
  readonly buffer: GPUBuffer;
  readonly count: number;
  /** Words of the loader's `job` after the number of boxes: offset, strides, format, pixel offset. */
  readonly words: readonly [number, number, number, number, number];
}

export function isOnGpu(boxes: BoxArray | GpuBoxes): boxes is GpuBoxes {
  return typeof boxes === 'object' && boxes !== null && 'buffer' in boxes && !ArrayBuffer.isView(boxes);
}

/** Throws {@link ShapeError} for boxes beyond the buffer's end, OptionError for an unknown format. */
export function readGpuBoxes(
  boxes: GpuBoxes,
  name: string,
  format: BoxFormat = 'xyxy',
  pixelOffset: 0 | 1 = 0,
): BoxesOnGpu {
  const { count, offset = 0, boxStride = 4, valueStride = 1 } = boxes;
  const buffer = boxes.buffer as GPUBuffer;
  const whole = [count, offset, boxStride, valueStride].every(
    (value) => Number.isInteger(value) && value >= 0,
  );
  const needed = count === 0 ? 0 : 4 * (offset + (count - 1) * boxStride + 3 * valueStride + 1);
  if (!whole || !(needed <= buffer?.size)) {
    throw new ShapeError(
      `expected ${name} within its buffer of ${buffer?.size} bytes, ${count} boxes need ${needed}`,
      { name, count, offset, boxStride, valueStride },
    );
  }
  const layout = isNormalised(format) ? format.slice(0, -1) : format;
  const number = formatNumbers[layout as keyof typeof formatNumbers];
  return { buffer, count, words: [offset, boxStride, valueStride, number, pixelOffset] };
}

/** Has boxes [from, to) read into rows of corners, before the kernel runs. */
export function load(
  { device, pool }: DeviceSession,
  pipeline: GPUComputePipeline,
  encoder: GPUCommandEncoder,
  { buffer, words }: BoxesOnGpu,
  from: number,
  to: number,
  workgroups: number,
  into: GPUBuffer,
  used: GPUBuffer[],
): void {
  if (to === from) return;
  const shape = gridOf(to - from, workgroups);
  const [offset, boxStride, ...rest] = words;
  const described = pool.acquire('storage', 32);
  used.push(described);
  device.queue.writeBuffer(
    described,
    0,
    Uint32Array.of(to - from, offset + from * boxStride, boxStride, ...rest, shape[0] * workgroupSize),
  );
  const entries = [buffer, described, into].map((resource, binding) => ({
    binding,
    resource: { buffer: resource },
  }));
  dispatch(device, encoder, pipeline, entries, shape);
}
