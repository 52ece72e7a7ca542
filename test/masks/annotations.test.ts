/** Real COCO annotations, polygons and crowds alike, rasterised as pycocotools' annToRLE does. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type CocoSegmentation,
  compressRuns,
  maskIou,
  rleArea,
  rleFromSegmentation,
} from '../../src/index.ts';
import golden from '../golden/masks/annotations.json' with { type: 'json' };
import { dataPath, describeWithData } from '../support/data.ts';

interface Instances {
  readonly images: readonly { readonly id: number; readonly width: number; readonly height: number }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly iscrowd: 0 | 1;
    readonly segmentation: CocoSegmentation;
  }[];
}

function fnv(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

describeWithData('COCO val2014, the first hundred pictures', () => {
  const masks = () => {
    const { images, annotations } = JSON.parse(
      readFileSync(dataPath('data/coco-eval-100/instances_val2014_100.json'), 'utf8'),
    ) as Instances;
    const sizes = new Map(images.map(({ id, width, height }) => [id, [height, width] as const]));
    const all = annotations.map(({ image_id, segmentation }) =>
      rleFromSegmentation(segmentation, sizes.get(image_id)!),
    );
    return { annotations, all };
  };

  test(`${golden.count} masks equal pycocotools, run for run`, () => {
    const { all } = masks();
    expect(all).toHaveLength(golden.count);
    expect(fnv(compressRuns(all[0].counts))).toBe(golden.first);
    expect(all.reduce((sum, mask) => sum + rleArea(mask), 0)).toBe(golden.area);
    expect(fnv(all.map(({ counts }) => compressRuns(counts)).join('\n'))).toBe(golden.hash);
  });

  test('overlaps of a picture with a crowd equal pycocotools to the last bit', () => {
    const { annotations, all } = masks();
    const own = golden.crowd.annotations.map((index) => all[index]);
    const crowd = golden.crowd.annotations.map((index) => annotations[index].iscrowd);
    expect(crowd).toContain(1);
    expect(Array.from(maskIou(own, own, { crowd }))).toEqual(golden.crowd.iou);
  });
});
