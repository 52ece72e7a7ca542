/**
 * Starts a worker and waits until it says that it is ready.
 *
 * No one way of shipping a worker works in every bundler and under every content policy, so several are tried in turn.
 * A worker that cannot be loaded gives an `error` event without a reason, or nothing at all; each way therefore ends in
 * a ready signal, a failure, or a timeout, and when all have failed {@link WorkerLoadError} lists them.
 */
import { WorkerLoadError } from '../errors.ts';
import { WorkerClient, type WorkerKind } from './client.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';
import { protocolVersion, type ReadySignal, readSignal } from './protocol.ts';

/** One way to start a worker. */
export interface WorkerLauncher {
  readonly kind: WorkerKind;
  /** Where it comes from, for error messages; e.g. the URL. */
  readonly source?: string;
  /** Gives a web `Worker`, a worker_threads `Worker` or a `MessagePort`; may throw. */
  start(): unknown;
}

/** One failed way, as listed in `WorkerLoadError.details.attempts`. */
export interface WorkerAttempt {
  readonly kind: WorkerKind;
  readonly source: string;
  readonly reason: string;
}

export interface ConnectOptions {
  /** Tried in order. */
  readonly launchers: readonly WorkerLauncher[];
  /** Milliseconds each way may take to say that it is ready. Default 30 000. */
  readonly readyTimeout?: number | undefined;
  /** Milliseconds of silence while calls are pending after which the worker counts as dead; 0 never. See `WorkerClient`. */
  readonly heartbeat?: number | undefined;
  /** Stops trying; rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const defaultReadyTimeout = 30_000;

/**
 * Gives a client of the first worker that becomes ready.
 *
 * @throws WorkerLoadError with `details.attempts`: `{ kind, source, reason }` of every way tried
 * @throws the signal's reason when aborted; a worker being started is ended
 *
 * @example
 * const client = await connectWorker({
 *   launchers: [{ kind: 'url', start: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) }],
 * });
 * const sum = await client.call<number>('add', [1, 2]);
 * client.dispose();
 */
export async function connectWorker(options: ConnectOptions): Promise<WorkerClient> {
  const { launchers, signal, readyTimeout = defaultReadyTimeout } = options;
  const attempts: WorkerAttempt[] = [];
  for (const launcher of launchers) {
    signal?.throwIfAborted();
    try {
      return await launch(launcher, readyTimeout, options);
    } catch (error) {
      signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      attempts.push({ kind: launcher.kind, source: launcher.source ?? '', reason });
    }
  }
  const list = attempts.map(({ kind, source, reason }) => `${kind}${source && ` ${source}`}: ${reason}`);
  throw new WorkerLoadError(`no worker could be started; tried ${list.join('; ') || 'nothing'}`, {
    attempts,
  });
}

/** One attempt. Whatever way it ends, nothing it started is left behind unless it succeeded. */
function launch(
  launcher: WorkerLauncher,
  readyTimeout: number,
  { signal, heartbeat }: ConnectOptions,
): Promise<WorkerClient> {
  return new Promise((resolve, reject) => {
    let endpoint: Endpoint | undefined;
    let client: WorkerClient | undefined;
    let settled = false;
    const settle = () => {
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (reason: unknown) => {
      if (settled) return;
      settle();
      endpoint?.close();
      reject(reason);
    };
    const failed = (reason: string, cause?: unknown) => {
      if (client !== undefined) client.fail(reason, cause);
      else fail(new Error(reason, { cause }));
    };
    const ready = ({ version, lock }: ReadySignal) => {
      if (settled || endpoint === undefined) return;
      if (version !== protocolVersion) {
        fail(new Error(`speaks version ${version} of the protocol, expected ${protocolVersion}`));
        return;
      }
      settle();
      client = new WorkerClient({ kind: launcher.kind, endpoint, lock, heartbeat });
      resolve(client);
    };
    const open = (worker: unknown) => {
      endpoint = openEndpoint(worker, {
        onFailure: failed,
        onUnreadable: (cause) => failed('sent a message that cannot be read here', cause),
      });
      if (settled) {
        endpoint.close();
        return;
      }
      endpoint.addEventListener('message', ({ data }: { readonly data: unknown }) => {
        const message = readSignal(data);
        if (message?.boxops === 'ready') ready(message);
        else if (message?.boxops === 'fault') failed(message.message);
      });
      // A worker that runs already (a factory may hand one over) has said `ready` before anyone listened.
      endpoint.postMessage({ boxops: 'hello' });
    };
    const abort = () => fail(signal?.reason);
    const late = () => fail(new Error(`did not say that it is ready within ${readyTimeout} ms`));
    const timer = setTimeout(late, readyTimeout);
    signal?.addEventListener('abort', abort, { once: true });
    const start = async () => launcher.start();
    start().then(open).catch(fail);
  });
}
