/**
 * Image sources on their way to a worker: what can move is moved, what the caller keeps is copied once, and elements,
 * which exist only on the page, become bitmaps.
 */
import { BoxopsError, ImageError } from '../errors.ts';
import { isOwnedFrame } from './image/ownership.ts';
import { isPixels, readImage } from './image/read.ts';
import type { ImageSource } from './types.ts';

/** Sources that can be posted, and what to move. */
export interface PackedSources {
  readonly sources: ImageSource[];
  readonly transfer: Set<Transferable>;
}

/**
 * Packs the sources of one call. Raw pixels and bytes are copied before the first await, so the caller may reuse them;
 * with `hand` they are moved instead. Closes the bitmaps it made when one of the sources fails.
 */
export async function packSources(inputs: readonly ImageSource[], hand: boolean): Promise<PackedSources> {
  const transfer = new Set<Transferable>();
  const packed = inputs.map((input) => pack(input, hand));
  const settled = await Promise.allSettled(packed);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    for (const [index, result] of settled.entries()) {
      if (result.status === 'fulfilled' && result.value !== inputs[index] && isOwnedFrame(result.value)) {
        result.value.close();
      }
    }
    throw failed.reason;
  }
  const sources = settled.map((result) => (result as PromiseFulfilledResult<ImageSource>).value);
  for (const source of sources) {
    if (isOwnedFrame(source)) transfer.add(source);
    else if (source instanceof ArrayBuffer) transfer.add(source);
    else if (source instanceof Uint8Array) transfer.add(source.buffer);
    else if (isPixels(source) && source.data?.buffer instanceof ArrayBuffer) transfer.add(source.data.buffer);
  }
  return { sources, transfer };
}

function pack(source: ImageSource, hand: boolean): ImageSource | Promise<ImageSource> {
  if (isOwnedFrame(source)) return source;
  // A view is copied, not its whole buffer, which cloning would send.
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return hand ? source : source.slice(0);
  if (typeof Blob === 'function' && source instanceof Blob) return source;
  if (isPixels(source)) {
    const { data, width, height } = source;
    return { data: hand || !ArrayBuffer.isView(data) ? data : data.slice(), width, height };
  }
  if (typeof createImageBitmap === 'function') return asBitmap(source);
  return Promise.resolve(readImage(source));
}

async function asBitmap(source: ImageBitmapSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source);
  } catch (error) {
    if (error instanceof BoxopsError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError(`the image source cannot be read: ${reason}`, { reason }, { cause: error });
  }
}
