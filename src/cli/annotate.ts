/** Annotated pictures: an image with its detections drawn in, encoded, and the file each goes to. */
import { existsSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import type { Detections } from '../boxes/detections.ts';
import { readImage } from '../detector/index.ts';
import { drawDetections } from '../draw/index.ts';
import { OptionError } from '../errors.ts';

/** Formats by the extension of the file they go to. */
const formats = { '.png': 'png', '.jpg': 'jpeg', '.jpeg': 'jpeg', '.webp': 'webp' } as const;

const isFormat = (extension: string): extension is keyof typeof formats => Object.hasOwn(formats, extension);

/** The encoded image (PNG, JPEG or WebP, as the extension of `target` says) with its detections drawn in. */
export async function annotate(
  bytes: Uint8Array<ArrayBuffer>,
  detections: Detections,
  target: string,
): Promise<Uint8Array> {
  const image = await readImage(bytes);
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(image.width, image.height);
  pixels.data.set(image.data);
  context.putImageData(pixels, 0, 0);
  drawDetections(context, detections);
  const extension = extname(target).toLowerCase();
  const format = isFormat(extension) ? formats[extension] : 'png';
  return format === 'png' ? canvas.encode('png') : canvas.encode(format, 92);
}

/**
 * Where each image's annotated picture goes: `out` itself where it is a file for one image, else `<name>.png` in the
 * folder `out`. Images of the same name in different folders get a number.
 *
 * Throws {@link OptionError} where many images would share a file, the format is not known, or an image would be
 * overwritten.
 */
export function annotatedPaths(out: string, images: readonly string[]): string[] {
  const extension = extname(out).toLowerCase();
  const isFolder = extension === '' || (existsSync(out) && statSync(out).isDirectory());
  if (!isFolder && images.length > 1) {
    throw new OptionError(`--out must name a folder for ${images.length} images, got the file ${out}`);
  }
  if (!isFolder && !isFormat(extension)) {
    throw new OptionError(`--out: expected a name in ${Object.keys(formats).join(', ')}, got ${out}`);
  }
  const taken = new Set<string>();
  const inputs = new Set(images.map((image) => resolve(image)));
  return images.map((image) => {
    const stem = basename(image, extname(image));
    let target = isFolder ? join(out, `${stem}.png`) : out;
    for (let n = 2; taken.has(target); n++) target = join(out, `${stem}-${n}.png`);
    taken.add(target);
    if (inputs.has(resolve(target))) throw new OptionError(`--out would overwrite the image ${target}`);
    return target;
  });
}
