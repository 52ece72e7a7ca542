/** The twin of coco_tensors.py: areas on the borders of the ranges, more detections than count, unordered ids. */
import type { CocoAnnotation, CocoDataset, CocoResult } from '../../../src/evaluation/index.ts';
import { integers } from '../seeded.ts';

const sizes = [
  [32, 32],
  [96, 96],
  [16, 64],
  [48, 192],
  [31, 33],
] as const;

export function tensorSet(seed: number): { dataset: CocoDataset; results: CocoResult[] } {
  const values = integers(seed, 20000, 1 << 20);
  let at = 0;
  const below = (bound: number): number => values[at++]! % bound;
  const images = [7, 2, 5].map((id) => ({ id, width: 640, height: 480 }));
  const annotations: CocoAnnotation[] = [];
  const results: CocoResult[] = [];
  const box = (): [number, number, number, number] => {
    const [w, h] = below(2) > 0 ? sizes[below(5)]! : [4 + below(220), 4 + below(220)];
    return [below(400), below(250), w, h];
  };
  for (const { id } of images) {
    for (let n = 2 + below(9); n > 0; n--) {
      const bbox = box();
      annotations.push({
        id: annotations.length + 1,
        image_id: id,
        category_id: 1 + below(2),
        bbox,
        area: bbox[2] * bbox[3],
        iscrowd: below(7) === 0 ? 1 : 0,
      });
    }
    const own = annotations.filter((row) => row.image_id === id);
    for (let n = 90 + below(60); n > 0; n--) {
      let bbox: number[];
      let category = 1;
      if (below(3) === 0) {
        const near = own[below(own.length)]!;
        bbox = near.bbox.map((value, i) => value + below(i < 2 ? 7 : 5));
        category = near.category_id;
      } else bbox = box();
      results.push({ image_id: id, category_id: category, bbox, score: (1 + below(64)) / 64 });
    }
  }
  return { dataset: { images, categories: [4, 1, 2].map((id) => ({ id })), annotations }, results };
}
