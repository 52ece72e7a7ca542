/** Pipelines, made when first needed and kept by kernel and metric: one takes 20 to 650 ms on a software adapter. */
import { UnsupportedError } from '../errors.ts';
import type { MetricWgsl } from '../iou/wgsl.ts';
import { type Kernel, loaderShader, shaderOf } from './shaders.ts';

export class PipelineCache {
  private readonly device: GPUDevice;
  private readonly made = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** Calls that ask for one pipeline at the same time share it. */
  get(kernel: Kernel, metric: MetricWgsl, swapped = false): Promise<GPUComputePipeline> {
    return this.named(`${kernel}${swapped ? ' swapped' : ''} ${metric.key}`, () =>
      shaderOf(kernel, metric, swapped),
    );
  }

  /** Reads boxes that are on the GPU. */
  loader(): Promise<GPUComputePipeline> {
    return this.named('load', () => loaderShader);
  }

  private named(key: string, code: () => string): Promise<GPUComputePipeline> {
    let pipeline = this.made.get(key);
    if (pipeline === undefined) {
      pipeline = this.make(key, code());
      this.made.set(key, pipeline);
      // one that failed is tried again, not remembered
      pipeline.catch(() => this.made.delete(key));
    }
    return pipeline;
  }

  get count(): number {
    return this.made.size;
  }

  private async make(key: string, code: string): Promise<GPUComputePipeline> {
    const module = this.device.createShaderModule({ code });
    try {
      return await this.device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    } catch (cause) {
      throw new UnsupportedError(
        `the GPU refused the shader of this metric: ${(cause as Error).message}`,
        { kernel: key },
        { cause },
      );
    }
  }
}
