/**
 * Outputs that a webgpu session leaves on the GPU: reduced there to the rows that matter, or read back whole where no
 * kernel can, and the reason kept for `stats()`.
 */
import type { Tensor } from 'onnxruntime-web';
import type { HeadName, ModelOutputs } from '../../heads/types.ts';
import type { GpuReducer, ReduceRequest } from '../../webgpu/postprocess/index.ts';
import { gpuHeads } from '../../webgpu/postprocess/names.ts';
import type { DetectorPlan } from '../plan.ts';
import type { ResolvedOptions } from '../run-options.ts';
import type { DetectorStats } from '../types.ts';
import { messageOf, type Ort } from './runtime.ts';

export type { ReduceRequest } from '../../webgpu/postprocess/index.ts';

/** Whether a webgpu session for this head should leave its outputs on the GPU. */
export function leavesOutputsOnGpu(head: HeadName | undefined): boolean {
  return head !== undefined && gpuHeads.includes(head);
}

/** What is asked of the outputs, or why the CPU has to do it. */
export function reduceRequest(plan: DetectorPlan, options: ResolvedOptions): ReduceRequest | string {
  const { scoreThreshold, multiLabel, classes, nms, preset } = options;
  if (preset !== undefined) return `the preset ${preset} has rules of its own`;
  const { head, decoding, preprocessing } = plan;
  return { head, decoding, input: preprocessing.size, scoreThreshold, multiLabel, classes, nms };
}

export class GpuOutputs {
  readonly #reducer: GpuReducer;
  #gpuRuns = 0;
  #cpuRuns = 0;
  #reason: string | null = null;

  private constructor(reducer: GpuReducer) {
    this.#reducer = reducer;
  }

  /** On the device the sessions of this runtime work on; after the first session was made. */
  static async open(ort: Ort): Promise<GpuOutputs> {
    const device = (await ort.env.webgpu.device) as GPUDevice;
    const { GpuReducer } = await import('../../webgpu/postprocess/index.ts');
    return new GpuOutputs(new GpuReducer(device));
  }

  /** What the CPU decodes; frees the tensors. Valid until the next call. */
  async collect(
    tensors: Readonly<Record<string, Tensor>>,
    request: ReduceRequest | string = 'no options were given',
  ): Promise<ModelOutputs> {
    try {
      const reduced = typeof request === 'string' ? request : await this.#reduce(tensors, request);
      const outputs: Record<string, ModelOutputs[string]> = {};
      for (const [name, tensor] of Object.entries(tensors)) {
        const sparse = typeof reduced === 'string' ? undefined : reduced.outputs[name];
        outputs[name] = sparse ?? {
          data: (await tensor.getData()) as Float32Array,
          dims: tensor.dims,
          type: tensor.type,
        };
      }
      if (typeof reduced === 'string') {
        this.#cpuRuns++;
        this.#reason = reduced;
      } else this.#gpuRuns++;
      return outputs;
    } finally {
      for (const tensor of Object.values(tensors)) tensor.dispose();
    }
  }

  stats(): DetectorStats['postprocessing'] {
    const { liveBuffers, bufferBytes } = this.#reducer.stats();
    return {
      gpuRuns: this.#gpuRuns,
      cpuRuns: this.#cpuRuns,
      reason: this.#reason,
      gpuBuffers: liveBuffers,
      gpuBytes: bufferBytes,
    };
  }

  dispose(): void {
    this.#reducer.dispose();
  }

  async #reduce(tensors: Readonly<Record<string, Tensor>>, request: ReduceRequest) {
    const onGpu = Object.entries(tensors).map(([name, tensor]) => {
      const buffer = tensor.location === 'gpu-buffer' ? (tensor.gpuBuffer as GPUBuffer) : undefined;
      return [name, { buffer: buffer!, dims: tensor.dims, type: tensor.type }] as const;
    });
    if (onGpu.some(([, { buffer }]) => buffer === undefined)) return 'an output lies on the CPU';
    try {
      return await this.#reducer.reduce(Object.fromEntries(onGpu), request);
    } catch (error) {
      return `the GPU refused: ${messageOf(error)}`;
    }
  }
}
