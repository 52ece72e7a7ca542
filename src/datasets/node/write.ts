/** Datasets to disk; what is written appears whole or not at all. */
import { copyFileSync, existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { DatasetError } from '../../errors.ts';
import { writeCoco } from '../coco/write.ts';
import { stemOf } from '../paths.ts';
import type { Dataset, DatasetFormat, YoloTask } from '../types.ts';
import type { VocOrigin } from '../voc/parse.ts';
import { writeVoc } from '../voc/write.ts';
import { keypointCountOf, noLosses, writeYoloLabels } from '../yolo/write.ts';
import { writeYoloYaml } from '../yolo/yaml.ts';
import { writeFileWhole, writeFolderWhole } from './atomic.ts';
import { checkImageFolder } from './checks.ts';
import { sizesFile } from './read-yolo.ts';

export interface WriteDatasetOptions {
  readonly format: DatasetFormat;
  /** What YOLO lines hold. Default `'detect'`. */
  readonly task?: YoloTask;
  /** Decimals of a coordinate. Default 8 for YOLO, 0 for VOC; COCO writes exact numbers. */
  readonly decimals?: number;
  /** How VOC files count pixels. Default `'inclusive'`. */
  readonly origin?: VocOrigin;
  /** Folder the images are taken from into the new folder: linked where that works, else copied. Default: annotations only. */
  readonly images?: string;
}

/** What the format cannot say, by kind, and how often. */
export type Losses = Readonly<Record<string, number>>;

/**
 * Writes the parts of a dataset: one `.json` file (COCO, one part), or a folder that is not there yet.
 *
 * COCO: `<part>.json`. YOLO: `data.yaml`, `images/<part>`, `labels/<part>`, `image-sizes.json`. VOC: `Annotations`,
 * `ImageSets/Main/<part>.txt`, `classes.txt`, `JPEGImages`. Gives what the format could not say.
 * Throws `OptionError` where `images` names no folder.
 */
export function writeDataset(
  out: string,
  parts: Readonly<Record<string, Dataset>>,
  options: WriteDatasetOptions,
): Losses {
  checkImageFolder(options.images);
  const names = Object.keys(parts);
  if (options.format === 'coco' && extname(out) === '.json') {
    if (names.length !== 1) {
      throw new DatasetError(`expected a folder for ${names.length} parts, got the file ${out}`, {
        path: out,
      });
    }
    writeFileWhole(out, writeCoco(parts[names[0]!]!));
    return {};
  }
  const losses = { ...noLosses(), shapes: 0 };
  writeFolderWhole(out, (folder) => {
    if (options.format === 'coco') {
      for (const name of names) writeFileWhole(join(folder, `${name}.json`), writeCoco(parts[name]!));
    } else if (options.format === 'yolo') writeYoloFolder(folder, parts, options, losses);
    else writeVocFolder(folder, parts, options, losses);
  });
  return Object.fromEntries(Object.entries(losses).filter(([, count]) => count > 0));
}

/** Throws where two images would share one label file; `known` holds the names by stem, of other parts too. */
function checkStems(dataset: Dataset, known = new Map<string, string>()): void {
  for (const name of dataset.images.fileNames) {
    const stem = stemOf(name);
    const other = known.get(stem);
    if (other !== undefined) {
      throw new DatasetError(`${other} and ${name} would have the same label file`, {
        fileNames: [other, name],
      });
    }
    if (name.startsWith('/') || name.split('/').includes('..')) {
      throw new DatasetError(`the file name ${name} leaves the folder of the images`, { fileName: name });
    }
    known.set(stem, name);
  }
}

function writeYoloFolder(
  folder: string,
  parts: Readonly<Record<string, Dataset>>,
  options: WriteDatasetOptions,
  losses: ReturnType<typeof noLosses>,
): void {
  const names = Object.keys(parts);
  const sizes: Record<string, Record<string, readonly [number, number]>> = {};
  for (const name of names) {
    const dataset = parts[name]!;
    checkStems(dataset);
    const own: Record<string, readonly [number, number]> = {};
    for (let image = 0; image < dataset.images.count; image++) {
      const file = dataset.images.fileNames[image]!;
      const text = writeYoloLabels(dataset, image, options, losses);
      write(join(folder, 'labels', name, `${stemOf(file)}.txt`), text);
      own[file] = [dataset.images.widths[image]!, dataset.images.heights[image]!];
    }
    sizes[name] = own;
    takeImages(dataset, options.images, join(folder, 'images', name));
  }
  const first = parts[names[0]!]!;
  const keypoints = options.task === 'pose' ? keypointCountOf(first) : 0;
  const splits = Object.fromEntries(names.map((name) => [name, `images/${name}`]));
  write(join(folder, 'data.yaml'), writeYoloYaml(first.categories, splits, keypoints));
  write(join(folder, sizesFile), `${JSON.stringify(sizes, null, 1)}\n`);
}

function writeVocFolder(
  folder: string,
  parts: Readonly<Record<string, Dataset>>,
  options: WriteDatasetOptions,
  losses: { crowd: number; shapes: number },
): void {
  const known = new Map<string, string>();
  for (const [name, dataset] of Object.entries(parts)) {
    checkStems(dataset, known);
    const stems = dataset.images.fileNames.map(stemOf);
    for (const [image, stem] of stems.entries()) {
      write(join(folder, 'Annotations', `${stem}.xml`), writeVoc(dataset, image, options, losses));
    }
    write(join(folder, 'ImageSets', 'Main', `${name}.txt`), stems.map((stem) => `${stem}\n`).join(''));
    write(join(folder, 'classes.txt'), dataset.categories.map((category) => `${category.name}\n`).join(''));
    takeImages(dataset, options.images, join(folder, 'JPEGImages'));
  }
}

function takeImages(dataset: Dataset, from: string | undefined, to: string): void {
  mkdirSync(to, { recursive: true });
  if (from === undefined) return;
  for (const name of dataset.images.fileNames) {
    const source = join(from, name);
    if (!existsSync(source)) throw new DatasetError(`the image ${source} is not there`, { path: source });
    const target = join(to, name);
    mkdirSync(dirname(target), { recursive: true });
    try {
      linkSync(source, target);
    } catch {
      copyFileSync(source, target);
    }
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
