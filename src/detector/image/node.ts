/**
 * Pixels in Node: JPEG (grey, CMYK too), PNG (16 bits too), WebP, GIF, BMP and AVIF through `@napi-rs/canvas` (Skia),
 * which applies the EXIF orientation of JPEG.
 *
 * The module is named by a variable, so that bundlers for the browser do not follow it.
 */
import { UnsupportedError } from '../../errors.ts';
import type { RawImage } from '../types.ts';

type CanvasModule = typeof import('@napi-rs/canvas');

let loading: Promise<CanvasModule> | undefined;

/** Decodes an image file; the EXIF orientation of a JPEG is applied. */
export async function decodeInNode(bytes: Uint8Array): Promise<RawImage> {
  const { Image, createCanvas } = await (loading ??= load());
  const image = new Image();
  image.src = bytes;
  await image.decode();
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return { data, width: image.width, height: image.height };
}

async function load(): Promise<CanvasModule> {
  const name = '@napi-rs/canvas';
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as CanvasModule;
  } catch (error) {
    loading = undefined;
    throw new UnsupportedError(
      'Decoding image files outside a browser needs @napi-rs/canvas: npm install @napi-rs/canvas',
      { module: name },
      { cause: error },
    );
  }
}
