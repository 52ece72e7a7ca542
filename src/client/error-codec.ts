/**
 * Carries an error across a worker boundary without losing what it is.
 *
 * Structured cloning keeps a plain `Error`'s message and drops its class, `code` and `details`. So errors travel as plain
 * records: boxops errors come back as their class (found by `code`), a `DOMException` as a `DOMException` of the same
 * name, a `TypeError` as a `TypeError`; the stack of the thread that threw is kept, and so are causes.
 */
import { BoxopsError, type ErrorDetails, restoreError } from '../errors.ts';

/** An error in a form that survives structured cloning. */
export interface WireError {
  readonly kind: 'boxops' | 'dom' | 'error' | 'value';
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string;
  readonly details?: ErrorDetails;
  readonly cause?: WireError;
  /** What was thrown when it was not an error, or its text when it cannot be cloned. */
  readonly value?: unknown;
}

/** Causes nest at most this deep: a cause may point back to its own error. */
const deepestCause = 5;

const nativeErrors: Readonly<Record<string, ErrorConstructor>> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
};

/** `value` as structured cloning would deliver it, or its text when it cannot be cloned. */
function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}

/** An error as a plain record; anything may be thrown, so anything is taken. */
export function encodeError(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) return { kind: 'value', name: '', message: '', value: cloneable(error) };
  const { name, message, stack } = error;
  const cause =
    error.cause === undefined || depth === deepestCause ? {} : { cause: encodeError(error.cause, depth + 1) };
  if (error instanceof BoxopsError) {
    const details: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(error.details)) details[key] = cloneable(value);
    return { kind: 'boxops', name, message, stack, code: error.code, details, ...cause };
  }
  const kind = typeof DOMException === 'function' && error instanceof DOMException ? 'dom' : 'error';
  return { kind, name, message, stack, ...cause };
}

/** The error a record describes. */
export function decodeError(wire: WireError): unknown {
  if (wire.kind === 'value') return wire.value;
  if (wire.kind === 'dom') return new DOMException(wire.message, wire.name);
  let error: Error;
  if (wire.kind === 'boxops') error = restoreError(wire.code ?? '', wire.message, wire.details ?? {});
  else error = new (nativeErrors[wire.name] ?? Error)(wire.message);
  if (error.name !== wire.name) define(error, 'name', wire.name);
  define(error, 'stack', wire.stack ?? `${wire.name}: ${wire.message}`);
  if (wire.cause !== undefined) define(error, 'cause', decodeError(wire.cause));
  return error;
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false });
}
