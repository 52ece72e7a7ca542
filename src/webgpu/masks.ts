/**
 * Masks on a GPU: prototypes × coefficients inside the boxes only, interpolated to pixels of the picture and compared with
 * 0, all masks in one submission; one bit a pixel of a box comes back.
 *
 * Prototypes that lie on the GPU stay there: a segmentation model's are megabytes, their masks kilobytes.
 */
import type { FrameTransform } from '../boxes/frame-transform.ts';
import { DisposedError, ShapeError } from '../errors.ts';
import { encodeColumns, placeMasks } from '../heads/mask-logits.ts';
import type { MaskPrototypes } from '../heads/types.ts';
import type { Rle } from '../masks/types.ts';
import { BufferPool } from './buffers.ts';
import { checked } from './checked.ts';
import { maskShaders, wordsPerMask } from './mask-shaders.ts';
import type { Device, DeviceBuffer } from './types.ts';

/** Prototypes as a head gives them, or on the GPU: channels·height·width float32 in a storage buffer. */
export type GpuPrototypes =
  | MaskPrototypes
  | (Omit<MaskPrototypes, 'data'> & { readonly buffer: DeviceBuffer });

export interface GpuMaskJob {
  readonly prototypes: GpuPrototypes;
  /** channels·N. */
  readonly coefficients: Float32Array;
  /** 4·N in pixels of the picture. */
  readonly boxes: ArrayLike<number>;
  /** The picture's way into the model input. */
  readonly transform: FrameTransform;
}

/**
 * Decodes masks on the device it was made with, which it never destroys.
 *
 * Masks equal the CPU's (`createMaskLogits`, `decodeMaskLogits`) but for pixels whose logit is 0 to float32's rounding.
 *
 * @example
 * const masks = new GpuMasks(device);
 * const runs = await masks.decode({ prototypes, coefficients, boxes: found.boxes, transform });
 */
export class GpuMasks {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  #disposed = false;

  constructor(device: Device) {
    this.#device = device as GPUDevice;
    this.#pool = new BufferPool(this.#device, { created: 0, destroyed: 0 });
  }

  /**
   * One mask a box, in pixels of the picture. Rejects with {@link ShapeError} when lengths do not belong together,
   * UnsupportedError where the device refuses the job or has no memory for it, DisposedError after `dispose()`.
   */
  async decode({ prototypes, coefficients, boxes, transform }: GpuMaskJob): Promise<Rle[]> {
    if (this.#disposed) throw new DisposedError('this GpuMasks was disposed of');
    const count = boxes.length / 4;
    const { channels, width, height } = prototypes;
    if (!Number.isInteger(count) || coefficients.length !== channels * count) {
      throw new ShapeError(
        `expected 4·N boxes and ${channels}·N coefficients, got ${boxes.length} and ${coefficients.length}`,
      );
    }
    const { places, offsets, cells } = placeMasks(prototypes, boxes, transform);
    const masks = new ArrayBuffer(4 * wordsPerMask * Math.max(1, count));
    const integers = new Uint32Array(masks);
    const floats = new Float32Array(masks);
    let words = 0;
    let mostCells = 0;
    let mostWords = 0;
    for (let i = 0; i < count; i++) {
      const at = wordsPerMask * i;
      const place = places.subarray(9 * i, 9 * i + 9);
      const [left = 0, top = 0, right = 0, bottom = 0] = place;
      const own = (right - left) * Math.ceil((bottom - top) / 32);
      const patch = offsets[i + 1]! - offsets[i]!;
      integers.set([left, top, right, bottom], at);
      floats.set(place.subarray(4, 8), at + 4);
      integers.set([place[8]!, patch, cells[2 * i]!, cells[2 * i + 1]!, offsets[i]!, words], at + 8);
      words += own;
      mostCells = Math.max(mostCells, patch);
      mostWords = Math.max(mostWords, own);
    }
    const bits =
      words === 0
        ? new Uint32Array(0)
        : await this.#run(masks, count, mostCells, mostWords, words, offsets[count]!, {
            prototypes,
            coefficients,
            size: Uint32Array.of(channels, width, height, 0),
          });
    return Array.from({ length: count }, (_, i) => {
      const [left = 0, top = 0, right = 0, bottom = 0] = places.subarray(9 * i, 9 * i + 4);
      const perColumn = Math.ceil((bottom - top) / 32);
      const start = integers[wordsPerMask * i + 13]!;
      return encodeColumns([left, top, right, bottom], transform.source, (column, out) => {
        const from = start + column * perColumn;
        for (let j = 0; j < out.length; j++) out[j] = (bits[from + (j >> 5)]! >>> (j & 31)) & 1;
      });
    });
  }

  /** Destroys the buffers; the device stays. */
  dispose(): void {
    this.#disposed = true;
    this.#pool.close();
    this.#pipelines.clear();
  }

  async #run(
    masks: ArrayBuffer,
    count: number,
    mostCells: number,
    mostWords: number,
    words: number,
    patchCells: number,
    job: Pick<GpuMaskJob, 'prototypes' | 'coefficients'> & { readonly size: Uint32Array<ArrayBuffer> },
  ): Promise<Uint32Array> {
    const device = this.#device;
    const [sum, decide] = await Promise.all([this.#pipeline('sum'), this.#pipeline('decide')]);
    const ended = () => new DisposedError('this GpuMasks was disposed of during the call');
    if (this.#disposed) throw ended();
    const pool = this.#pool;
    const taken: GPUBuffer[] = [];
    const take = (bytes: number, content?: ArrayBuffer | ArrayBufferView): GPUBuffer => {
      const buffer = pool.acquire('storage', bytes);
      taken.push(buffer);
      if (content !== undefined) device.queue.writeBuffer(buffer, 0, content as Float32Array<ArrayBuffer>);
      return buffer;
    };
    const bytes = 4 * words;
    const staging = pool.acquire('staging', bytes);
    let done = false;
    try {
      const { prototypes, coefficients, size } = job;
      const source =
        'buffer' in prototypes
          ? (prototypes.buffer as GPUBuffer)
          : take(prototypes.data.byteLength, prototypes.data);
      const list = take(masks.byteLength, masks);
      const patches = take(4 * patchCells);
      const bits = take(bytes);
      await checked(device, { masks: count }, () => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        const run = (pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[], each: number): void => {
          pass.setPipeline(pipeline);
          const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
          pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
          pass.dispatchWorkgroups(Math.ceil(each / 64), count);
        };
        run(
          sum,
          [list, take(16, size), source, take(coefficients.byteLength, coefficients), patches],
          mostCells,
        );
        run(decide, [list, patches, bits], mostWords);
        pass.end();
        encoder.copyBufferToBuffer(bits, 0, staging, 0, bytes);
        device.queue.submit([encoder.finish()]);
      });
      if (this.#disposed) throw ended();
      await staging.mapAsync(1, 0, bytes);
      const copy = new Uint32Array(staging.getMappedRange(0, bytes).slice(0));
      staging.unmap();
      done = true;
      return copy;
    } catch (error) {
      throw this.#disposed ? ended() : error;
    } finally {
      for (const buffer of [...taken, staging]) pool.release(buffer);
      if (!done) pool.drain();
    }
  }

  #pipeline(name: keyof typeof maskShaders): Promise<GPUComputePipeline> {
    let pipeline = this.#pipelines.get(name);
    if (pipeline === undefined) {
      const module = this.#device.createShaderModule({ code: maskShaders[name] });
      pipeline = this.#device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
      this.#pipelines.set(name, pipeline);
      // one that failed is tried again, not remembered
      pipeline.catch(() => this.#pipelines.delete(name));
    }
    return pipeline;
  }
}
