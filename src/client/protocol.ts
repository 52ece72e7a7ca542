/**
 * What client and worker say to each other.
 *
 * Calls and their answers are comlink's. Beside them run small signals, plain objects marked `boxops`, which comlink
 * ignores: they tell of readiness, progress, aborts and the end, in the same channel and therefore in order.
 */
import type { WireError } from './error-codec.ts';

/** Raised when a client and a worker of different releases could misunderstand each other. */
export const protocolVersion = 1;

/** Worker → client: the methods can be called. Sent once at start and in answer to every `hello`. */
export interface ReadySignal {
  readonly boxops: 'ready';
  readonly version: number;
  /** Name of a lock the worker holds as long as it lives, where it has the Web Locks API. */
  readonly lock?: string;
}

/** Signals; `call` is the number of the call they belong to. */
export type Signal =
  | ReadySignal
  /** Client → worker: say `ready` (again), or, as a heartbeat, that you still turn. */
  | { readonly boxops: 'hello' }
  /** Worker → client: news of a running call. */
  | { readonly boxops: 'progress'; readonly call: number; readonly value: unknown }
  /** Client → worker: nobody waits for this call any more. */
  | { readonly boxops: 'abort'; readonly call: number; readonly reason: WireError }
  /** Worker → client: the worker cannot go on (a message it could not read, say). */
  | { readonly boxops: 'fault'; readonly message: string }
  /** Client → worker: close down. Only a worker behind a port needs it; others are terminated. */
  | { readonly boxops: 'dispose' };

/** A worker method's answer: errors are values here, so that comlink never flattens them. */
export type Reply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError };

/** What a method is called with, boxed so that a transfer list can be tied to it even when it is a number. */
export interface Sent {
  readonly argument: unknown;
}

/** The one object a worker exposes through comlink. */
export interface Host {
  call(call: number, method: string, sent: Sent): Promise<Reply>;
}

/** The signal in a message, or undefined for comlink's own traffic and strangers'. */
export function readSignal(data: unknown): Signal | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  return typeof (data as Partial<Signal>).boxops === 'string' ? (data as Signal) : undefined;
}
