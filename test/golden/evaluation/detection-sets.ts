/** The twin of detection_sets.py: seeded detection sets with everything the protocols treat apart. */
import type { CocoAnnotation, CocoDataset, CocoResult } from '../../../src/evaluation/index.ts';
import { integers } from '../seeded.ts';

const categories = [
  [1, 'r'],
  [3, 'c'],
  [7, 'f'],
  [9, 'f'], // has detections only
  [12, 'c'],
] as const;
const ids = categories.map(([id]) => id);

const polygon = (x: number, y: number, w: number, h: number) => [x, y, x, y + h, x + w, y + h, x + w, y];

/** Coordinates are quarters of a pixel; scores are distinct float32 numbers, or with `ties` eighths. */
export function detectionSet(seed: number, ties: boolean): { dataset: CocoDataset; results: CocoResult[] } {
  const values = integers(seed, 20000, 1 << 20);
  let at = 0;
  const below = (bound: number): number => values[at++]! % bound;
  const images: CocoDataset['images'][number][] = [];
  const annotations: CocoAnnotation[] = [];
  const results: CocoResult[] = [];
  const result = (image: number, category: number, x: number, y: number, w: number, h: number): void => {
    const v = below(32768);
    const score = ties ? (1 + (v % 8)) / 8 : (v * 512 + results.length) / 2 ** 24;
    results.push({
      image_id: image,
      category_id: category,
      bbox: [x, y, w, h],
      score,
      segmentation: [polygon(x, y, w, h)],
    });
  };
  for (let id = 1; id <= 12; id++) {
    const absent = ids.filter(() => below(3) === 0);
    const partial = ids.filter(() => below(4) === 0);
    images.push({
      id,
      width: 400,
      height: 300,
      neg_category_ids: absent,
      not_exhaustive_category_ids: partial,
    });
    for (let n = below(8); n > 0; n--) {
      const [x, y] = [below(1200) / 4, below(800) / 4];
      const [w, h] = [(16 + below(400)) / 4, (16 + below(400)) / 4];
      const category = [1, 3, 7, 12][below(4)]!;
      const iscrowd = below(8) === 0 ? 1 : 0;
      const difficult = below(6) === 0 ? 1 : 0;
      annotations.push({
        id: annotations.length + 1,
        image_id: id,
        category_id: category,
        bbox: [x, y, w, h],
        area: w * h,
        iscrowd,
        difficult,
        segmentation: [polygon(x, y, w, h)],
      });
      for (let m = below(4); m > 0; m--) {
        const q = 4 + below(80);
        const jitter = () => (below(2 * q + 1) - q) / 4;
        const [dx, dy, dw, dh] = [jitter(), jitter(), jitter(), jitter()];
        const own = below(4) > 0 ? category : ids[below(5)]!;
        result(id, own, x + dx, y + dy, Math.max(1, w + dw), Math.max(1, h + dh));
      }
    }
    for (let n = below(4); n > 0; n--) {
      const [x, y] = [below(1200) / 4, below(800) / 4];
      const [w, h] = [(16 + below(400)) / 4, (16 + below(400)) / 4];
      result(id, ids[below(5)]!, x, y, w, h);
    }
  }
  return {
    dataset: {
      images,
      annotations,
      categories: categories.map(([id, frequency]) => ({ id, name: `class ${id}`, frequency })),
    },
    results,
  };
}
