/** The twin of coco.py: seeded COCO sets with crowds, tied scores and an empty class. */
import type { CocoAnnotation, CocoDataset, CocoResult } from '../../../src/evaluation/index.ts';
import { rleFromPolygons, rleToCoco } from '../../../src/masks/index.ts';
import { integers } from '../seeded.ts';

const imageCount = 5;
const size = 200;

function polygon(x: number, y: number, w: number, h: number, kind: number): number[] {
  return kind === 0 ? [x, y, x + w, y, x + w, y + h, x, y + h] : [x, y, x + w, y, x, y + h];
}

export function cocoSet(seed: number): { dataset: CocoDataset; results: CocoResult[] } {
  const values = integers(seed, 20000, 1 << 20);
  let at = 0;
  const below = (bound: number): number => values[at++]! % bound;
  const images = Array.from({ length: imageCount }, (_, i) => ({ id: i + 1, width: size, height: size }));
  const annotations: CocoAnnotation[] = [];
  const results: CocoResult[] = [];
  const mask = (points: number[]) => rleToCoco(rleFromPolygons([points], [size, size]));
  for (const { id } of images) {
    for (let n = below(7); n > 0; n--) {
      const [x, y, w, h] = [below(120), below(120), 4 + below(76), 4 + below(76)];
      const category = [1, 3, 7][below(3)]!;
      const kind = below(2);
      const iscrowd = below(6) === 0 ? 1 : 0;
      const keypoints: number[] = [];
      for (let k = 0; k < 17; k++) keypoints.push(x + below(w), y + below(h), below(3));
      annotations.push({
        id: annotations.length + 1,
        image_id: id,
        category_id: category,
        bbox: [x, y, w, h],
        area: Math.floor((w * h) / (1 + kind)),
        iscrowd,
        segmentation: [polygon(x, y, w, h, kind)],
        keypoints,
        num_keypoints: keypoints.filter((v, i) => i % 3 === 2 && v > 0).length,
      });
      for (let m = below(4); m > 0; m--) {
        const jx = x + below(9);
        const jy = y + below(9);
        const jw = Math.max(2, w + below(11) - 5);
        const jh = Math.max(2, h + below(11) - 5);
        const moved: number[] = [];
        for (let k = 0; k < 17; k++) {
          moved.push(keypoints[3 * k]! + below(7) - 3, keypoints[3 * k + 1]! + below(7) - 3, 1);
        }
        results.push({
          image_id: id,
          category_id: below(5) > 0 ? category : 7,
          bbox: [jx, jy, jw, jh],
          score: (1 + below(8)) / 8,
          segmentation: mask(polygon(jx, jy, jw, jh, kind)),
          keypoints: moved,
        });
      }
    }
    for (let n = below(3); n > 0; n--) {
      const [jx, jy, jw, jh] = [below(120), below(120), 4 + below(70), 4 + below(70)];
      const keypoints: number[] = [];
      for (let k = 0; k < 17; k++) keypoints.push(jx + below(jw), jy + below(jh), 1);
      results.push({
        image_id: id,
        category_id: [1, 3, 7][below(3)]!,
        bbox: [jx, jy, jw, jh],
        score: (1 + below(8)) / 8,
        segmentation: mask(polygon(jx, jy, jw, jh, 0)),
        keypoints,
      });
    }
  }
  return { dataset: { images, categories: [1, 3, 7, 9].map((id) => ({ id })), annotations }, results };
}
