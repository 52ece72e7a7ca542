/**
 * Pixels in the browser, on a page or in a worker: one `OffscreenCanvas`, kept and resized, drawn to and read back.
 *
 * It is a software canvas (`willReadFrequently`), so reading costs a copy and no GPU round trip. Embedded colour
 * profiles are not applied, as OpenCV and Pillow do not.
 */
import { ImageError, UnsupportedError } from '../../errors.ts';
import type { ImageSource, RawImage } from '../types.ts';
import type { ImageKind } from './container.ts';

/** Decodes an image file; the EXIF orientation of a JPEG is applied. */
export async function decodeInBrowser(bytes: Uint8Array<ArrayBuffer>, kind: ImageKind): Promise<RawImage> {
  const blob = new Blob([bytes], { type: `image/${kind}` });
  const bitmap = await createImageBitmap(blob, {
    imageOrientation: 'from-image',
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  });
  try {
    return draw(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/** Pixels of a frame, bitmap, canvas, image or video element, as the element shows them. */
export function readDrawable(source: ImageSource): RawImage {
  if (typeof VideoFrame === 'function' && source instanceof VideoFrame) {
    return draw(source, source.displayWidth, source.displayHeight);
  }
  if (typeof HTMLVideoElement === 'function' && source instanceof HTMLVideoElement) {
    return draw(source, source.videoWidth, source.videoHeight);
  }
  if (typeof HTMLImageElement === 'function' && source instanceof HTMLImageElement) {
    return draw(source, source.naturalWidth, source.naturalHeight);
  }
  const drawable = source as ImageBitmap | HTMLCanvasElement | OffscreenCanvas;
  return draw(drawable, drawable.width, drawable.height);
}

let context: OffscreenCanvasRenderingContext2D | undefined;

function draw(source: CanvasImageSource, width: number, height: number): RawImage {
  if (!(width > 0 && height > 0)) {
    throw new ImageError(`The image has no pixels (${width}×${height}): it is closed, or not loaded yet.`, {
      width,
      height,
    });
  }
  const target = scratch(width, height);
  target.drawImage(source, 0, 0, width, height);
  return target.getImageData(0, 0, width, height);
}

function scratch(width: number, height: number): OffscreenCanvasRenderingContext2D {
  if (context === undefined) {
    const made = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (made === null) throw new UnsupportedError('This browser gives no 2d context of an OffscreenCanvas.');
    context = made;
  }
  if (context.canvas.width !== width) context.canvas.width = width;
  if (context.canvas.height !== height) context.canvas.height = height;
  // the picture replaces what was there, its alpha included
  context.globalCompositeOperation = 'copy';
  return context;
}
