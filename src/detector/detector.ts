/**
 * The detector of this thread: pictures → tensor → session → head → NMS → detections, one call after another.
 *
 * The worker's side uses it as it is. Frames are closed exactly once however a call ends; a call that is aborted while
 * the model runs is answered at once and its result dropped, because a running session cannot be stopped.
 */
import type { Detections } from '../boxes/detections.ts';
import type { FrameTransform } from '../boxes/frame-transform.ts';
import { disposeKey } from '../dispose.ts';
import { DisposedError } from '../errors.ts';
import type { ModelOutputs } from '../heads/types.ts';
import { checkDetectOptions } from './check-options.ts';
import { copyBytes } from './image/bytes.ts';
import { FrameLedger, isOwnedFrame } from './image/ownership.ts';
import { isPixels, readImage } from './image/read.ts';
import type { DetectorPlan } from './plan.ts';
import { postprocess } from './postprocess.ts';
import { InputBuffer } from './preprocess/input.ts';
import { checkDefaults, type ResolvedOptions, type RunDefaults, resolveOptions } from './run-options.ts';
import { reduceRequest } from './session/gpu-outputs.ts';
import { nextTask } from './session/next-task.ts';
import { SerialQueue } from './session/queue.ts';
import type { Feeds, ModelSession } from './session/session.ts';
import type { DetectOptions, Detector, DetectorInfo, DetectorStats, ImageSource } from './types.ts';

/** See {@link Detector}; made by `createDetector`. */
export class LocalDetector implements Detector {
  readonly info: DetectorInfo;
  readonly #plan: DetectorPlan;
  readonly #session: ModelSession;
  readonly #defaults: RunDefaults;
  readonly #input: InputBuffer;
  readonly #queue = new SerialQueue();
  readonly #ledger = new FrameLedger();
  readonly #milliseconds = { preprocess: 0, inference: 0, postprocess: 0 };
  #frames = 0;
  #failures = 0;
  #sides: { readonly count: number; readonly feeds: Feeds } | undefined;
  #disposed = false;
  #running = false;

  constructor(plan: DetectorPlan, session: ModelSession, defaults: RunDefaults) {
    const { head, family, classNames, preprocessing, reasons } = plan;
    this.info = { head, family, classNames, preprocessing, reasons };
    this.#plan = plan;
    this.#session = session;
    this.#defaults = defaults;
    this.#input = new InputBuffer(preprocessing, plan.image.type);
    // a bad default is told when the detector is made
    checkDefaults(defaults, plan);
  }

  detect(source: ImageSource, options?: DetectOptions): Promise<Detections>;
  detect(sources: readonly ImageSource[], options?: DetectOptions): Promise<Detections[]>;
  async detect(
    input: ImageSource | readonly ImageSource[],
    options: DetectOptions = {},
  ): Promise<Detections | Detections[]> {
    const sources: readonly ImageSource[] = isBatch(input) ? input : [input];
    const close = this.#ledger.adopt(sources);
    try {
      if (this.#disposed) throw disposedError();
      checkDetectOptions(options);
      options.signal?.throwIfAborted();
      const resolved = resolveOptions(options, this.#defaults, this.#plan);
      const kept = options.transfer === true ? sources : this.#detach(sources);
      const { signal } = options;
      const found = await this.#queue.run(() => this.#detectAll(kept, resolved, close, signal), signal);
      return isBatch(input) ? found : found[0];
    } catch (error) {
      this.#failures++;
      throw error;
    } finally {
      close();
    }
  }

  stats(): Promise<DetectorStats> {
    if (this.#disposed) return Promise.reject(disposedError());
    const { executionProvider, fallbacks } = this.#session;
    const { preprocess, inference, postprocess: after } = this.#milliseconds;
    const frames = Math.max(1, this.#frames);
    return Promise.resolve({
      frames: this.#frames,
      failures: this.#failures,
      executionProvider,
      fallbacks,
      worker: 'none',
      framesOpened: this.#ledger.opened,
      framesClosed: this.#ledger.closed,
      postprocessing: this.#session.postprocessing(),
      milliseconds: {
        preprocess: preprocess / frames,
        inference: inference / frames,
        postprocess: after / frames,
      },
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#queue.dispose(disposedError());
    // a session must not be freed under a run; the run's end frees it
    if (!this.#running) void this.#session.release().catch(() => undefined);
  }

  [disposeKey](): void {
    this.dispose();
  }

  /** Runs the model once on an empty picture; not counted in the statistics. */
  async warmUp(): Promise<void> {
    const { width, height } = this.#plan.preprocessing.size;
    const blank = { data: new Uint8Array(4 * width * height).fill(255), width, height };
    const options = resolveOptions({}, this.#defaults, this.#plan);
    await this.#queue.run(() => this.#guarded(() => this.#infer([blank], options)));
    this.#milliseconds.preprocess = this.#milliseconds.inference = 0;
  }

  /**
   * Sources as they are at the moment of the call. Raw pixels of the first run that are read before `detect` returns
   * need no copy; what waits for its turn does, and elements that go on playing are read now.
   */
  #detach(sources: readonly ImageSource[]): readonly ImageSource[] {
    const atOnce =
      this.#queue.idle && sources.every((source) => isPixels(source) || isOwnedFrame(source))
        ? this.#limit(sources)
        : 0;
    return sources.map((source, index) => {
      if (index < atOnce || isEmpty(source) || source instanceof Blob || isOwnedFrame(source)) return source;
      if (source instanceof Uint8Array) return copyBytes(source);
      if (source instanceof ArrayBuffer) return source.slice(0);
      if (isPixels(source))
        return { data: copyBytes(source.data), width: source.width, height: source.height };
      return readImage(source) as ImageSource;
    });
  }

  /** Pictures a run of the model. */
  #limit(sources: readonly ImageSource[]): number {
    return this.#plan.image.batch ?? sources.length;
  }

  /** Marks the session busy; frees it at the end if the detector was disposed meanwhile. */
  async #guarded<T>(task: () => Promise<T>): Promise<T> {
    this.#running = true;
    try {
      return await task();
    } finally {
      this.#running = false;
      if (this.#disposed) void this.#session.release().catch(() => undefined);
    }
  }

  #detectAll(
    sources: readonly ImageSource[],
    options: ResolvedOptions,
    close: () => void,
    signal: AbortSignal | undefined,
  ): Promise<Detections[]> {
    return this.#guarded(async () => {
      const limit = this.#limit(sources);
      const found: Detections[] = [];
      for (let start = 0; start < sources.length; start += limit) {
        if (start > 0) await this.#pause(signal);
        const last = start + limit >= sources.length;
        const part = sources.slice(start, start + limit);
        const { outputs, transforms } = await this.#infer(part, options, last ? close : undefined);
        const before = performance.now();
        for (const [image, transform] of transforms.entries()) {
          found.push(postprocess(outputs, image, transform, this.#plan, options));
        }
        this.#milliseconds.postprocess += performance.now() - before;
        this.#frames += part.length;
      }
      return found;
    });
  }

  /** Between two runs of a call: lets an abort or `dispose` be heard, after which nobody waits for the rest. */
  async #pause(signal: AbortSignal | undefined): Promise<void> {
    await nextTask();
    signal?.throwIfAborted();
    if (this.#disposed) throw disposedError();
  }

  /** One run of the model; `afterRead` is called when no source is needed any more. */
  async #infer(
    sources: readonly ImageSource[],
    options: ResolvedOptions,
    afterRead?: () => void,
  ): Promise<{ outputs: ModelOutputs; transforms: FrameTransform[] }> {
    const start = performance.now();
    const count = this.#limit(sources);
    const input = this.#input;
    input.reserve(count);
    const transforms: FrameTransform[] = [];
    for (const [index, source] of sources.entries()) {
      const read = readImage(source);
      // raw pixels are read before `detect` returns: no await before this
      const pixels = read instanceof Promise ? await read : read;
      transforms.push(input.fill(index, pixels));
    }
    afterRead?.();
    const feeds = this.#feeds(count);
    const ready = performance.now();
    const outputs = await this.#session.run(feeds, reduceRequest(this.#plan, options));
    this.#milliseconds.preprocess += ready - start;
    this.#milliseconds.inference += performance.now() - ready;
    return { outputs, transforms };
  }

  #feeds(count: number): Feeds {
    const { Tensor } = this.#session.ort;
    const { image } = this.#plan;
    const tensor = new Tensor(image.type, this.#input.data() as Float32Array, [...this.#input.dims(count)]);
    if (this.#sides?.count !== count) this.#sides = { count, feeds: this.#sideFeeds(count) };
    return { [image.name]: tensor as Feeds[string], ...this.#sides.feeds };
  }

  /** Inputs besides the picture: the same for every run of as many pictures. */
  #sideFeeds(count: number): Feeds {
    const { Tensor } = this.#session.ort;
    const feeds: Record<string, Feeds[string]> = {};
    for (const { name, type, dims, values } of this.#plan.sides) {
      const repeated = Array.from({ length: count }, () => values).flat();
      const data =
        type === 'int64'
          ? BigInt64Array.from(repeated, BigInt)
          : type === 'int32'
            ? Int32Array.from(repeated)
            : Float32Array.from(repeated);
      feeds[name] = new Tensor(type, data as Float32Array, [count, ...dims]);
    }
    return feeds;
  }
}

/** Bytes or pixels whose buffer is empty or was moved away: they cannot be copied, and reading says what is wrong. */
function isEmpty(source: ImageSource): boolean {
  const bytes = isPixels(source) ? source.data : source;
  return (
    (bytes instanceof Uint8Array || bytes instanceof Uint8ClampedArray || bytes instanceof ArrayBuffer) &&
    bytes.byteLength === 0
  );
}

function isBatch(input: ImageSource | readonly ImageSource[]): input is readonly ImageSource[] {
  return Array.isArray(input);
}

/** The error of a detector used after `dispose`. */
export function disposedError(): DisposedError {
  return new DisposedError('The detector was disposed.');
}
