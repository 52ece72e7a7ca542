/** Checks that need the whole dataset or the images: repeated annotations, missing files, wrong sizes. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '../../errors.ts';
import type { ProblemReport } from '../problems.ts';
import type { Dataset } from '../types.ts';
import { imageFileSize } from './images.ts';

/** Reports annotations of one image that are the same in class and box. */
export function checkDuplicateAnnotations(dataset: Dataset, file: string, report: ProblemReport): void {
  const { annotations, images } = dataset;
  const { boxes, labels, offsets } = annotations;
  const compare = (a: number, b: number): number => {
    if (labels[a] !== labels[b]) return labels[a]! - labels[b]!;
    for (let k = 0; k < 4; k++) {
      const difference = boxes[4 * a + k]! - boxes[4 * b + k]!;
      if (difference !== 0) return difference;
    }
    return 0;
  };
  for (let image = 0; image < images.count; image++) {
    const rows = Array.from({ length: offsets[image + 1]! - offsets[image]! }, (_, k) => offsets[image]! + k);
    rows.sort((a, b) => compare(a, b) || a - b);
    for (let k = 1; k < rows.length; k++) {
      if (compare(rows[k - 1]!, rows[k]!) !== 0) continue;
      report.add(
        'duplicate-annotation',
        `annotation ${annotations.ids[rows[k]!]} has the class and box of annotation ${annotations.ids[rows[k - 1]!]}`,
        { file, path: `image ${images.fileNames[image]}` },
      );
    }
  }
}

/** Throws `OptionError` where the option `images` names no folder: not every image of it is missing. */
export function checkImageFolder(images: string | undefined): void {
  if (images === undefined || statSync(images, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new OptionError(`there is no folder of images ${images}`, { images });
}

/** Names and sizes of images, whatever they are part of. */
interface ImageNames {
  readonly fileNames: readonly string[];
  readonly widths: ArrayLike<number>;
  readonly heights: ArrayLike<number>;
}

/** Reports images that are not in the folder, are no images, or have another size than the annotations say. */
export function checkImages(images: ImageNames, folder: string, report: ProblemReport): void {
  for (const [image, name] of images.fileNames.entries()) {
    const file = join(folder, name);
    if (!existsSync(file)) {
      report.add('missing-image-file', 'the image is not there', { file });
      continue;
    }
    let size: { width: number; height: number };
    try {
      size = imageFileSize(file);
    } catch (error) {
      report.add('unreadable-image', (error as Error).message, { file });
      continue;
    }
    const [width, height] = [images.widths[image]!, images.heights[image]!];
    const fits =
      (size.width === width && size.height === height) || (size.width === height && size.height === width);
    if (width > 0 && !fits) {
      report.add(
        'image-size-mismatch',
        `the annotations say ${width}×${height}, the image is ${size.width}×${size.height}`,
        { file },
      );
    }
  }
}
