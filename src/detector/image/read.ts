/**
 * Any image source → RGBA pixels, 8 bits a channel, upright (EXIF orientation applied), opaque (alpha composited on
 * white).
 *
 * Pixels and canvases are read at once, without a promise; encoded pictures asynchronously. Nothing is closed here:
 * the caller owns the frames.
 */
import { BoxopsError, ImageError, ShapeError } from '../../errors.ts';
import { flattenAlpha } from '../preprocess/alpha.ts';
import type { ImageSource, RawImage } from '../types.ts';
import { decodeInBrowser, readDrawable } from './browser.ts';
import { withoutColorProfile } from './color-profile.ts';
import { checkImageBytes } from './container.ts';
import { decodeInNode } from './node.ts';
import { takeOrientation, turnUpright } from './orientation.ts';

/**
 * Pixels of `source`. A `RawImage` is returned as it is (not copied) when opaque.
 *
 * Throws (or rejects with) {@link ImageError} for what cannot be decoded or has no pixels, {@link ShapeError} for raw
 * pixels whose length is not 4·width·height.
 */
export function readImage(source: ImageSource): RawImage | Promise<RawImage> {
  if (source instanceof Uint8Array) return decode(source);
  if (source instanceof ArrayBuffer) return decode(wrap(() => new Uint8Array(source)));
  if (typeof Blob === 'function' && source instanceof Blob) return decodeBlob(source);
  if (isPixels(source)) return readRaw(source);
  if (isNodeCanvas(source))
    return opaque(source.getContext('2d').getImageData(0, 0, source.width, source.height));
  if (typeof OffscreenCanvas === 'function' && isObject(source))
    return opaque(wrap(() => readDrawable(source)));
  throw new ImageError(
    `Not an image source: ${describe(source)}; expected RGBA pixels { data, width, height }, the bytes of an image file, or a drawable.`,
  );
}

/** What platforms draw is an object; anything else they refuse in words of their own. */
export function isObject(source: unknown): source is object {
  return typeof source === 'object' && source !== null;
}

/** True for raw pixels (`ImageData` too). */
export function isPixels(source: unknown): source is RawImage {
  return (
    isObject(source) &&
    'data' in source &&
    'width' in source &&
    'height' in source &&
    // a canvas of Node has a method of that name
    typeof source.data !== 'function'
  );
}

function readRaw(source: RawImage): RawImage {
  const { data, width, height } = source;
  if (!(data instanceof Uint8ClampedArray || data instanceof Uint8Array)) {
    throw new ImageError(`Raw pixels must be a Uint8ClampedArray or Uint8Array; got ${describe(data)}.`);
  }
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new ImageError(`The image has no pixels: ${width}×${height}.`, { width, height });
  }
  if (data.length !== 4 * width * height) {
    throw new ShapeError(
      `Raw pixels of ${width}×${height} need 4·width·height = ${4 * width * height} bytes (RGBA); got ${data.length}.`,
      { width, height, bytes: data.length },
    );
  }
  return opaque(source);
}

function opaque(image: RawImage): RawImage {
  const data = flattenAlpha(image.data);
  return data === image.data ? image : { data, width: image.width, height: image.height };
}

async function decodeBlob(blob: Blob): Promise<RawImage> {
  return decode(new Uint8Array(await blob.arrayBuffer()));
}

async function decode(bytes: Uint8Array<ArrayBuffer>): Promise<RawImage> {
  const kind = checkImageBytes(bytes);
  try {
    const file = takeOrientation(bytes, kind);
    const inBrowser = typeof createImageBitmap === 'function' && typeof OffscreenCanvas === 'function';
    // WebKitGTK applies a profile also where `colorSpaceConversion` says 'none'
    const plain = withoutColorProfile(file.bytes, kind) as Uint8Array<ArrayBuffer>;
    const image = inBrowser ? await decodeInBrowser(plain, kind) : await decodeInNode(plain);
    return opaque(turnUpright(image, file.orientation));
  } catch (error) {
    throw asImageError(error, `The ${kind.toUpperCase()} image cannot be decoded`);
  }
}

function wrap<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asImageError(error, 'The image cannot be read');
  }
}

function asImageError(error: unknown, what: string): Error {
  if (error instanceof BoxopsError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ImageError(`${what}: ${reason}`, { reason }, { cause: error });
}

/** A canvas of a Node library: it can give its pixels, though there is no DOM. */
interface NodeCanvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): { getImageData(x: number, y: number, width: number, height: number): RawImage };
}

function isNodeCanvas(source: unknown): source is NodeCanvas {
  return (
    typeof OffscreenCanvas === 'undefined' &&
    typeof source === 'object' &&
    source !== null &&
    typeof (source as Partial<NodeCanvas>).getContext === 'function'
  );
}

function describe(value: unknown): string {
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' ? 'a string' : String(value);
  return value.constructor?.name ?? 'an object';
}
