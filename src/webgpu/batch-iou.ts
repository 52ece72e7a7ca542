/** IoU of many boxes on the GPU, in any metric. */
import type { BoxArray } from '../boxes/types.ts';
import { disposeKey } from '../dispose.ts';
import { DeviceLostError, OptionError, UnsupportedError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { matchToHost } from './best-match.ts';
import { measurePoint } from './calibrate.ts';
import { bestMatchOnCpu, checkMatch, checkOut, interleave, newMatch, similaritiesOnCpu } from './cpu.ts';
import { Crossover } from './crossover.ts';
import { DeviceKeeper, type DeviceSession } from './device.ts';
import { explainJob } from './explain.ts';
import { isOnGpu } from './gpu-boxes.ts';
import { type Comparison, type Job, kernelOf, metricOf, packJob, spreadOf } from './pack.ts';
import { checkFits, resultBytes, runsOf, runToBuffer, runToHost, uploadResult } from './run.ts';
import { limitsFor, planTiles } from './tiles.ts';
import type {
  AnyOptions,
  Backend,
  BatchIouOptions,
  BatchIouStats,
  Boxes,
  CalibrateOptions,
  Calibration,
  ExplainOptions,
  Explanation,
  GpuAlignedOptions,
  GpuBestMatch,
  GpuBestMatchOptions,
  GpuBoxes,
  GpuPairwiseOptions,
  GpuResult,
  JobKind,
  Output,
  TileLimits,
  ToArray,
  ToBuffer,
} from './types.ts';

const kinds: readonly JobKind[] = ['pairwise', 'aligned', 'bestMatch'];
const outputs: readonly Output[] = ['array', 'buffer'];
const backends: readonly Backend[] = ['gpu', 'cpu', 'auto'];

/**
 * Similarities on the GPU, made by `createBatchIou`; dispose it when done. It owns buffers and pipelines, and a device
 * unless one was given. Calls may run at the same time. Everything is computed in float32; results agree with the CPU's
 * within 2e-6 (1e-5 where the metric has an exponential or logarithm).
 */
export class BatchIou implements Disposable {
  private readonly options: BatchIouOptions;
  private readonly keeper: DeviceKeeper;
  private readonly crossover: Crossover;
  private readonly measuring = new Map<string, Promise<void>>();
  /** Why there is no GPU, where `backend: 'auto'` goes on without one. */
  private missing: string | null = null;

  /** Use {@link createBatchIou}. */
  constructor(options: BatchIouOptions) {
    this.options = options;
    choiceOption('backend', options.backend, backends);
    for (const limit of Object.values(options.limits ?? {})) {
      if (!(limit % 1 === 0 && limit > 0))
        throw new OptionError(`limits: expected whole numbers, got ${limit}`);
    }
    this.keeper = new DeviceKeeper(options);
    this.crossover = new Crossover(options.calibration);
  }

  /** Opens the device. */
  async open(): Promise<this> {
    try {
      await this.keeper.open();
    } catch (error) {
      if (this.options.backend === undefined || this.options.backend === 'gpu') throw error;
      if (!(error instanceof UnsupportedError)) throw error;
      this.missing = error.message;
    }
    return this;
  }

  /**
   * Similarities of every box of `a` (4·N) with every box of `b` (4·M): N·M float32 numbers, row-major, or with `batch`
   * one matrix an image after the other. As `pairwiseIou`; reading a large matrix back costs more than computing it, so
   * reduce on the GPU (`bestMatch`) or keep it there (`output: 'buffer'`). Either may be a {@link GpuBoxes}.
   *
   * A box that is not finite has NaN everywhere. Sides below 2⁻⁵⁰ or coordinates above 2⁶⁰ are computed on the CPU. Do
   * not write to `a` and `b` before the promise settles. Rejects with ShapeError and OptionError as `pairwiseIou`,
   * DeviceLostError, DisposedError, and UnsupportedError when the GPU refuses the job or has no memory for it.
   *
   * @example
   * const gpu = await createBatchIou();
   * await gpu.pairwise(new Float32Array([0, 0, 10, 10]), new Float32Array([0, 0, 5, 10]), { metric: 'giou' }); // [0.5]
   */
  pairwise(a: Boxes, b: Boxes, options: GpuPairwiseOptions & ToBuffer): Promise<GpuResult>;
  pairwise(a: Boxes, b: Boxes, options?: GpuPairwiseOptions & ToArray): Promise<Float32Array>;
  async pairwise(a: Boxes, b: Boxes, options: GpuPairwiseOptions = {}): Promise<Float32Array | GpuResult> {
    return this.similarities('pairwise', a, b, options);
  }

  /** Similarity of box i of `a` with box i of `b`: N float32 numbers. As `alignedIou`; errors as {@link pairwise}. */
  aligned(a: Boxes, b: Boxes, options: GpuAlignedOptions & ToBuffer): Promise<GpuResult>;
  aligned(a: Boxes, b: Boxes, options?: GpuAlignedOptions & ToArray): Promise<Float32Array>;
  async aligned(a: Boxes, b: Boxes, options: GpuAlignedOptions = {}): Promise<Float32Array | GpuResult> {
    return this.similarities('aligned', a, b, options);
  }

  /**
   * For each box of `a` the most similar box of `b`, ties to the lower index, as `bestMatch` of the core: `values` and
   * `indices` (N each), -Infinity and -1 where nothing can match, and what `secondBest` and `columnBest` ask for. One
   * thread a row; no matrix exists. With `batch`, indices count in all of `b`. Errors as {@link pairwise}.
   *
   * @example
   * await gpu.bestMatch(anchors, groundTruth, { metric: 'iou' }); // { values, indices }
   */
  bestMatch(a: Boxes, b: Boxes, options: GpuBestMatchOptions & ToBuffer): Promise<GpuResult>;
  bestMatch(a: Boxes, b: Boxes, options?: GpuBestMatchOptions & ToArray): Promise<GpuBestMatch>;
  async bestMatch(a: Boxes, b: Boxes, options: GpuBestMatchOptions = {}): Promise<GpuBestMatch | GpuResult> {
    const job = this.accept('bestMatch', a, b, options);
    const { rows, columns, images } = job;
    const onCpu = (out: GpuBestMatch): GpuBestMatch =>
      bestMatchOnCpu(boxesOf(a, job, 'a'), boxesOf(b, job, 'b'), options, images, out);
    if (options.output === 'buffer') {
      if (options.columnBest === true) throw new OptionError("columnBest is for output: 'array'");
      return this.leave(job, () => interleave(onCpu(newMatch(rows, columns, options))));
    }
    const out = options.out ?? newMatch(rows, columns, options);
    checkMatch(out, rows, columns, options);
    const session = await this.place(job, options.backend);
    if (session === null) return onCpu(out);
    await matchToHost(session, job, this.limits(session), options, out);
    return out;
  }

  /** Where a job of n × m boxes would run, and why. */
  explain(n: number, m: number, options: ExplainOptions = {}): Explanation {
    this.keeper.check();
    const { backend = this.options.backend ?? 'gpu' } = options;
    choiceOption('backend', backend, backends);
    const kind = choiceOption('kind', options.kind, kinds);
    const output = choiceOption('output', options.output, outputs);
    const { metric, metricName } = metricOf(options as Comparison);
    const session = this.keeper.current;
    const limits = session === null ? null : this.limits(session);
    const unavailable = this.missing ?? session?.failure?.message ?? null;
    return explainJob({
      ...{ n, m, kind, backend, output, metric, metricName, limits },
      kernel: kernelOf(kind, options),
      unavailable: this.keeper.recreates ? this.missing : unavailable,
      crossover: this.crossover,
    });
  }

  /**
   * Measures both sides for some metrics, so that `backend: 'auto'` can choose; an `'auto'` call measures what it needs
   * by itself. Takes a fraction of a second a kernel and metric. The result is plain data: give it to
   * {@link createBatchIou} the next time. A metric that the CPU computes always (α-DIoU with α below 0.4) has no entry.
   */
  async calibrate(options: CalibrateOptions = {}): Promise<Calibration> {
    this.keeper.check();
    const { metrics = ['iou'] } = options;
    if (this.missing !== null) return this.crossover.table;
    for (const metric of metrics) {
      const { metric: made } = metricOf({ metric });
      if (spreadOf(made) === 0) continue;
      for (const kind of options.kinds ?? kinds) await this.measure(kind, made.key, { metric });
    }
    return this.crossover.table;
  }

  /** Counts of what is held. */
  stats(): BatchIouStats {
    const { counts, current, devices } = this.keeper;
    return {
      liveBuffers: current?.pool.liveCount ?? 0,
      pooledBuffers: current?.pool.pooledCount ?? 0,
      bufferBytes: current?.pool.bytes ?? 0,
      buffersCreated: counts.created,
      buffersDestroyed: counts.destroyed,
      pipelines: current?.pipelines.count ?? 0,
      devices,
      lost: current?.failure instanceof DeviceLostError,
    };
  }

  /** Destroys every buffer (results on the GPU too) and an own device; idempotent. Pending calls get DisposedError. */
  dispose(): void {
    this.keeper.dispose();
  }

  [disposeKey](): void {
    this.dispose();
  }

  private accept(kind: JobKind, a: Boxes, b: Boxes, options: AnyOptions): Job {
    this.keeper.check();
    choiceOption('backend', options.backend, backends);
    if ((isOnGpu(a) || isOnGpu(b)) && (options.backend ?? this.options.backend) === 'cpu') {
      throw new OptionError("boxes on the GPU need backend 'gpu'");
    }
    const output = choiceOption('output', options.output, outputs);
    if (output === 'buffer' && options.out !== undefined) {
      throw new OptionError("out is for output: 'array'", { output });
    }
    return packJob(kind, a, b, options);
  }

  private async similarities(
    kind: 'pairwise' | 'aligned',
    a: Boxes,
    b: Boxes,
    options: GpuPairwiseOptions,
  ): Promise<Float32Array | GpuResult> {
    const job = this.accept(kind, a, b, options);
    const onCpu = (out: Float32Array) =>
      similaritiesOnCpu(kind, boxesOf(a, job, 'a'), boxesOf(b, job, 'b'), options, job.images, out);
    if (options.output === 'buffer') {
      return this.leave(job, () => onCpu(new Float32Array(job.results)).buffer as ArrayBuffer);
    }
    const out = options.out ?? new Float32Array(job.results);
    checkOut(out, Float32Array, job.results);
    const session = await this.place(job, options.backend);
    if (session === null) return onCpu(out);
    const limits = this.limits(session);
    const tiles = planTiles(job.kernel, job.images, limitsFor(job.kernel, 'array', limits));
    await runToHost(session, job, tiles, limits.workgroups, (tile, data) => {
      const values = new Float32Array(data);
      for (const segment of tile.segments) {
        for (const [from, to, length] of runsOf(job, segment))
          out.set(values.subarray(from, from + length), to);
      }
    });
    return out;
  }

  /** The session to run on, or null for the CPU. */
  private async place(
    job: Job,
    backend: Backend = this.options.backend ?? 'gpu',
  ): Promise<DeviceSession | null> {
    if (backend === 'cpu' || job.pairs === 0 || job.extreme) return null;
    if (backend === 'gpu' || !(job.a instanceof Float32Array && job.b instanceof Float32Array)) {
      return this.session();
    }
    if (this.missing !== null) return null;
    const { current, recreates } = this.keeper;
    if (current?.failure != null && !recreates) return null;
    const { kind, metric, rows, columns, pairs } = job;
    await this.measure(kind, metric.key, job.comparison);
    const predicted = this.crossover.predict(kind, metric.key, rows, columns, pairs)!;
    return predicted.gpuMs < predicted.cpuMs ? this.session() : null;
  }

  private session(): Promise<DeviceSession> {
    if (this.missing !== null) return Promise.reject(new UnsupportedError(this.missing));
    return this.keeper.session();
  }

  /** A result on the GPU, wherever it is computed: it was asked for there. */
  private async leave(job: Job, onCpu: () => ArrayBuffer): Promise<GpuResult> {
    const session = await this.session();
    const byteLength = job.results * resultBytes(job);
    checkFits(session, byteLength);
    const buffer = job.extreme
      ? uploadResult(session, onCpu())
      : await runToBuffer(session, job, this.limits(session));
    let held = true;
    const release = () => {
      if (held) session.pool.release(buffer);
      held = false;
    };
    return { buffer, byteLength, release, [disposeKey]: release };
  }

  private limits({ device }: DeviceSession): TileLimits {
    const { maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = device.limits;
    return {
      bindingBytes: maxStorageBufferBindingSize,
      workgroups: maxComputeWorkgroupsPerDimension,
      pairs: 2 ** 28,
      ...this.options.limits,
    };
  }

  /** Measures a kernel once, however many calls ask. */
  private async measure(kind: JobKind, key: string, metric: Comparison): Promise<void> {
    if (this.crossover.has(kind, key)) return;
    const name = `${kind} ${key}`;
    let measuring = this.measuring.get(name);
    if (measuring === undefined) {
      measuring = this.crossover
        .measure(kind, key, (rows, columns) => measurePoint(this, kind, metric, rows, columns))
        .finally(() => this.measuring.delete(name));
      this.measuring.set(name, measuring);
    }
    await measuring;
  }
}

/** Boxes for the CPU: as given, rotated ones as corners; of those on the GPU, which no job without pairs reads, zeros. */
function boxesOf(given: Boxes, job: Job, side: 'a' | 'b'): BoxArray {
  if (isOnGpu(given)) return new Float32Array(4 * given.count);
  return job.comparison.rotated === undefined ? given : (job[side] as Float32Array);
}
