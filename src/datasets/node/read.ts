/** Datasets from disk, whatever their format. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { DatasetError } from '../../errors.ts';
import { CocoParser } from '../coco/parser.ts';
import { ProblemReport } from '../problems.ts';
import type { Dataset, DatasetFormat } from '../types.ts';
import { checkDuplicateAnnotations, checkImageFolder, checkImages } from './checks.ts';
import type { ReadDatasetOptions } from './options.ts';
import { readVocFolder } from './read-voc.ts';
import { readYoloFolder } from './read-yolo.ts';

export interface ReadDataset {
  readonly dataset: Dataset;
  readonly format: DatasetFormat;
  readonly report: ProblemReport;
}

const chunkBytes = 1 << 20;

/**
 * Reads COCO (a .json file, or a folder with exactly one), YOLO (data.yaml or its folder) or Pascal VOC (a folder with
 * `Annotations`, or of XML files).
 *
 * Throws {@link DatasetError} with every finding and its place where there is an error, unless `report` is handed in:
 * then the dataset holds what could be read. Warnings stay in the report. Throws `OptionError` where `images` names no
 * folder.
 */
export function readDataset(path: string, options: ReadDatasetOptions = {}): ReadDataset {
  const found = findDataset(path, options.format);
  checkImageFolder(options.images);
  const report = options.report ?? new ProblemReport();
  const read = { coco: readCoco, yolo: readYoloFolder, voc: readVocFolder }[found.format];
  const dataset = read(found.path, options, report);
  checkDuplicateAnnotations(dataset, found.path, report);
  if (options.images !== undefined) checkImages(dataset.images, options.images, report);
  if (options.report === undefined) report.throwOnErrors(path);
  return { dataset, format: found.format, report };
}

/** Format and place of the annotations under a path. */
export function findDataset(
  path: string,
  format: DatasetFormat | undefined,
): { path: string; format: DatasetFormat } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new DatasetError(`${path} is not there`, { path });
  if (!stat.isDirectory()) {
    const extension = extname(path).toLowerCase();
    const told = ({ '.json': 'coco', '.yaml': 'yolo', '.yml': 'yolo' } as const)[extension];
    const known = format ?? told;
    if (known === undefined) {
      throw new DatasetError(
        `${path}: expected a COCO .json, a YOLO data.yaml or a folder, got a file ${extension}`,
        { path },
      );
    }
    if (known === 'voc')
      throw new DatasetError(`${path}: expected a folder of Pascal VOC, got a file`, { path });
    return { path, format: known };
  }
  const names = readdirSync(path);
  const yaml = names.find((name) => name === 'data.yaml' || name === 'data.yml' || name === 'dataset.yaml');
  if ((format ?? 'yolo') === 'yolo' && yaml !== undefined) return { path: join(path, yaml), format: 'yolo' };
  const xml = names.includes('Annotations') || names.some((name) => name.endsWith('.xml'));
  if ((format ?? 'voc') === 'voc' && xml) return { path, format: 'voc' };
  const json = names.filter((name) => name.endsWith('.json'));
  if ((format ?? 'coco') === 'coco' && json.length === 1) {
    return { path: join(path, json[0]!), format: 'coco' };
  }
  throw new DatasetError(
    `${path}: expected ${format === undefined ? 'data.yaml, Annotations/*.xml or one COCO .json' : `a ${format} dataset`} in it, got ${names.slice(0, 5).join(', ') || 'nothing'}`,
    { path },
  );
}

/** The pieces of a file, one after another in one buffer. */
export function* filePieces(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  const buffer = new Uint8Array(chunkBytes);
  try {
    for (;;) {
      const length = readSync(file, buffer, 0, chunkBytes, null);
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

function readCoco(path: string, options: ReadDatasetOptions, report: ProblemReport): Dataset {
  if (!existsSync(path)) throw new DatasetError(`${path} is not there`, { path });
  const parser = new CocoParser({
    file: path,
    report,
    ...(options.tolerance === undefined ? {} : { tolerance: options.tolerance }),
    ...(options.shapes === undefined ? {} : { shapes: options.shapes }),
  });
  for (const piece of filePieces(path)) parser.push(piece);
  return parser.finish();
}
