/** The real annotation files of the matching goldens, as sets.py reads them. */
import { readFileSync } from 'node:fs';
import { dataPath } from '../../support/data.ts';

export interface RealImage {
  readonly width: number;
  readonly height: number;
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly classes: readonly number[];
}

interface CocoFile {
  images: { id: number; width: number; height: number }[];
  annotations: { image_id: number; category_id: number; bbox: number[]; iscrowd?: number }[];
}

/** Images of the real annotation files that have boxes, crowds left out. */
export function realSet(name: 'pills' | 'coco'): RealImage[] {
  const file = {
    pills: 'data/pills/train/_annotations.coco.json',
    coco: 'data/coco-eval-100/instances_val2014_100.json',
  }[name];
  const coco = JSON.parse(readFileSync(dataPath(file), 'utf8')) as CocoFile;
  return coco.images.flatMap(({ id, width, height }) => {
    const rows = coco.annotations.filter(
      ({ image_id, iscrowd, bbox }) => image_id === id && !iscrowd && bbox[2]! > 0 && bbox[3]! > 0,
    );
    if (rows.length === 0) return [];
    const boxes = Float32Array.from(rows.flatMap(({ bbox: [x, y, w, h] }) => [x!, y!, x! + w!, y! + h!]));
    return [{ width, height, boxes, classes: rows.map((row) => row.category_id) }];
  });
}
