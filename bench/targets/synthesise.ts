/** A COCO file of seeded boxes, small, medium and large as often as in COCO. */
import { integers, uniform } from '../../test/golden/seeded.ts';

export const imageWidth = 640;
export const imageHeight = 480;

/** A width in pixels: 41 % below 32, 34 % to 96, 25 % to 400 (COCO train2017's shares by area), log-uniform in each. */
function widthOf(share: number): number {
  if (share < 0.41) return 8 * 4 ** (share / 0.41);
  if (share < 0.75) return 32 * 3 ** ((share - 0.41) / 0.34);
  return 96 * (400 / 96) ** ((share - 0.75) / 0.25);
}

/** The pieces of a file of `images` images with 1 to 15 boxes each. */
export function* synthesise(images: number): Generator<string> {
  const counts = integers(11, images, 15);
  yield '{"categories":[{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}],\n"images":[';
  for (let i = 0; i < images; i++) {
    yield `${i === 0 ? '' : ','}\n{"id":${i + 1},"file_name":"${String(i).padStart(6, '0')}.jpg","width":${imageWidth},"height":${imageHeight}}`;
  }
  yield '],\n"annotations":[';
  let id = 0;
  for (let i = 0; i < images; i++) {
    const count = 1 + counts[i]!;
    const values = uniform(1000 + i, 4 * count, 0, 1);
    const labels = integers(7 + i, count, 3);
    for (let k = 0; k < count; k++) {
      const [a, b, c, d] = values.subarray(4 * k, 4 * k + 4) as unknown as [number, number, number, number];
      const width = Math.round(widthOf(c));
      const height = Math.min(imageHeight, Math.round(width * 2 ** (2 * d - 1)));
      const x = Math.floor(a * (imageWidth - width));
      const y = Math.floor(b * (imageHeight - height));
      yield `${id === 0 ? '' : ','}\n{"id":${++id},"image_id":${i + 1},"category_id":${1 + labels[k]!},"bbox":[${x},${y},${width},${height}],"area":${width * height},"iscrowd":0}`;
    }
  }
  yield ']}\n';
}
