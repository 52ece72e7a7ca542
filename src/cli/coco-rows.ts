/** Detections of a file as COCO results rows: image id by file name, category id by class name. */
import { basename } from 'node:path';
import type { Detections } from '../boxes/detections.ts';
import { DatasetError } from '../errors.ts';
import type { CocoDataset, CocoResult } from '../evaluation/index.ts';

/**
 * Category of each class id: by name where all names are known, else by rank when the counts agree (class i is the
 * i-th category by id).
 */
function categoryIds(detections: Detections, groundTruth: CocoDataset): readonly number[] {
  const byName = new Map(groundTruth.categories.map(({ id, name }) => [name, id]));
  const names = detections.classNames;
  const ids = names.map((name) => byName.get(name));
  if (names.length > 0 && ids.some((id) => id !== undefined)) return ids.map((id) => id ?? -1);
  const sorted = groundTruth.categories.map(({ id }) => id).sort((a, b) => a - b);
  if (names.length === 0 || names.length === sorted.length) return sorted;
  throw new DatasetError(
    `the model's ${names.length} classes match none of the ${sorted.length} categories of the ground truth`,
    { classNames: names },
  );
}

/** The image whose `file_name` (a name, or a path below some folder) ends the path, else the one of the same name. */
function imageOf(path: string, { images }: CocoDataset): CocoDataset['images'][number] {
  const name = basename(path);
  const named = images.filter((entry) => basename(entry.file_name ?? '') === name);
  const whole = `/${path.replaceAll('\\', '/')}`;
  const image = named.find((entry) => whole.endsWith(`/${entry.file_name}`)) ?? named[0];
  if (image === undefined) throw new DatasetError(`${name} is not an image of the ground truth`, { name });
  return image;
}

/** Rows of one image; classes the ground truth does not know are left out. */
export function cocoRows(path: string, detections: Detections, groundTruth: CocoDataset): CocoResult[] {
  const image = imageOf(path, groundTruth);
  const ids = categoryIds(detections, groundTruth);
  const known = detections.filter((i) => (ids[detections.classIds[i]!] ?? -1) >= 0);
  return known.toCoco(image.id, ids);
}
