/**
 * The page's side of a worker that is ready: calls that always settle.
 *
 * comlink carries the calls but never rejects when the worker is gone, so every call is also kept in a map here and
 * rejected from it on whatever ends the worker: an uncaught error, an unreadable message, an exit, a lost lock, a missed
 * heartbeat, `dispose`. How an end is noticed:
 * - Node: the worker's `exit` event.
 * - Browser: the lock that the worker holds falls free (Web Locks, in secure contexts). Without it (a page on plain
 *   http) the worker must answer a heartbeat while calls are pending; a worker that computes for longer than
 *   `heartbeat` milliseconds without a pause is then taken for dead.
 */
import { transfer, wrap } from 'comlink';
import { disposeKey } from '../dispose.ts';
import { DisposedError, OptionError, UnsupportedError, WorkerCrashError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { decodeError, encodeError } from './error-codec.ts';
import { type Host, readSignal, type Signal } from './protocol.ts';
import { closeAll, closeValue } from './transfer.ts';

/** How a worker was started. `factory` is the caller's own. */
export type WorkerKind = 'url' | 'inline' | 'factory' | 'node';

export interface CallOptions {
  /** Moved to the worker instead of copied; frames among them are closed if the call never leaves. */
  readonly transfer?: readonly Transferable[];
  /** Rejects the call at once with the signal's reason, and tells the worker. */
  readonly signal?: AbortSignal | undefined;
  /** Gets what the worker's method reports on the way. What it throws rejects the call, and the worker is told. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
}

interface PendingCall {
  reject(error: unknown): void;
  onProgress(value: unknown): void;
}

/** Heartbeat in milliseconds where nothing else tells of a worker's end. */
const defaultHeartbeat = 60_000;

const live = new Set<WorkerClient>();

/** Workers this thread has started and not ended; 0 when everything was disposed. */
export function liveWorkers(): number {
  return live.size;
}

/** What `connectWorker` hands over. */
export interface ClientSetup {
  readonly kind: WorkerKind;
  readonly endpoint: Endpoint;
  readonly lock: string | undefined;
  /** Milliseconds of silence, while calls are pending, after which the worker counts as dead; 0 never. */
  readonly heartbeat: number | undefined;
}

/** A running worker whose methods can be called. Made by `connectWorker`. */
export class WorkerClient implements Disposable {
  readonly kind: WorkerKind;
  private readonly endpoint: Endpoint;
  private readonly remoteCall: Host['call'];
  private readonly calls = new Map<number, PendingCall>();
  private readonly watch = new AbortController();
  private readonly heartbeat: number;
  private readonly endListeners = new Set<(error: Error) => void>();
  private nextCall = 1;
  private heartbeatTimer: ReturnType<typeof setTimeout> | undefined;
  private end: Error | undefined;

  constructor(setup: ClientSetup) {
    this.kind = setup.kind;
    this.endpoint = setup.endpoint;
    const remote = wrap<Host>(setup.endpoint as unknown as Parameters<typeof wrap>[0]);
    this.remoteCall = remote.call as unknown as Host['call'];
    this.endpoint.addEventListener('message', ({ data }: { readonly data: unknown }) => this.hear(data));
    const locked = setup.lock !== undefined && this.watchLock(setup.lock);
    const told = locked || setup.endpoint.tellsEnd;
    this.heartbeat = setup.heartbeat ?? (told ? 0 : defaultHeartbeat);
    this.endpoint.keepAlive(false);
    live.add(this);
  }

  /** Calls that wait for their answer. */
  get pending(): number {
    return this.calls.size;
  }

  /** Why the worker is gone, or undefined while it runs. */
  get endedBy(): Error | undefined {
    return this.end;
  }

  /** Tells once when the worker dies by itself (not on `dispose`); returns how to stop listening. */
  onCrash(listener: (error: Error) => void): () => void {
    this.endListeners.add(listener);
    return () => this.endListeners.delete(listener);
  }

  /**
   * Calls a method of the worker.
   *
   * @throws what the method threw, as its class; the signal's reason; WorkerCrashError when the worker died;
   *   DisposedError after `dispose`; OptionError when the argument cannot be sent, UnsupportedError when the result cannot
   */
  call<Result>(method: string, argument: unknown, options: CallOptions = {}): Promise<Result> {
    const { signal } = options;
    const refusal = this.end ?? (signal?.aborted ? signal.reason : undefined);
    if (refusal !== undefined) {
      closeAll(options.transfer ?? []);
      return Promise.reject(refusal);
    }
    const id = this.nextCall++;
    return new Promise<Result>((resolve, reject) => {
      const stop = (reason: unknown) => {
        if (!settle()) return;
        this.send({ boxops: 'abort', call: id, reason: encodeError(reason) });
        reject(reason);
      };
      const abort = () => stop(signal?.reason);
      const settle = () => {
        signal?.removeEventListener('abort', abort);
        const known = this.calls.delete(id);
        if (known && this.calls.size === 0) this.idle();
        return known;
      };
      const fail = (error: unknown) => {
        if (settle()) reject(error);
      };
      const onProgress = (value: unknown) => {
        try {
          options.onProgress?.(value);
        } catch (error) {
          stop(error);
        }
      };
      this.calls.set(id, { reject: fail, onProgress });
      if (this.calls.size === 1) this.busy();
      signal?.addEventListener('abort', abort, { once: true });
      const sent = transfer({ argument }, [...(options.transfer ?? [])].filter(holdsMemory));
      this.remoteCall(id, method, sent).then(
        (reply) => {
          if (!settle()) closeValue(reply.ok ? reply.value : undefined);
          else if (reply.ok) resolve(reply.value as Result);
          else reject(decodeError(reply.error));
        },
        (error: unknown) => {
          closeAll(options.transfer ?? []);
          fail(sendingError(method, error));
        },
      );
    });
  }

  /** Ends the worker; pending and later calls reject with DisposedError. Idempotent. */
  dispose(): void {
    if (this.end !== undefined) return;
    this.send({ boxops: 'dispose' });
    this.finish(new DisposedError('the worker was disposed'));
  }

  [disposeKey](): void {
    this.dispose();
  }

  /** The worker is gone for this reason: ends everything. */
  fail(reason: string, cause?: unknown): void {
    if (this.end !== undefined) return;
    const options = cause === undefined ? {} : { cause };
    const error = new WorkerCrashError(`the worker ${reason}`, { reason, kind: this.kind }, options);
    this.finish(error);
    for (const listener of this.endListeners) listener(error);
    this.endListeners.clear();
  }

  private finish(error: Error): void {
    this.end = error;
    live.delete(this);
    this.watch.abort();
    clearTimeout(this.heartbeatTimer);
    this.endpoint.close();
    for (const call of [...this.calls.values()]) call.reject(error);
  }

  private send(signal: Signal): void {
    if (this.end === undefined) this.endpoint.postMessage(signal);
  }

  private hear(data: unknown): void {
    if (this.heartbeatTimer !== undefined) this.beat();
    const signal = readSignal(data);
    if (signal?.boxops === 'progress') this.calls.get(signal.call)?.onProgress(signal.value);
    else if (signal?.boxops === 'fault') this.fail(signal.message);
  }

  private busy(): void {
    this.endpoint.keepAlive(true);
    if (this.heartbeat > 0) this.beat();
  }

  private idle(): void {
    clearTimeout(this.heartbeatTimer);
    this.heartbeatTimer = undefined;
    if (this.end === undefined) this.endpoint.keepAlive(false);
  }

  /** Half-way through the silence asks for a sign of life, at its end gives up; every message starts it anew. */
  private beat(): void {
    clearTimeout(this.heartbeatTimer);
    this.heartbeatTimer = setTimeout(() => {
      this.send({ boxops: 'hello' });
      this.heartbeatTimer = setTimeout(
        () =>
          this.fail(
            `gave no sign of life for ${this.heartbeat} ms while ${this.calls.size} calls were pending`,
          ),
        this.heartbeat / 2,
      );
    }, this.heartbeat / 2);
  }

  /** Asks for the lock the worker holds; getting it means that the worker is gone. False where there are no locks. */
  private watchLock(name: string): boolean {
    const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
    if (locks === undefined) return false;
    locks
      .request(name, { signal: this.watch.signal }, () =>
        this.fail('ended without a word (terminated, closed, or out of memory)'),
      )
      .catch(() => undefined);
    return true;
  }
}

/**
 * Whether there is something to move. A buffer that was moved before has nothing; Node would post it all the same, and
 * the worker could not read the message. Cloned instead, it is refused here, and this call alone fails.
 */
function holdsMemory(item: Transferable): boolean {
  return !(item instanceof ArrayBuffer && item.byteLength === 0);
}

/** A call that could not be posted: comlink rejects with the engine's DataCloneError. */
function sendingError(method: string, error: unknown): unknown {
  // comlink's words for an answer that could not be posted back
  if (!(error instanceof Error)) return error;
  if (error.message === 'Unserializable return value') {
    return new UnsupportedError(`the worker's ${method} gave an unserializable value`, { method });
  }
  if (error.name !== 'DataCloneError') return error;
  return new OptionError(
    `the argument of ${method} cannot be sent to a worker: ${error.message}`,
    { method },
    { cause: error },
  );
}
