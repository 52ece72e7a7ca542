/**
 * Keeps one detector and one source running into each other, whichever of them changes.
 *
 * A new model is loaded beside the old one, which goes on until the new one is ready; a model that fails to load
 * therefore costs nothing. A worker that dies ends the loop with a problem whose action starts it again.
 */
import { WorkerCrashError } from '../../../src/errors.ts';
import { detectFrames, type FrameResult } from '../../../src/stream/index.ts';
import type { FrameSource } from '../sources/types.ts';
import { describeError, type ModelFile, session } from '../state/session.ts';
import { detectOptions, settings } from '../state/settings.ts';
import { type Loaded, loadDetector } from './loader.ts';
import { tapDetector } from './tap.ts';

export interface EngineView {
  produced(image: ImageBitmap): void;
  /** The first frame of a source that no detector can take yet. */
  preview(image: ImageBitmap): void;
  /** A newer frame took its place before the detector was free. */
  dropped(): void;
  handedOver(image: ImageBitmap, index: number): void;
  result(result: FrameResult): void;
  /** The loop starts anew: forget frames in flight. */
  reset(): void;
}

export class Engine {
  readonly #view: EngineView;
  #loaded: Loaded | null = null;
  #source: FrameSource | null = null;
  #loading: AbortController | null = null;
  #running: AbortController | null = null;
  #loop: Promise<void> = Promise.resolve();
  /** Frame numbers of the bitmaps under way. */
  #indices = new WeakMap<ImageBitmap, number>();

  constructor(view: EngineView) {
    this.#view = view;
  }

  get source(): FrameSource | null {
    return this.#source;
  }

  /** Loads a model and, once it is ready, lets it take over. False when it failed; the problem is then shown. */
  async load(model: ModelFile): Promise<boolean> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    session.set({ phase: 'loading', progressText: 'Starting the worker', progress: null, problem: null });
    let loaded: Loaded;
    try {
      loaded = await loadDetector(model, settings.get().provider, loading.signal);
    } catch (error) {
      if (!loading.signal.aborted) this.#loadFailed(model, error);
      return false;
    }
    if (loading.signal.aborted) {
      loaded.detector.dispose();
      return false;
    }
    await this.#stop();
    this.#loaded?.detector.dispose();
    this.#loaded = loaded;
    const stats = await loaded.detector.stats();
    session.set({ phase: 'running', model, info: loaded.detector.info, stats });
    this.#start();
    return true;
  }

  async setSource(source: FrameSource): Promise<void> {
    const before = this.#source;
    this.#source = source;
    await this.#stop();
    before?.dispose();
    if (this.#loaded === null) await this.#preview(source);
    this.#start();
  }

  /** The same model in a new worker. */
  restart(): void {
    const { model } = session.get();
    if (model !== null) void this.load(model);
  }

  kill(): void {
    this.#loaded?.kill();
  }

  /** Asks the worker how it is; also notices that it died while nothing was running. */
  async refreshStats(): Promise<void> {
    const loaded = this.#loaded;
    if (loaded === null) return;
    try {
      const stats = await loaded.detector.stats();
      if (loaded === this.#loaded) session.set({ stats });
    } catch (error) {
      if (loaded === this.#loaded) this.#loopFailed(error);
    }
  }

  #start(): void {
    const { detector } = this.#loaded ?? {};
    const source = this.#source;
    if (detector === undefined || source === null || this.#running !== null) return;
    const running = new AbortController();
    this.#running = running;
    this.#loop = this.#run(source, running.signal).catch((error: unknown) => {
      if (!running.signal.aborted) this.#loopFailed(error);
    });
  }

  async #stop(): Promise<void> {
    this.#running?.abort();
    this.#running = null;
    await this.#loop;
    this.#view.reset();
  }

  async #preview(source: FrameSource): Promise<void> {
    const enough = new AbortController();
    for await (const { image } of source.frames(enough.signal)) {
      this.#view.preview(image);
      image.close();
      break;
    }
    enough.abort();
  }

  async #run(source: FrameSource, signal: AbortSignal): Promise<void> {
    const detector = tapDetector(this.#loaded!.detector, {
      options: () => detectOptions(settings.get()),
      onFrame: (frame) => this.#view.handedOver(frame, this.#indices.get(frame) ?? 0),
    });
    const results = detectFrames(this.#bitmaps(source, signal), detector, {
      overflow: 'latest',
      signal,
      onDrop: ({ reason }) => {
        if (reason === 'overflow') this.#view.dropped();
      },
    });
    for await (const result of results) this.#view.result(result);
  }

  async *#bitmaps(source: FrameSource, signal: AbortSignal): AsyncGenerator<ImageBitmap> {
    for await (const frame of source.frames(signal)) {
      this.#view.produced(frame.image);
      this.#indices.set(frame.image, frame.index);
      yield frame.image;
    }
  }

  #loadFailed(model: ModelFile, error: unknown): void {
    const { message, code } = describeError(error);
    const title = `${model.name} could not be loaded`;
    const survivor = this.#loaded !== null;
    session.set({
      phase: survivor ? 'running' : 'failed',
      problem: {
        title,
        message: survivor ? `${message} The model before it goes on.` : message,
        code,
        action: { label: 'Try again', run: () => void this.load(model) },
      },
    });
  }

  #loopFailed(error: unknown): void {
    const crashed = error instanceof WorkerCrashError;
    this.#running?.abort();
    this.#running = null;
    this.#loaded?.detector.dispose();
    this.#loaded = null;
    const { message, code } = describeError(error);
    session.set({
      phase: 'failed',
      problem: {
        title: crashed ? 'The worker stopped' : 'Detection stopped',
        message: crashed
          ? `${message}. The frames in it are lost; the page, your settings and the source are not.`
          : message,
        code,
        action: { label: 'Restart', run: () => this.restart() },
      },
    });
  }
}
