/** Image files: which there are in a folder, and how large one is, by its first bytes. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { extname, join } from 'node:path';
import { imageSize } from 'image-size';
import type { Size } from '../../boxes/types.ts';
import { ImageError } from '../../errors.ts';

/** Extensions YOLO and VOC tools take for images. */
export const imageExtensions = ['.bmp', '.gif', '.jpg', '.jpeg', '.png', '.tif', '.tiff', '.webp', '.avif'];

/** Enough for the size of nearly every file; a JPEG with a large thumbnail needs the whole. */
const headBytes = 65_536;

/** Width and height as the image is shown: a photo that its EXIF turns by 90° has them exchanged, as in Ultralytics. */
export function imageFileSize(path: string): Size {
  const file = openSync(path, 'r');
  try {
    const total = fstatSync(file).size;
    for (const length of [Math.min(headBytes, total), total]) {
      const bytes = new Uint8Array(length);
      readSync(file, bytes, 0, length, 0);
      try {
        const { width, height, orientation = 1 } = imageSize(bytes);
        return orientation >= 5 ? { width: height, height: width } : { width, height };
      } catch (cause) {
        if (length === total) {
          throw new ImageError(`${path} is no image: ${(cause as Error).message}`, { path }, { cause });
        }
      }
    }
    throw new ImageError(`${path} is empty`, { path });
  } finally {
    closeSync(file);
  }
}

/** Files below a folder with one of these extensions, as paths relative to it with `/`, sorted. */
export function filesBelow(folder: string, extensions: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (extensions.includes(extname(entry.name).toLowerCase())) found.push(path);
    }
  };
  visit('');
  return found.sort();
}
