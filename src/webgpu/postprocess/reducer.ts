/**
 * Post-processing where the output tensors lie: decode, threshold, compaction, sort and suppression in one submission,
 * then one read-back of the kept rows.
 */
import type { HeadName, HeadOptions, TensorLike } from '../../heads/types.ts';
import { type MetricWgsl, metricWgsl } from '../../iou/wgsl.ts';
import type { NmsOptions } from '../../nms/types.ts';
import { type GpuTensor, type HeadPlan, planHead } from './heads.ts';
import {
  candidateLimit,
  jobFields,
  kernelSources,
  metricSlots,
  recordLimit,
  recordWords,
  resultHeader,
} from './shaders.ts';
import { SparseOutputs } from './sparse.ts';

/** What the CPU would be asked to do with the outputs. */
export interface ReduceRequest {
  readonly head: HeadName;
  readonly decoding: HeadOptions;
  readonly input: { readonly width: number; readonly height: number };
  readonly scoreThreshold: number;
  readonly multiLabel: boolean;
  readonly classes: readonly number[] | undefined;
  readonly nms: Omit<NmsOptions, 'classIds' | 'scoreThreshold'> | false;
}

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

const known = new Set([
  'metric',
  'iouThreshold',
  'scope',
  'maxCandidates',
  'maxDetections',
  'comparator',
  'pixelOffset',
  'preset',
]);

/** A similarity computed in float32 may be off by this much and no more; angles by WGSL's atan are looser. */
const slackOf = (metric: MetricWgsl): number => (metric.aTermCount + metric.bTermCount === 0 ? 2e-3 : 1e-2);

export class GpuReducer {
  readonly #device: GPUDevice;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #sparse = new SparseOutputs();
  #created = 0;
  #destroyed = 0;

  /** The device must be the one the tensors lie on; it is never destroyed. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * The outputs of a run with everything left blank that cannot be in the result, for all images of the batch; or why
   * the CPU has to do it: a head, option or metric without a kernel, more than 4096 candidates, more than 1024 rows
   * kept, or rows that hold NaN or infinity. Calls must not overlap.
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
      const words = await this.#run(plan, job, tensors, image);
      bytes += words.byteLength;
      const [candidates, broken, , listed] = words as unknown as [number, number, number, number];
      if (broken > 0) return `${broken} rows hold NaN or infinity`;
      if (candidates > candidateLimit) {
        return `${candidates} candidates passed the threshold, more than ${candidateLimit}`;
      }
      if (listed > job.maxRecords) return `more than ${job.maxRecords} rows would be kept`;
      this.#sparse.write(plan, image, words.subarray(resultHeader), listed);
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

  /** Destroys the buffers; the device stays. */
  dispose(): void {
    for (const name of [...this.#buffers.keys()]) this.#destroy(name);
    this.#pipelines.clear();
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

/** The values of `job` that do not depend on the image. */
interface Job {
  readonly metric: MetricWgsl | null;
  readonly maxRecords: number;
  readonly allowed: readonly number[] | undefined;
  readonly values: Readonly<Partial<Record<(typeof jobFields)[number][0], number>>>;
}

function describe(plan: HeadPlan, request: ReduceRequest): Job | string {
  const { nms } = request;
  const suppress = nms !== false && !plan.nmsFree;
  const everyClass = plan.family === 'logits' || (request.multiLabel && plan.family !== 'rows');
  const unlimited = 0xffffffff;
  let metric: MetricWgsl | null = null;
  let maxDetections = unlimited;
  if (suppress) {
    const foreign = Object.keys(nms).find((name) => !known.has(name));
    if (foreign !== undefined) return `there is no kernel for the option ${foreign}`;
    const { preset } = nms;
    try {
      metric = metricWgsl(nms.metric ?? 'iou', preset === undefined ? {} : { preset });
    } catch (error) {
      return `the metric has no WGSL: ${(error as Error).message}`;
    }
    if (metric.values.length > metricSlots) return 'the metric has too many parameters';
    if (Number.isInteger(nms.maxDetections)) maxDetections = nms.maxDetections!;
  }
  // kept rows and the few in doubt
  const maxRecords = Math.min(recordLimit, maxDetections + 256);
  // where nothing is suppressed, a class left out changes no other: the CPU does it
  const allowed = suppress ? request.classes : undefined;
  const threshold = nms === false ? 0 : (nms.iouThreshold ?? 0.5);
  const candidates = nms === false ? unlimited : nms.maxCandidates;
  return {
    metric,
    maxRecords,
    allowed,
    values: {
      floor: orderOf(plan.family === 'logits' ? logitBelow(request.scoreThreshold) : request.scoreThreshold),
      everyClass: everyClass ? 1 : 0,
      filtered: allowed === undefined ? 0 : 1,
      suppress: suppress ? 1 : 0,
      maxCandidates: Number.isInteger(candidates) ? Math.min(candidates!, unlimited) : unlimited,
      maxDetections,
      maxRecords,
      classAware: nms !== false && nms.scope !== 'agnostic' ? 1 : 0,
      threshold,
      slack: (metric === null ? 0 : slackOf(metric)) * Math.max(1, Math.abs(threshold)),
      pixelOffset: nms === false ? 0 : (nms.pixelOffset ?? 0),
      width: request.input.width,
      height: request.input.height,
    },
  };
}

/** A logit below the one of a probability, by more than float32 and the sigmoid's rounding. */
function logitBelow(probability: number): number {
  return Math.log(probability / (1 - probability)) - 2e-3;
}

/** A float32 as the integer that has its place in their order. */
function orderOf(value: number): number {
  const bits = new Int32Array(Float32Array.of(value + 0).buffer)[0]!;
  return bits < 0 ? bits ^ 0x7fffffff : bits;
}

function jobWords(plan: HeadPlan, job: Job, image: number): Uint32Array<ArrayBuffer> {
  const { scores, boxes, extra, strides } = plan;
  const header = jobFields.length + 4 + metricSlots;
  const words = new Uint32Array(header + Math.ceil(plan.classes / 32));
  const floats = new Float32Array(words.buffer);
  const values: Job['values'] = {
    ...job.values,
    rows: plan.rows,
    classes: plan.classes,
    scoreBase: image * scores.imageStep,
    scoreRow: scores.rowStep,
    scoreColumn: scores.columnStep,
    firstClass: plan.firstClass,
    aux: plan.aux ?? 0xffffffff,
    boxBase: image * boxes.imageStep,
    boxRow: boxes.rowStep,
    boxColumn: boxes.columnStep,
    extraFrom: extra.from,
    extraCount: extra.count,
    levels: strides.length,
  };
  jobFields.forEach(([name, type], k) => {
    if (type === 'f32') floats[k] = values[name] ?? 0;
    else words[k] = values[name] ?? 0;
  });
  words.set(strides, jobFields.length);
  floats.set(job.metric?.values ?? [], jobFields.length + 4);
  for (const id of job.allowed ?? []) if (id < plan.classes) words[header + (id >>> 5)]! |= 1 << (id & 31);
  return words;
}
