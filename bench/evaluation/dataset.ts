/** A seeded data set of COCO's size: 80 classes, about 7 objects an image (1 % crowds), 100 detections an image. */
import type { CocoAnnotation, CocoDataset, CocoResult } from '../../src/evaluation/index.ts';
import { random } from '../nms/sets.ts';

export function syntheticCoco(
  images: number,
  perImage: number,
  classes = 80,
): { dataset: CocoDataset; results: CocoResult[] } {
  const next = random(2026);
  const below = (bound: number): number => Math.floor(next() * bound);
  // two decimals, as results files have them
  const cents = (value: number): number => Math.round(value * 100) / 100;
  const annotations: CocoAnnotation[] = [];
  const results: CocoResult[] = [];
  const box = (): [number, number, number, number] => {
    const size = 8 + 300 * next() ** 3;
    return [cents(500 * next()), cents(380 * next()), cents(size * (0.5 + next())), cents(size)];
  };
  for (let image = 1; image <= images; image++) {
    const own: CocoAnnotation[] = [];
    for (let n = below(15); n > 0; n--) {
      const bbox = box();
      own.push({
        id: annotations.length + own.length + 1,
        image_id: image,
        category_id: 1 + below(classes),
        bbox,
        area: cents(bbox[2] * bbox[3] * (0.5 + 0.5 * next())),
        iscrowd: below(100) === 0 ? 1 : 0,
      });
    }
    annotations.push(...own);
    for (let n = 0; n < perImage; n++) {
      const near = own.length > 0 && n < perImage / 2 ? own[below(own.length)]! : undefined;
      let bbox = box();
      if (near !== undefined) {
        const [x, y, w, h] = near.bbox as [number, number, number, number];
        const shift = (length: number): number => (next() - 0.5) * 0.5 * length;
        bbox = [cents(x + shift(w)), cents(y + shift(h)), cents(w + shift(w)), cents(h + shift(h))];
      }
      results.push({
        image_id: image,
        category_id: near !== undefined && below(4) > 0 ? near.category_id : 1 + below(classes),
        bbox,
        score: Math.round(1000 * next()) / 1000,
      });
    }
  }
  return {
    dataset: {
      images: Array.from({ length: images }, (_, i) => ({ id: i + 1, width: 640, height: 480 })),
      annotations,
      categories: Array.from({ length: classes }, (_, i) => ({ id: i + 1, name: `class ${i + 1}` })),
    },
    results,
  };
}
