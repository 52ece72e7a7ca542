/**
 * The worker's side: offers methods to a client.
 *
 * Each method gets one argument (any plain data, transferred where the client said so) and a {@link CallContext}. What
 * it returns is cloned back, or moved with {@link transferring}; what it throws arrives at the client as the same class.
 */
import { expose, transfer } from 'comlink';
import { UnsupportedError } from '../errors.ts';
import { openEndpoint } from './endpoint.ts';
import { decodeError, encodeError } from './error-codec.ts';
import { protocolVersion, type Reply, readSignal, type Sent, type Signal } from './protocol.ts';
import { closeValue, takeTransferList } from './transfer.ts';

/** What a method knows of the call it answers. */
export interface CallContext {
  /** Aborted with the client's reason when the client gives the call up. */
  readonly signal: AbortSignal;
  /** Sends news of the running call; arrives in order, before the answer. */
  progress(value: unknown): void;
}

/** Methods by name. The argument is what the client sent: check it where it matters. */
export type WorkerMethods = Readonly<Record<string, (argument: never, context: CallContext) => unknown>>;

/** Locks are held under names beginning with this. */
const lockPrefix = 'boxops-worker-';

/**
 * Offers `methods` on a channel and says so. Call it once, at the end of a worker's entry file.
 *
 * @param channel `self` in a web worker (the default), `parentPort` in worker_threads, or one end of a `MessageChannel`
 * @param onDispose called when a client behind a port says good-bye; terminated workers need no clean-up
 */
export function serveWorker(
  methods: WorkerMethods,
  channel: unknown = globalThis,
  onDispose?: () => void,
): void {
  const running = new Map<number, AbortController>();
  const endpoint = openEndpoint(channel, {
    onUnreadable: () => send({ boxops: 'fault', message: 'got a message that it cannot read' }),
  });
  const send = (signal: Signal) => endpoint.postMessage(signal);

  async function call(id: number, name: string, { argument }: Sent): Promise<Reply> {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
      if (method === undefined) {
        closeValue(argument);
        throw new UnsupportedError(`the worker has no method ${name}`, { method: name });
      }
      const context: CallContext = {
        signal: controller.signal,
        progress: (value) => send({ boxops: 'progress', call: id, value }),
      };
      const value = await method(argument as never, context);
      return transfer({ ok: true, value }, takeTransferList(value));
    } catch (error) {
      return { ok: false, error: encodeError(error) };
    } finally {
      running.delete(id);
    }
  }

  const lock = holdLock();
  const ready = async () => {
    const name = await lock;
    send({ boxops: 'ready', version: protocolVersion, ...(name === undefined ? {} : { lock: name }) });
  };
  endpoint.addEventListener('message', ({ data }: { readonly data: unknown }) => {
    const signal = readSignal(data);
    if (signal?.boxops === 'hello') void ready();
    else if (signal?.boxops === 'abort') running.get(signal.call)?.abort(decodeError(signal.reason));
    else if (signal?.boxops === 'dispose') {
      for (const controller of running.values()) controller.abort();
      onDispose?.();
      if (channel !== globalThis) endpoint.close();
    }
  });
  expose({ call }, endpoint as unknown as Parameters<typeof expose>[1]);
  void ready();
}

/**
 * Holds a lock of a fresh name for the rest of this worker's life, and gives the name.
 *
 * A web worker that ends (terminated by someone else, closed by itself, killed for its memory) tells nobody; but its
 * locks are released, and a client that asks for the same lock learns of it at once, however busy the worker was.
 */
async function holdLock(): Promise<string | undefined> {
  const scope: { navigator?: { locks?: LockManager } } = globalThis;
  const locks = scope.navigator?.locks;
  // A page has locks too, but a port to the same page dies with it.
  if (locks === undefined || typeof (globalThis as { window?: unknown }).window === 'object')
    return undefined;
  const name = `${lockPrefix}${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const held = () => {
      resolve(name);
      return new Promise<never>(() => undefined);
    };
    locks.request(name, held).catch(() => resolve(undefined));
  });
}
