/** What `boxops eval` reads: ground truth in any format boxops knows, and COCO results. */
import { extname } from 'node:path';
import { writeCoco } from '../datasets/index.ts';
import { DatasetError } from '../errors.ts';
import { expectRows } from '../evaluation/group.ts';
import type { CocoDataset, CocoResult } from '../evaluation/index.ts';
import { readChecked } from './dataset-read.ts';
import { readJson } from './files.ts';
import type { Terminal } from './terminal.ts';

/** The flags that say how a dataset is read. */
export type ReadFlags = Parameters<typeof readChecked>[1];

/** A results row as files have it: the image by its id or by its name. */
type ResultRow = Omit<CocoResult, 'image_id'> & { readonly image_id: number | string };

/**
 * COCO JSON as it stands (so that the numbers are those of its own digits and LVIS's fields are there); YOLO and Pascal
 * VOC, checked, as COCO. With `--images` COCO is checked, too.
 */
export function readGroundTruth(path: string, flags: ReadFlags, terminal: Terminal): CocoDataset {
  if (extname(path).toLowerCase() !== '.json') {
    const { dataset } = readChecked(path, flags, terminal);
    return JSON.parse([...writeCoco(dataset)].join('')) as CocoDataset;
  }
  if (flags.images !== undefined) readChecked(path, flags, terminal);
  const value = readJson(path) as Partial<CocoDataset> | null;
  for (const key of ['images', 'annotations', 'categories'] as const) {
    if (!Array.isArray(value?.[key])) {
      throw new DatasetError(`${path} is not COCO ground truth: '${key}' must be an array`, { path, key });
    }
  }
  return value as CocoDataset;
}

/**
 * A COCO results array. Where `image_id` is a text, it is an id of the ground truth that is the same text, a file's name
 * without its extension (as Ultralytics writes it) or with it, or an id's digits.
 */
export function readResults(path: string, groundTruth: CocoDataset): CocoResult[] {
  const value = readJson(path);
  if (!Array.isArray(value)) {
    throw new DatasetError(
      `${path} is not a COCO results file: expected an array of rows (boxops detect writes one with --json and --coco-gt)`,
      { path },
    );
  }
  expectRows(groundTruth, value as CocoResult[]);
  const byName = new Map<string, number>();
  for (const { id } of groundTruth.images) byName.set(String(id), id);
  for (const { file_name: given, id } of groundTruth.images) {
    const name = typeof given === 'string' ? given : '';
    const base = name.slice(name.lastIndexOf('/') + 1);
    for (const key of [name, base, base.slice(0, base.length - extname(base).length)]) byName.set(key, id);
  }
  // an id that is a text itself goes before all names
  for (const { id } of groundTruth.images) if (typeof id === 'string') byName.set(id, id);
  return (value as ResultRow[]).map((row, i) => {
    if (typeof row.image_id !== 'string') return row as CocoResult;
    const id = byName.get(row.image_id);
    if (id === undefined) {
      throw new DatasetError(
        `results[${i}] belongs to image '${row.image_id}', which is not in the ground truth`,
        {
          index: i,
          imageId: row.image_id,
        },
      );
    }
    return { ...row, image_id: id };
  });
}
