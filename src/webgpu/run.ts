/**
 * Runs a job's tiles on a device: upload, dispatch, and either read back or leave on the GPU.
 *
 * A tile's commands are written without waiting in between, so calls that run at the same time cannot mix their error
 * scopes or buffers. At most two read-backs are under way: enough to keep the GPU busy, and large matrices need no more
 * memory than two tiles.
 */
import { OptionError } from '../errors.ts';
import { checked } from './checked.ts';
import type { DeviceSession } from './device.ts';
import { dispatch, gridOf } from './dispatch.ts';
import { type BoxesOnGpu, load } from './gpu-boxes.ts';
import type { Job } from './pack.ts';
import { binding, headerWords, resultWords, segmentWords, workgroupSize } from './shaders.ts';
import { planTiles, type Segment, type Tile } from './tiles.ts';
import type { TileLimits } from './types.ts';

/** Bytes a result takes. */
export const resultBytes = ({ kernel }: Job): number => 4 * resultWords[kernel];

/** The pipelines of a job. */
interface Pipelines {
  readonly main: GPUComputePipeline;
  /** Null where all boxes come from the CPU. */
  readonly loader: GPUComputePipeline | null;
}

async function pipelinesOf({ pipelines }: DeviceSession, job: Job): Promise<Pipelines> {
  const { kernel, metric, swapped, a, b } = job;
  const loads = !(a instanceof Float32Array && b instanceof Float32Array);
  const [main, loader] = await Promise.all([
    pipelines.get(kernel, metric, swapped),
    loads ? pipelines.loader() : null,
  ]);
  return { main, loader };
}

/** Runs and hands each complete tile's results over, in order of completion. */
export async function runToHost(
  session: DeviceSession,
  job: Job,
  tiles: readonly Tile[],
  workgroups: number,
  receive: (tile: Tile, data: ArrayBuffer) => void,
): Promise<void> {
  const { pool } = session;
  const pipeline = await session.guard(pipelinesOf(session, job));
  const underWay = new Set<Promise<void>>();
  let result: GPUBuffer | null = null;
  let done = false;
  try {
    for (const tile of tiles) {
      if (session.failure !== null) throw session.failure;
      const bytes = tile.results * resultBytes(job);
      result ??= pool.acquire('storage', bytes);
      const source: GPUBuffer = result;
      if (!tile.last) {
        await submitTile(session, pipeline, job, tile, workgroups, source, () => {});
        continue;
      }
      const staging = pool.acquire('staging', bytes);
      const submitted = submitTile(session, pipeline, job, tile, workgroups, source, (encoder) => {
        encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
      });
      pool.release(source);
      result = null;
      const reading = readBack(session, staging, bytes, submitted, (data) => receive(tile, data));
      underWay.add(reading);
      reading.then(
        () => underWay.delete(reading),
        () => {},
      );
      if (underWay.size >= 2) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    done = true;
  } finally {
    if (result !== null) pool.release(result);
    // none may go on reading when the call has failed: its buffers come back first
    await Promise.allSettled(underWay);
    if (!done) pool.drain();
  }
}

async function readBack(
  session: DeviceSession,
  staging: GPUBuffer,
  bytes: number,
  submitted: Promise<void>,
  receive: (data: ArrayBuffer) => void,
): Promise<void> {
  try {
    const mapped = session.guard(staging.mapAsync(1, 0, bytes));
    mapped.catch(() => {});
    await submitted;
    await mapped;
    receive(staging.getMappedRange(0, bytes));
  } finally {
    // also where the job was refused: a buffer that stays mapped, or waits to be, would spoil later calls
    staging.unmap();
    session.pool.release(staging);
  }
}

/** Runs and leaves the whole result in one buffer of the pool. */
export async function runToBuffer(session: DeviceSession, job: Job, limits: TileLimits): Promise<GPUBuffer> {
  const { pool } = session;
  const { workgroups } = limits;
  const tiles = planTiles(job.kernel, job.images, limits);
  const pipeline = await session.guard(pipelinesOf(session, job));
  const whole = pool.acquire('storage', job.results * resultBytes(job));
  let result: GPUBuffer | null = null;
  try {
    const direct = tiles.filter((tile) => tile.last).length === 1;
    for (const tile of tiles) {
      if (session.failure !== null) throw session.failure;
      if (direct) {
        await submitTile(session, pipeline, job, tile, workgroups, whole, () => {});
        continue;
      }
      result ??= pool.acquire('storage', tile.results * resultBytes(job));
      const source: GPUBuffer = result;
      await submitTile(session, pipeline, job, tile, workgroups, source, (encoder) => {
        if (tile.last) copyTile(encoder, job, tile, source, whole);
      });
      if (tile.last) {
        pool.release(source);
        result = null;
      }
    }
    return whole;
  } catch (error) {
    for (const buffer of [whole, result]) if (buffer !== null) pool.release(buffer);
    pool.drain();
    throw error;
  }
}

/** Uploads a result that the CPU computed. */
export function uploadResult(session: DeviceSession, data: ArrayBuffer): GPUBuffer {
  const buffer = session.pool.acquire('storage', data.byteLength);
  session.device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/** Throws {@link OptionError} for a result that no buffer of the device can hold. */
export function checkFits({ device }: DeviceSession, bytes: number): void {
  const { maxBufferSize } = device.limits;
  if (bytes <= maxBufferSize) return;
  throw new OptionError(
    `a result of ${bytes} bytes does not fit a buffer of this GPU (${maxBufferSize} bytes); ask for output: 'array'`,
    { bytes, maxBufferSize },
  );
}

/** The runs of results that lie together in the tile and in the whole: [from in tile, to in whole, length]. */
export function* runsOf(job: Job, segment: Segment): Generator<readonly [number, number, number]> {
  const rows = segment.aTo - segment.aFrom;
  const width = job.kind === 'pairwise' ? segment.bTo - segment.bFrom : 1;
  if (width === segment.stride) {
    yield [segment.at, segment.target, rows * width];
    return;
  }
  for (let i = 0; i < rows; i++) yield [segment.at + i * width, segment.target + i * segment.stride, width];
}

function copyTile(encoder: GPUCommandEncoder, job: Job, tile: Tile, from: GPUBuffer, to: GPUBuffer): void {
  const unit = resultBytes(job);
  for (const segment of tile.segments) {
    for (const [source, target, length] of runsOf(job, segment)) {
      if (length > 0) encoder.copyBufferToBuffer(from, source * unit, to, target * unit, length * unit);
    }
  }
}

/** Submits one tile; the promise is rejected when the device refused it, e.g. for want of memory. */
function submitTile(
  session: DeviceSession,
  { main, loader }: Pipelines,
  job: Job,
  tile: Tile,
  workgroups: number,
  result: GPUBuffer,
  after: (encoder: GPUCommandEncoder) => void,
): Promise<void> {
  const { device, pool } = session;
  const { metric } = job;
  const used: GPUBuffer[] = [];
  const entries: GPUBindGroupEntry[] = [];
  const bind = (at: number, buffer: GPUBuffer, bytes: number) => {
    entries.push({ binding: at, resource: { buffer, size: Math.max(16, 4 * Math.ceil(bytes / 4)) } });
  };
  const upload = (at: number, data: Float32Array | Uint32Array) => {
    const buffer = pool.acquire('storage', data.byteLength);
    used.push(buffer);
    // Dawn in Node takes no view of shared memory
    const own = data.buffer instanceof ArrayBuffer ? (data as Float32Array<ArrayBuffer>) : data.slice();
    if (data.length > 0) device.queue.writeBuffer(buffer, 0, own);
    bind(at, buffer, data.byteLength);
  };
  const submit = (): void => {
    const encoder = device.createCommandEncoder();
    const bring = (side: 'a' | 'b', boxes: Float32Array | BoxesOnGpu, from: number, to: number) => {
      if (!(boxes instanceof Float32Array)) {
        const buffer = pool.acquire('storage', 16 * (to - from));
        used.push(buffer);
        load(session, loader!, encoder, boxes, from, to, workgroups, buffer, used);
        bind(binding[side], buffer, 16 * (to - from));
        return;
      }
      const corners = boxes.subarray(4 * from, 4 * to);
      upload(binding[side], corners);
      // The metric knows its own sides, whichever are the rows.
      const own = (side === 'a') !== job.swapped ? 'a' : 'b';
      if (metric[`${own}TermCount`] === 0) return;
      const given = job[`${side}Terms`]?.subarray(2 * from, 2 * to);
      upload(binding[`${side}Terms`], given ?? termsOf(corners, metric[`${own}Terms`]));
    };
    bring('a', job.a, tile.aFrom, tile.aTo);
    bring('b', job.b, tile.bFrom, tile.bTo);
    const shape = gridOf(tile.results, workgroups);
    upload(binding.job, describe(job, tile, shape[0] * workgroupSize));
    bind(binding.result, result, tile.results * resultBytes(job));
    dispatch(device, encoder, main, entries, shape);
    after(encoder);
    device.queue.submit([encoder.finish()]);
  };
  try {
    return session.guard(checked(device, { kind: job.kind, results: tile.results }, submit));
  } finally {
    for (const buffer of used) pool.release(buffer);
  }
}

function termsOf(
  corners: Float32Array,
  fill: (corners: Float32Array, out: Float32Array) => void,
): Float32Array {
  const out = new Float32Array(corners.length / 2);
  fill(corners, out);
  return out;
}

/** The words of `job` in the shader. */
function describe(job: Job, tile: Tile, rowThreads: number): Uint32Array {
  const { values } = job.metric;
  const { segments } = tile;
  const words = new Uint32Array(headerWords + values.length + segmentWords * segments.length);
  words.set([segments.length, tile.results, rowThreads, tile.resume ? 1 : 0, tile.bFrom]);
  words.set(new Uint32Array(values.buffer, values.byteOffset, values.length), headerWords);
  segments.forEach(({ at, aFrom, bFrom, bTo }, k) => {
    words.set(
      [at, aFrom - tile.aFrom, bFrom - tile.bFrom, bTo - tile.bFrom],
      headerWords + values.length + segmentWords * k,
    );
  });
  return words;
}
