/** Pascal VOC datasets on disk: `Annotations/*.xml`, with `ImageSets/Main/<split>.txt` where there is one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '../../errors.ts';
import { checkBox, defaultTolerance } from '../box-checks.ts';
import { DatasetBuilder } from '../builder.ts';
import { stemOf } from '../paths.ts';
import type { ProblemReport } from '../problems.ts';
import { annotationFlag, type Dataset } from '../types.ts';
import { decodeXml } from '../voc/encoding.ts';
import { parseVoc, type VocImage } from '../voc/parse.ts';
import { filesBelow } from './images.ts';
import type { ReadDatasetOptions } from './options.ts';

export function readVocFolder(path: string, options: ReadDatasetOptions, report: ProblemReport): Dataset {
  const folder = existsSync(join(path, 'Annotations')) ? join(path, 'Annotations') : path;
  const stems = stemsOf(path, folder, options.split);
  const given = options.classes ?? linesOf(join(path, 'classes.txt'))?.filter((name) => name.trim() !== '');
  const read: ReadFile[] = [];
  for (const stem of stems) {
    const file = join(folder, `${stem}.xml`);
    if (!existsSync(file)) {
      report.add('missing-key', 'the annotations of a listed image are not there', { file });
      continue;
    }
    const image = parseVoc(decodeXml(readFileSync(file)), {
      file,
      report,
      ...(options.origin === undefined ? {} : { origin: options.origin }),
    });
    if (image === null) continue;
    const below = stem.includes('/') ? `${stem.slice(0, stem.lastIndexOf('/'))}/` : '';
    read.push({
      file,
      image: { ...image, fileName: below + (image.fileName || `${stem.slice(below.length)}.jpg`) },
    });
  }
  const names = given ?? bareNames(read);
  const labels = new Map<string, number>();
  for (const name of names) {
    if (labels.has(name)) {
      const file = options.classes === undefined ? join(path, 'classes.txt') : path;
      report.add('duplicate-category-name', `class name ${name} is used twice`, { file });
    } else labels.set(name, labels.size);
  }
  return build(read, labels, options.tolerance ?? defaultTolerance, report);
}

interface ReadFile {
  readonly file: string;
  readonly image: VocImage;
}

/** Without a list, a class is its name without the white space around it (torchvision). */
const bareNames = (read: readonly ReadFile[]): string[] =>
  [...new Set(read.flatMap(({ image }) => image.objects.map(({ name }) => name.trim())))].sort((a, b) =>
    a < b ? -1 : a > b ? 1 : 0,
  );

function build(
  read: readonly ReadFile[],
  labels: ReadonlyMap<string, number>,
  tolerance: number,
  report: ProblemReport,
): Dataset {
  const builder = new DatasetBuilder();
  const known = new Set<string>();
  // a listed name may begin and end with spaces (mmdetection, detectron2); one that no file has so is met without them
  const trimmed = [...labels].reverse().map(([name, label]) => [name.trim(), label] as const);
  const labelOf = new Map([...trimmed, ...labels]);
  for (const { file, image } of read) {
    const { width, height, objects } = image;
    const fileName = image.fileName!;
    if (known.has(fileName)) {
      report.add('duplicate-file-name', `file name ${fileName} is used twice`, { file, path: 'filename' });
      continue;
    }
    known.add(fileName);
    if (!(width > 0 && height > 0)) {
      report.add('unknown-image-size', `expected a size above 0, got ${width}×${height}`, {
        file,
        path: 'size',
      });
    }
    const index = builder.addImage(builder.imageCount + 1, fileName, width, height);
    for (const { name, box, difficult, truncated, place } of objects) {
      const label = labelOf.get(name) ?? labelOf.get(name.trim());
      if (label === undefined) {
        report.add('unknown-category', `no class is called '${name}'`, place);
      }
      if (!checkBox(report, place, box, width, height, tolerance) || label === undefined) continue;
      const [x1, y1, x2, y2] = box;
      builder.addAnnotation({
        id: builder.annotationCount + 1,
        image: index,
        label,
        x1,
        y1,
        x2,
        y2,
        area: (x2 - x1) * (y2 - y1),
        flags: (difficult ? annotationFlag.difficult : 0) | (truncated ? annotationFlag.truncated : 0),
      });
    }
  }
  return builder.finish([...labels].map(([name, id]) => ({ id, name })));
}

/** Names of the files of a split, without `.xml`, in the order of its list, else sorted. */
function stemsOf(path: string, folder: string, split: string | undefined): readonly string[] {
  const sets = join(path, 'ImageSets', 'Main');
  const all = filesBelow(folder, ['.xml']).map(stemOf);
  if (!existsSync(sets)) {
    if (split === undefined) return all;
    throw new OptionError(`${path} has no ImageSets/Main to take the split '${split}' from`, { split });
  }
  // class_train.txt lists belong to the classification task
  const splits = readdirSync(sets).filter((name) => /^(train|val|trainval|test)\.txt$/.test(name));
  const asked =
    split ??
    (splits.includes('train.txt') ? 'train' : splits[0] === undefined ? undefined : stemOf(splits[0]));
  if (asked === undefined) return all;
  const listed = listOf(join(sets, `${asked}.txt`));
  if (listed !== undefined) return listed;
  throw new OptionError(
    `${path} has no split '${asked}'; it has ${splits.map(stemOf).join(', ') || 'none'}`,
    {
      split: asked,
    },
  );
}

/** Lines of a text file without the white space around them and without empty ones; undefined where it is not there. */
const listOf = (path: string): string[] | undefined =>
  linesOf(path)
    ?.map((line) => line.trim())
    .filter((line) => line !== '');

/** Lines of a text file, whatever ends them; undefined where it is not there. */
const linesOf = (path: string): string[] | undefined =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .replace(/^\uFEFF/, '')
        .split(/\r?\n/)
    : undefined;
