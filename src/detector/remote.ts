/**
 * A detector that lives in a worker and looks like one that does not.
 *
 * Frames and copied arrays are moved to the worker, results come back in one moved buffer each, errors arrive as their
 * class. When the worker dies, pending and later calls reject with `WorkerCrashError`: make a new detector to recover.
 */
import type { Detections } from '../boxes/detections.ts';
import { connectWorker, type WorkerClient } from '../client/index.ts';
import { disposeKey } from '../dispose.ts';
import { checkDetectOptions } from './check-options.ts';
import { copyBytes } from './image/bytes.ts';
import { FrameLedger } from './image/ownership.ts';
import {
  packNms,
  type RemoteDetect,
  type RemoteOptions,
  type RemoteResults,
  receiveResults,
} from './remote-host.ts';
import { detectorLaunchers } from './remote-launch.ts';
import { packSources, unreadable } from './remote-sources.ts';
import type {
  DetectOptions,
  Detector,
  DetectorInfo,
  DetectorOptions,
  DetectorStats,
  ImageSource,
} from './types.ts';

/**
 * Starts a worker, loads the model in it and gives the detector. `createDetector` comes here when `worker` is set.
 *
 * URLs are absolute here. Rejects with `WorkerLoadError` (`details.attempts` lists every way tried and why it failed)
 * and with whatever `createDetector` rejects with; then no worker is left behind.
 */
export async function createRemoteDetector(options: DetectorOptions): Promise<Detector> {
  const { signal, onProgress, readyTimeout } = options;
  const launchers = detectorLaunchers(options.worker ?? true);
  const sent = remoteOptions(options);
  const client = await connectWorker({ launchers, readyTimeout, signal });
  try {
    const info = await client.call<DetectorInfo>('create', sent, {
      signal,
      onProgress: onProgress as ((progress: unknown) => void) | undefined,
    });
    return new RemoteDetector(client, info, options.nms);
  } catch (error) {
    client.dispose();
    throw error;
  }
}

/** See `Detector`; made by {@link createRemoteDetector}. */
export class RemoteDetector implements Detector {
  readonly info: DetectorInfo;
  readonly #client: WorkerClient;
  /** Frames of calls that never reached the worker; all others are counted there. */
  readonly #ledger = new FrameLedger();
  /** Counted here: the worker may have finished a call whose abort it heard too late. */
  #failures = 0;

  readonly #nms: DetectOptions['nms'];

  constructor(client: WorkerClient, info: DetectorInfo, nms: DetectOptions['nms']) {
    this.#client = client;
    this.info = info;
    this.#nms = nms;
  }

  detect(source: ImageSource, options?: DetectOptions): Promise<Detections>;
  detect(sources: readonly ImageSource[], options?: DetectOptions): Promise<Detections[]>;
  async detect(
    input: ImageSource | readonly ImageSource[],
    options: DetectOptions = {},
  ): Promise<Detections | Detections[]> {
    const batch = Array.isArray(input);
    const inputs = (batch ? input : [input]) as readonly ImageSource[];
    try {
      const { sources, transfer } = await this.#pack(inputs, options);
      const { signal, transfer: _, ...rest } = options;
      const call: RemoteDetect = { sources, options: packNms(rest, this.#nms) };
      const sent = { signal, transfer: [...transfer] };
      const results = await this.#client.call<RemoteResults>('detect', call, sent);
      const found = receiveResults(results, this.info.classNames);
      return batch ? found : found[0]!;
    } catch (error) {
      this.#failures++;
      throw unreadable(error) ?? error;
    }
  }

  async stats(): Promise<DetectorStats> {
    const stats = await this.#client.call<DetectorStats>('stats', null);
    return {
      ...stats,
      failures: this.#failures,
      framesOpened: stats.framesOpened + this.#ledger.opened,
      framesClosed: stats.framesClosed + this.#ledger.closed,
      worker: this.#client.kind,
    };
  }

  dispose(): void {
    this.#client.dispose();
  }

  [disposeKey](): void {
    this.dispose();
  }

  /** Sources ready to be posted; on failure every frame is closed and counted here. */
  async #pack(inputs: readonly ImageSource[], options: DetectOptions) {
    let made: ImageSource[] = [];
    try {
      checkDetectOptions(options);
      const { signal, transfer = false } = options;
      signal?.throwIfAborted();
      if (this.#client.endedBy !== undefined) throw this.#client.endedBy;
      const packed = await packSources(inputs, transfer);
      made = packed.sources;
      signal?.throwIfAborted();
      if (this.#client.endedBy !== undefined) throw this.#client.endedBy;
      return packed;
    } catch (error) {
      this.#ledger.adopt([...inputs, ...made])();
      throw error;
    }
  }
}

/** What of the options reaches the worker, as it must look there. */
function remoteOptions(options: DetectorOptions): RemoteOptions {
  const { worker: _, readyTimeout: __, signal: ___, onProgress: ____, ...given } = options;
  const rest = packNms(given);
  const { model } = rest;
  return typeof model === 'string' || model instanceof URL ? rest : { ...rest, model: copy(model) };
}

/** The bytes alone: cloning a view would send the whole buffer under it. */
function copy(model: Uint8Array<ArrayBuffer> | ArrayBuffer): Uint8Array<ArrayBuffer> | ArrayBuffer {
  return ArrayBuffer.isView(model) && model.byteLength < model.buffer.byteLength ? copyBytes(model) : model;
}
