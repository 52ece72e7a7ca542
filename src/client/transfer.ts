/**
 * What crosses a worker boundary by transfer, and who closes it.
 *
 * A `VideoFrame` or `ImageBitmap` is closed by whoever holds it last: after a successful `postMessage` that is the other
 * thread, otherwise this one. {@link closeAll} is that duty, on every path where a message was not sent or not wanted.
 */

/** Something that holds memory outside the garbage collector: a `VideoFrame`, an `ImageBitmap`, a port. */
interface Closeable {
  close(): void;
}

const transferLists = new WeakMap<object, Transferable[]>();

/**
 * Marks the arrays, frames or ports inside `value` to be moved instead of copied when it is returned from a worker
 * method. Returns `value`, which must be an object.
 */
export function transferring<Value extends object>(value: Value, list: readonly Transferable[]): Value {
  transferLists.set(value, [...list]);
  return value;
}

/** The list a value was marked with; empty for unmarked values. */
export function takeTransferList(value: unknown): Transferable[] {
  return (typeof value === 'object' && value !== null && transferLists.get(value)) || [];
}

/** Closes everything in a transfer list that can be closed; already closed or detached entries do no harm. */
export function closeAll(list: readonly unknown[]): void {
  for (const item of list) {
    if (isCloseable(item)) item.close();
  }
}

/** Closes what a value that nobody waits for any more holds in itself, its array entries or its fields. */
export function closeValue(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (isCloseable(value)) value.close();
  else closeAll(Object.values(value));
}

function isCloseable(value: unknown): value is Closeable {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<Closeable>).close === 'function'
  );
}
