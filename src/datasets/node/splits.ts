/** Which parts a dataset on disk has. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stemOf } from '../paths.ts';
import type { DatasetFormat } from '../types.ts';
import { parseYoloYaml } from '../yolo/yaml.ts';
import { findDataset } from './read.ts';

/**
 * Names of the splits that `readDataset(path, { split })` takes, in the order train, val, test: those of YOLO's data.yaml
 * or of VOC's `ImageSets/Main`. Empty where there are none (COCO, a folder of XML files). VOC's `trainval` is named only
 * where it stands alone, so that every image is in one of them.
 *
 * Throws `DatasetError` where there is no dataset.
 */
export function datasetSplits(path: string, format?: DatasetFormat): readonly string[] {
  const found = findDataset(path, format);
  if (found.format === 'yolo') {
    return Object.keys(parseYoloYaml(readFileSync(found.path, 'utf8')).splits);
  }
  const sets = join(found.path, 'ImageSets', 'Main');
  if (found.format === 'coco' || !existsSync(sets)) return [];
  const lists = readdirSync(sets).map(stemOf);
  const named = ['train', 'val', 'test'].filter((name) => lists.includes(name));
  const united = lists.includes('trainval') && !named.includes('train') && !named.includes('val');
  return united ? ['trainval', ...named] : named;
}
