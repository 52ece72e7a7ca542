/**
 * Transparent pixels: composited on white, the page a transparent picture is usually seen on.
 *
 * Done in one place for every source, after decoding, so that the same file gives the same tensor in every runtime.
 */

/** True where any of the RGBA pixels is not opaque. Four bytes a step. */
function hasAlpha(data: Uint8Array | Uint8ClampedArray): boolean {
  if ((data.byteOffset & 3) === 0) {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length >>> 2);
    let all = 0xffffffff;
    for (let i = 0; i < words.length; i++) all &= words[i];
    // alpha is the last byte of the four: the high one on every little-endian machine, which typed-array runtimes are
    return all >>> 24 !== 255;
  }
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return true;
  return false;
}

/** The pixels composited on white: `data` itself where all are opaque, else a new array with alpha 255. */
export function flattenAlpha(data: Uint8Array | Uint8ClampedArray): Uint8Array | Uint8ClampedArray {
  if (!hasAlpha(data)) return data;
  const flat = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3];
    const rest = (255 - alpha) * 255;
    flat[i] = Math.round((data[i] * alpha + rest) / 255);
    flat[i + 1] = Math.round((data[i + 1] * alpha + rest) / 255);
    flat[i + 2] = Math.round((data[i + 2] * alpha + rest) / 255);
    flat[i + 3] = 255;
  }
  return flat;
}
