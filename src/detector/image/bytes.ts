/** Bytes of pictures and models: copied, searched, cut. */

/**
 * A copy in memory of its own. Not the array's own `slice`: that of a Node `Buffer` is a view, so that moving or changing
 * the "copy" would take the caller's bytes.
 */
export function copyBytes<T extends Uint8Array | Uint8ClampedArray>(bytes: T): T {
  return Uint8Array.prototype.slice.call(bytes) as T;
}

/** Whether `text` (ASCII) stands at `at`. */
export function holds(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** The bytes without the ranges `[start, end)`, which are in order; the bytes themselves where there are none. */
export function without(bytes: Uint8Array, cuts: readonly (readonly [number, number])[]): Uint8Array {
  if (cuts.length === 0) return bytes;
  const kept: Uint8Array[] = [];
  let from = 0;
  for (const [start, end] of [...cuts, [bytes.length, bytes.length]]) {
    kept.push(bytes.subarray(from, start));
    from = end;
  }
  const copy = new Uint8Array(kept.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of kept) {
    copy.set(part, at);
    at += part.length;
  }
  return copy;
}
