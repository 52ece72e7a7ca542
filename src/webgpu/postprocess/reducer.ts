/**
 * Post-processing where the output tensors lie: decode, threshold, compaction, sort and suppression in one submission,
 * then one read-back of the kept rows.
 */
import { DisposedError } from '../../errors.ts';
import type { TensorLike } from '../../heads/types.ts';
import { checked } from '../checked.ts';
import { type GpuTensor, type HeadPlan, planHead } from './heads.ts';
import { describe, type Job, jobWords, type ReduceRequest } from './job.ts';
import { candidateLimit, recordLimit, recordWords, resultHeader } from './shader-layout.ts';
import { kernelSources } from './shaders.ts';
import { SparseOutputs } from './sparse.ts';

export interface Reduced {
  /** The head's outputs, blank but for the rows that matter; valid until the next call. */
  readonly outputs: Readonly<Record<string, TensorLike>>;
  /** Bytes read back. */
  readonly bytes: number;
  readonly rows: number;
}

export interface ReducerStats {
  readonly liveBuffers: number;
  readonly bufferBytes: number;
  readonly buffersCreated: number;
  readonly buffersDestroyed: number;
  readonly pipelines: number;
}

/** `GPUBufferUsage`, which Node has no global of. */
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128, indirect: 256 } as const;

const disposedError = (): DisposedError => new DisposedError('this GpuReducer was disposed of');

export class GpuReducer {
  readonly #device: GPUDevice;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #sparse = new SparseOutputs();
  #disposed = false;
  #created = 0;
  #destroyed = 0;

  /** The device must be the one the tensors lie on; it is never destroyed. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * The outputs of a run with everything left blank that cannot be in the result, for all images of the batch; or why
   * the CPU has to do it: a head, option or metric without a kernel, more than 4096 candidates, more than 1024 rows
   * kept, or rows that hold NaN or infinity. Calls must not overlap. Rejects with UnsupportedError where the device
   * refuses the job, DisposedError after `dispose()`.
   */
  async reduce(
    tensors: Readonly<Record<string, GpuTensor>>,
    request: ReduceRequest,
  ): Promise<Reduced | string> {
    const plan = planHead(request.head, tensors, request.decoding);
    if (typeof plan === 'string') return plan;
    const job = describe(plan, request);
    if (typeof job === 'string') return job;
    const outputs = this.#sparse.begin(plan, tensors);
    const images = tensors[plan.scores.name]!.dims[0]!;
    let bytes = 0;
    let rows = 0;
    for (let image = 0; image < images; image++) {
      const words = await this.#run(plan, job, tensors, image).catch((error: unknown) => {
        // it may be for want of memory: what is kept may be no buffers at all
        this.#clear();
        throw this.#disposed ? disposedError() : error;
      });
      bytes += words.byteLength;
      const [candidates, broken, , listed] = words as unknown as [number, number, number, number];
      const inRows = (count: number) => `${count} rows hold NaN or infinity`;
      if (broken > 0) return inRows(broken);
      if (candidates > candidateLimit) {
        return `${candidates} candidates passed the threshold, more than ${candidateLimit}`;
      }
      if (listed > job.maxRecords) return `more than ${job.maxRecords} rows would be kept`;
      const wrong = this.#sparse.write(plan, image, words.subarray(resultHeader), listed);
      // the CPU leaves them out before suppression
      if (wrong > 0) return inRows(wrong);
      rows += listed;
    }
    return { outputs, bytes, rows };
  }

  stats(): ReducerStats {
    let bufferBytes = 0;
    for (const { size } of this.#buffers.values()) bufferBytes += size;
    return {
      liveBuffers: this.#buffers.size,
      bufferBytes,
      buffersCreated: this.#created,
      buffersDestroyed: this.#destroyed,
      pipelines: this.#pipelines.size,
    };
  }

  /** Destroys the buffers; the device stays. A pending call gets DisposedError. */
  dispose(): void {
    this.#disposed = true;
    this.#clear();
    this.#pipelines.clear();
  }

  #clear(): void {
    for (const name of [...this.#buffers.keys()]) this.#destroy(name);
  }

  /** One image: the words of `result`. */
  async #run(
    plan: HeadPlan,
    job: Job,
    tensors: Readonly<Record<string, GpuTensor>>,
    image: number,
  ): Promise<Uint32Array> {
    const device = this.#device;
    const scores = tensors[plan.scores.name]!;
    const boxes = tensors[plan.boxes.name]!;
    const half = [scores.type === 'float16', boxes.type === 'float16'] as const;
    const key = `${plan.family} ${half}`;
    const { metric } = job;
    const [gather, planner, rank, compare, scan, emit] = await Promise.all([
      this.#pipeline(`gather ${key}`, () => kernelSources.gather(plan.family, ...half)),
      this.#pipeline('plan', kernelSources.plan),
      this.#pipeline('rank', kernelSources.rank),
      metric === null ? null : this.#pipeline(`compare ${metric.key}`, () => kernelSources.compare(metric)),
      this.#pipeline('scan', kernelSources.scan),
      this.#pipeline(`emit ${half}`, () => kernelSources.emit(...half)),
    ]);
    if (this.#disposed) throw disposedError();
    const storage = usage.storage | usage.copySource | usage.copyTarget;
    const perCandidate = 16 * candidateLimit;
    const found = this.#buffer('found', perCandidate, storage);
    const foundBoxes = this.#buffer('foundBoxes', perCandidate, storage);
    const state = this.#buffer('state', 16, storage);
    const groups = this.#buffer('groups', 48, storage | usage.indirect);
    const list = this.#buffer('list', 4 * recordLimit, storage);
    const words = jobWords(plan, job, image);
    const jobBuffer = this.#buffer('job', words.byteLength, storage);
    const resultBytes = 4 * (resultHeader + job.maxRecords * (recordWords + plan.extra.count));
    const result = this.#buffer('result', resultBytes, storage);
    const staging = this.#buffer('staging', resultBytes, usage.mapRead | usage.copyTarget);
    device.queue.writeBuffer(jobBuffer, 0, words);
    await checked(device, { head: plan.family }, () => {
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(state);
      const pass = encoder.beginComputePass();
      const run = (
        pipeline: GPUComputePipeline,
        buffers: readonly GPUBuffer[],
        dispatch: number | GPUBuffer,
        at = 0,
      ) => {
        pass.setPipeline(pipeline);
        const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
        pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
        if (typeof dispatch === 'number') pass.dispatchWorkgroups(dispatch);
        else pass.dispatchWorkgroupsIndirect(dispatch, 4 * at);
      };
      const tables = [scores.buffer, boxes.buffer, jobBuffer];
      run(gather, [...tables, state, found, foundBoxes], Math.ceil(plan.rows / 64));
      run(planner, [state, groups, jobBuffer], 1);
      let listing = found;
      if (compare !== null) {
        const sorted = this.#buffer('sorted', perCandidate, storage);
        const sortedBoxes = this.#buffer('sortedBoxes', perCandidate, storage);
        const bits = candidateLimit * (candidateLimit / 8);
        const sure = this.#buffer('sure', bits, storage);
        const maybe = this.#buffer('maybe', bits, storage);
        run(rank, [state, found, foundBoxes, sorted, sortedBoxes], groups, 0);
        run(compare, [state, jobBuffer, sorted, sortedBoxes, sure, maybe], groups, 3);
        run(scan, [state, jobBuffer, sure, maybe, list], groups, 6);
        listing = sorted;
      }
      run(emit, [...tables, state, listing, list, result], Math.ceil(job.maxRecords / 64));
      pass.end();
      encoder.copyBufferToBuffer(result, 0, staging, 0, resultBytes);
      device.queue.submit([encoder.finish()]);
    });
    if (this.#disposed) throw disposedError();
    await staging.mapAsync(1, 0, resultBytes);
    const copy = new Uint32Array(staging.getMappedRange(0, resultBytes).slice(0));
    staging.unmap();
    return copy;
  }

  /** A buffer kept for this use; made anew when it is too small. */
  #buffer(name: string, bytes: number, flags: number): GPUBuffer {
    const kept = this.#buffers.get(name);
    if (kept !== undefined && kept.size >= bytes) return kept;
    if (kept !== undefined) this.#destroy(name);
    const made = this.#device.createBuffer({ label: `boxops ${name}`, size: bytes, usage: flags });
    this.#created++;
    this.#buffers.set(name, made);
    return made;
  }

  #destroy(name: string): void {
    this.#buffers.get(name)?.destroy();
    this.#buffers.delete(name);
    this.#destroyed++;
  }

  #pipeline(key: string, source: () => string): Promise<GPUComputePipeline> {
    let pipeline = this.#pipelines.get(key);
    if (pipeline === undefined) {
      const module = this.#device.createShaderModule({ code: source() });
      pipeline = this.#device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
      this.#pipelines.set(key, pipeline);
      // one that failed is tried again, not remembered
      pipeline.catch(() => this.#pipelines.delete(key));
    }
    return pipeline;
  }
}
