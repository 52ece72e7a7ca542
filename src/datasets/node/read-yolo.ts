/**
 * YOLO datasets on disk: data.yaml names folders (or lists) of images; the labels of `images/a.jpg` are in
 * `labels/a.txt`, as Ultralytics finds them.
 *
 * Coordinates are divided by the image's size, so the images are opened for it, unless the folder has the
 * `image-sizes.json` that this package's writer leaves.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Size } from '../../boxes/types.ts';
import { DatasetError, OptionError } from '../../errors.ts';
import { checkBox, defaultTolerance } from '../box-checks.ts';
import { DatasetBuilder } from '../builder.ts';
import { stemOf } from '../paths.ts';
import type { ProblemReport } from '../problems.ts';
import type { Dataset } from '../types.ts';
import { parseYoloLabels } from '../yolo/labels.ts';
import { parseYoloYaml, type YoloData } from '../yolo/yaml.ts';
import { filesBelow, imageExtensions, imageFileSize } from './images.ts';
import type { ReadDatasetOptions } from './options.ts';

/** Sizes of the images of one split: relative path to [width, height]. */
export const sizesFile = 'image-sizes.json';

export function readYoloFolder(yaml: string, options: ReadDatasetOptions, report: ProblemReport): Dataset {
  const data = parseYoloYaml(readFileSync(yaml, 'utf8'), yaml, report);
  const split = splitOf(data, options.split, yaml);
  const root = resolve(dirname(yaml), data.path ?? '.');
  const base = existsSync(root) ? root : dirname(yaml);
  const entries = data.splits[split] ?? [];
  const builder = new DatasetBuilder();
  const sizes = readSizes(join(base, sizesFile), split);
  const task = options.task ?? (data.keypointShape === undefined ? 'segment' : 'pose');
  for (const entry of entries) {
    const place = entryPlace(entry, base);
    const { folder, names } = imagesOf(place, base, sizes, report);
    for (const name of names) {
      const image = join(folder, name);
      const label = labelPath(image);
      const size = sizes?.get(name) ?? sizeOf(image, report);
      if (size === null) continue;
      const index = builder.addImage(builder.imageCount + 1, name, size.width, size.height);
      if (!existsSync(label)) continue;
      const objects = parseYoloLabels(readFileSync(label, 'utf8'), size, {
        task,
        file: label,
        report,
        // without names any class may be right
        ...(data.categories.length === 0 ? {} : { classes: data.categories.length }),
        ...(data.keypointShape === undefined ? {} : { keypointShape: data.keypointShape }),
      });
      for (const object of objects) {
        const at = { file: label, line: object.line };
        const [x1, y1, x2, y2] = object.box;
        const { width, height } = size;
        const tolerance = options.tolerance ?? defaultTolerance;
        if (!checkBox(report, at, object.box, width, height, tolerance)) continue;
        builder.addAnnotation({
          id: builder.annotationCount + 1,
          image: index,
          label: object.classId,
          x1,
          y1,
          x2,
          y2,
          area: object.polygon === undefined ? (x2 - x1) * (y2 - y1) : polygonArea(object.polygon),
          ...(options.shapes === false || object.polygon === undefined ? {} : { polygons: [object.polygon] }),
          ...(options.shapes === false || object.keypoints === undefined
            ? {}
            : { keypoints: object.keypoints }),
        });
      }
    }
    reportOrphans(folder, names, report);
  }
  return builder.finish(data.categories);
}

/** Where an entry of data.yaml is: Roboflow writes `../train/images` for a folder beside data.yaml. */
function entryPlace(entry: string, base: string): string {
  const place = isAbsolute(entry) ? entry : join(base, entry);
  const beside = join(base, entry.replace(/^\.\.\//, ''));
  return !existsSync(place) && existsSync(beside) ? beside : place;
}

function splitOf(data: YoloData, asked: string | undefined, yaml: string): string {
  const known = Object.keys(data.splits);
  if (asked !== undefined) {
    if (known.includes(asked)) return asked;
    throw new OptionError(`${yaml} has no split '${asked}'; it has ${known.join(', ') || 'none'}`, {
      split: asked,
    });
  }
  return known.includes('train') || known[0] === undefined ? 'train' : known[0];
}

/** Images of one entry: a folder, a list of paths, or, where the images are not there, what the sizes name. */
function imagesOf(
  place: string,
  base: string,
  sizes: ReadonlyMap<string, Size> | null,
  report: ProblemReport,
): { folder: string; names: readonly string[] } {
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat?.isFile()) {
    const names = readFileSync(place, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) =>
        relative(base, line.startsWith('./') ? join(dirname(place), line) : resolve(base, line)),
      );
    return { folder: base, names: names.map((name) => name.split(sep).join('/')) };
  }
  if (sizes !== null) return { folder: place, names: [...sizes.keys()] };
  if (stat === undefined) {
    report.add('missing-image-file', 'the folder of images is not there', { file: place });
    return { folder: place, names: [] };
  }
  return { folder: place, names: filesBelow(place, imageExtensions) };
}

function sizeOf(image: string, report: ProblemReport): Size | null {
  if (!existsSync(image)) {
    report.add('missing-image-file', 'the image is not there', { file: image });
    return null;
  }
  try {
    return imageFileSize(image);
  } catch (error) {
    report.add('unreadable-image', (error as Error).message, { file: image });
    return null;
  }
}

/** `…/images/…/a.jpg` → `…/labels/…/a.txt`, by the last folder of that name. */
function labelPath(image: string): string {
  const parts = image.split(sep);
  const at = parts.lastIndexOf('images', parts.length - 2);
  if (at >= 0) parts[at] = 'labels';
  return `${stemOf(parts.join(sep))}.txt`;
}

function reportOrphans(folder: string, names: readonly string[], report: ProblemReport): void {
  const labels = dirname(labelPath(join(folder, 'a.jpg')));
  if (labels === folder || !existsSync(labels)) return;
  const known = new Set(names.map(stemOf));
  for (const label of filesBelow(labels, ['.txt'])) {
    if (known.has(stemOf(label)) || basename(label) === 'classes.txt') continue;
    report.add('orphan-label', 'no image belongs to these labels', { file: join(labels, label) });
  }
}

function readSizes(path: string, split: string): Map<string, Size> | null {
  if (!existsSync(path)) return null;
  try {
    const all = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, [number, number]>>;
    const own = all[split];
    if (own === undefined) return null;
    return new Map(Object.entries(own).map(([name, [width, height]]) => [name, { width, height }]));
  } catch (cause) {
    throw new DatasetError(`cannot read ${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}

/** Area inside a closed outline x, y, … (shoelace). */
function polygonArea(points: ArrayLike<number>): number {
  let twice = 0;
  for (let i = 0; i < points.length; i += 2) {
    const j = (i + 2) % points.length;
    twice += points[i]! * points[j + 1]! - points[j]! * points[i + 1]!;
  }
  return Math.abs(twice) / 2;
}
