/**
 * Image sources on their way to a worker: what can move is moved, what the caller keeps is copied once, and elements,
 * which exist only on the page, become bitmaps.
 */
import { BoxopsError, ImageError, OptionError } from '../errors.ts';
import { copyBytes } from './image/bytes.ts';
import { isOwnedFrame, type OwnedFrame } from './image/ownership.ts';
import { isObject, isPixels, readImage } from './image/read.ts';
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
  const packed = inputs.map((input) => packOne(input, hand));
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

/** Copies before its first await. */
async function packOne(source: ImageSource, hand: boolean): Promise<ImageSource> {
  try {
    return await pack(source, hand);
  } catch (error) {
    if (error instanceof BoxopsError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError(`the image source cannot be read: ${reason}`, { reason }, { cause: error });
  }
}

function pack(source: ImageSource, hand: boolean): ImageSource | Promise<ImageSource> {
  if (isOwnedFrame(source)) {
    if (isOpen(source)) return source;
    throw new ImageError('The image has no pixels: it is closed, or was handed to another thread.');
  }
  // A view is copied, not its whole buffer, which cloning would send.
  if (source instanceof Uint8Array) return hand ? source : copyBytes(source);
  if (source instanceof ArrayBuffer) return hand ? source : source.slice(0);
  if (typeof Blob === 'function' && source instanceof Blob) return source;
  if (isPixels(source)) {
    const { data, width, height } = source;
    return { data: hand || !ArrayBuffer.isView(data) ? data : copyBytes(data), width, height };
  }
  const drawable = typeof createImageBitmap === 'function' && isObject(source);
  return drawable ? createImageBitmap(source) : readImage(source);
}

/** A closed frame, and one that was moved away, has no size. */
function isOpen(frame: OwnedFrame): boolean {
  return ('displayWidth' in frame ? frame.displayWidth : frame.width) > 0;
}

/** The ImageError for a picture of another origin, which a browser lets nobody send; undefined for other errors. */
export function unreadable(error: unknown): ImageError | undefined {
  if (!(error instanceof OptionError) || !/origin|taint/i.test(error.message)) return undefined;
  const text =
    "The picture is another site's, which may not be read: serve it with CORS and load it with crossOrigin";
  return new ImageError(`${text} (${error.message})`, { reason: error.message }, { cause: error });
}
