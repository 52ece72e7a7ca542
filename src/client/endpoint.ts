/**
 * One shape for everything that can be talked to: a web `Worker`, a worker_threads `Worker`, a `MessagePort` of either
 * kind, and, seen from inside, the worker's own scope.
 *
 * All of them post messages; they differ in how they deliver them (events or emitter), in how they say that they failed
 * (`error`, `messageerror`, `exit`, or not at all) and in how they end.
 */
import { OptionError } from '../errors.ts';

/** What comlink and the client need of a channel. */
export interface Endpoint {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /** Only `message` is ever asked for; the listener gets `{ data }`. */
  addEventListener(type: string, listener: MessageListener): void;
  removeEventListener(type: string, listener: MessageListener): void;
  /** Ends the worker, or closes the port, and forgets all listeners. */
  close(): void;
  /** Whether an end of the worker always reaches the failure listener (worker_threads; web workers end in silence). */
  readonly tellsEnd: boolean;
  /** Keeps a Node process alive while calls are pending, and not longer. */
  keepAlive(on: boolean): void;
}

/** comlink adds listeners as functions or as objects with `handleEvent`. */
export type MessageListener =
  | ((event: { readonly data: unknown }) => void)
  | { handleEvent(event: { readonly data: unknown }): void };

/** Whom to tell that a channel failed. */
export interface EndpointListeners {
  /**
   * The other side failed or ended, in words, with the error if there is one. Left out inside a worker: there `error`
   * is the worker's own, and listening to it would keep it from the parent.
   */
  readonly onFailure?: (reason: string, cause?: unknown) => void;
  /** A message came that cannot be read. */
  readonly onUnreadable: (cause?: unknown) => void;
}

/** A web `Worker`, `MessagePort` or worker scope, structurally. */
interface EventChannel {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: (event: never) => void): void;
  removeEventListener(type: string, listener: (event: never) => void): void;
  start?(): void;
  terminate?(): void;
  close?(): void;
}

/** A worker_threads `Worker` or `MessagePort`, structurally. */
interface EmitterChannel {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  on(type: string, listener: (value: never) => void): void;
  off(type: string, listener: (value: never) => void): void;
  terminate?(): unknown;
  close?(): void;
  ref?(): void;
  unref?(): void;
}

interface FailureEvent {
  readonly message?: string;
  readonly filename?: string;
  readonly lineno?: number;
  readonly error?: unknown;
  preventDefault?(): void;
}

function isEmitter(channel: object): channel is EmitterChannel {
  return typeof (channel as Partial<EmitterChannel>).on === 'function';
}

function isEventChannel(channel: object): channel is EventChannel {
  return typeof (channel as Partial<EventChannel>).addEventListener === 'function';
}

/** Tells whether a value can be talked to at all. */
function isChannel(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return (
    (isEmitter(value) || isEventChannel(value)) &&
    typeof (value as Partial<EventChannel>).postMessage === 'function'
  );
}

/**
 * Wraps a channel.
 *
 * @param listeners told of `error`, `messageerror` and `exit`, from the moment of wrapping until `close`
 * @throws OptionError when the value is no worker and no port
 */
export function openEndpoint(channel: unknown, listeners: EndpointListeners): Endpoint {
  if (!isChannel(channel)) {
    throw new OptionError(`expected a Worker or a MessagePort, got ${describe(channel)}`);
  }
  return isEmitter(channel)
    ? emitterEndpoint(channel, listeners)
    : eventEndpoint(channel as EventChannel, listeners);
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return `an object of ${value.constructor?.name ?? 'no class'}`;
}

function deliver(listener: MessageListener, data: unknown): void {
  if (typeof listener === 'function') listener({ data });
  else listener.handleEvent({ data });
}

function eventEndpoint(channel: EventChannel, { onFailure, onUnreadable }: EndpointListeners): Endpoint {
  const listeners = new Set<MessageListener>();
  const message = (event: { readonly data: unknown }) => {
    for (const listener of [...listeners]) deliver(listener, event.data);
  };
  const error = (event: FailureEvent) => {
    // The failure is reported as a rejection, so it is no longer an uncaught error of the page as well.
    event.preventDefault?.();
    if (event.message === undefined || event.message === '') {
      onFailure?.(
        'its script could not be loaded (not found, not JavaScript, or blocked by a content policy)',
      );
    } else {
      const where = event.filename ? ` (${event.filename}:${event.lineno})` : '';
      onFailure?.(`threw ${event.message.replace(/^Uncaught /, '')}${where}`, event.error ?? undefined);
    }
  };
  const unreadable = () => onUnreadable();
  channel.addEventListener('message', message);
  if (onFailure !== undefined) channel.addEventListener('error', error);
  channel.addEventListener('messageerror', unreadable);
  channel.start?.();
  return {
    postMessage: (data, transfer) => channel.postMessage(data, transfer ?? []),
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
    tellsEnd: false,
    keepAlive: () => undefined,
    close() {
      listeners.clear();
      channel.removeEventListener('message', message);
      channel.removeEventListener('error', error);
      channel.removeEventListener('messageerror', unreadable);
      if (channel.terminate !== undefined) channel.terminate();
      else channel.close?.();
    },
  };
}

function emitterEndpoint(channel: EmitterChannel, { onFailure, onUnreadable }: EndpointListeners): Endpoint {
  const listeners = new Set<MessageListener>();
  const message = (data: unknown) => {
    for (const listener of [...listeners]) deliver(listener, data);
  };
  const error = (cause: unknown) => {
    onFailure?.(`threw ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`, cause);
  };
  const unreadable = (cause: unknown) => onUnreadable(cause);
  const exit = (code: unknown) => onFailure?.(`exited with code ${code}`);
  const close = () => onFailure?.('closed its port');
  channel.on('message', message);
  channel.on('error', error);
  channel.on('messageerror', unreadable);
  channel.on('exit', exit);
  channel.on('close', close);
  return {
    postMessage: (data, transfer) => channel.postMessage(data, transfer ?? []),
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
    tellsEnd: true,
    keepAlive: (on) => (on ? channel.ref?.() : channel.unref?.()),
    close() {
      listeners.clear();
      channel.off('message', message);
      channel.off('messageerror', unreadable);
      channel.off('exit', exit);
      channel.off('close', close);
      // `error` stays: an emitter without that listener would throw what a dying worker still has to say.
      if (channel.terminate !== undefined) void channel.terminate();
      else channel.close?.();
    },
  };
}
