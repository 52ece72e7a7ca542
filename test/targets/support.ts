/** Seeded datasets for tests of targets, and folders compared byte by byte. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Dataset, DatasetBuilder } from '../../src/datasets/index.ts';
import { integers, uniform } from '../golden/seeded.ts';

/** `images` images of up to 12 objects of 5 classes, a few of them crowd. */
export function makeDataset(images: number, seed = 1): Dataset {
  const builder = new DatasetBuilder();
  const counts = integers(seed, images, 13);
  const sizes = integers(seed + 1, 2 * images, 300);
  for (let i = 0; i < images; i++) {
    const [width, height] = [340 + sizes[2 * i]!, 340 + sizes[2 * i + 1]!];
    const image = builder.addImage(1000 + 3 * i, `set/${i}.jpg`, width, height);
    const values = uniform(seed + 10 + i, 5 * counts[i]!, 0, 1);
    const labels = integers(seed + 5000 + i, counts[i]!, 5);
    for (let k = 0; k < counts[i]!; k++) {
      const [a, b, c, d, e] = values.subarray(5 * k, 5 * k + 5) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      const [w, h] = [8 + 0.6 * width * c ** 2, 8 + 0.6 * height * d ** 2];
      const [x, y] = [a * (width - w), b * (height - h)];
      builder.addAnnotation({
        id: builder.annotationCount + 1,
        image,
        label: labels[k]!,
        x1: x,
        y1: y,
        x2: x + w,
        y2: y + h,
        area: w * h,
        flags: e < 0.05 ? 1 : 0,
      });
    }
  }
  return builder.finish(['a', 'b', 'c', 'd', 'e'].map((name, id) => ({ id, name })));
}

/** Every file of a folder as `name: bytes`, to compare two folders. */
export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  );
}

/** The array of that kind under a tensor's name. */
export function values<T>(tensors: Readonly<Record<string, { readonly data: unknown }>>, name: string): T {
  return tensors[name]!.data as T;
}
