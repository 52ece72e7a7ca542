/** Real models on photos: faces where faces are, keypoints inside them, raw and decoded exports alike, masks on objects. */
import { expect, test } from 'vitest';
import { cocoClassNames, decodeMask } from '../../src/heads/index.ts';
import { describeWithData } from '../support/data.ts';
import { overlap, runModel } from './run-model.ts';

const portrait = 'data/coco32/images/000000001296.jpg';
const group = 'data/coco32/images/000000001000.jpg';
/** The face of the portrait, and four of the group, in pixels; drawn by hand. */
const portraitFace = [150, 90, 293, 302];
const groupFaces = [
  [440, 121, 471, 155],
  [365, 166, 398, 202],
  [458, 229, 501, 277],
  [549, 214, 588, 259],
];

const faceModels = [
  'yunet_n_640_640',
  'retinaface_mnet025',
  'ultraface-version-RFB-320',
  'ultraface-version-RFB-320_without_postprocessing',
  'ultraface-version-RFB-640',
  'blazeface_front_128',
  'blazeface_back_256',
];

describeWithData('faces', () => {
  test.each(faceModels)('%s finds the face of a portrait', async (model) => {
    const { candidates, kept, box, inspection } = await runModel(model, portrait);
    expect(inspection.classNames).toEqual(['face']);
    expect(kept.length).toBeGreaterThan(0);
    expect(overlap(box(kept[0]!), portraitFace)).toBeGreaterThan(0.5);
    const { keypoints, keypointCount = 0, boxes } = candidates;
    if (keypoints === undefined) return;
    // the two eyes first: above the middle of the box, one on each side; all inside it
    const at = kept[0]!;
    const [x1, y1, x2, y2] = boxes.subarray(4 * at, 4 * at + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const point = (k: number) =>
      Array.from(keypoints.subarray(3 * (keypointCount * at + k), 3 * (keypointCount * at + k) + 3));
    for (let k = 0; k < Math.min(4, keypointCount); k++) {
      const [x, y] = point(k) as [number, number];
      expect(x > x1 && x < x2 && y > y1 && y < y2, `keypoint ${k}`).toBe(true);
    }
    expect(point(0)[1]).toBeLessThan((y1 + y2) / 2);
    expect(point(0)[0]).toBeLessThan(point(1)[0]!);
  });

  test.each(faceModels.filter((model) => /640|RFB-320|mnet/.test(model)))(
    '%s finds a group',
    async (model) => {
      const { kept, box } = await runModel(model, group);
      for (const face of groupFaces) {
        const best = Math.max(...Array.from(kept, (i) => overlap(box(i), face)));
        expect(best, `${face}`).toBeGreaterThan(0.5);
      }
    },
  );

  test('UltraFace with and without its decoding gives the same boxes', async () => {
    const decoded = await runModel('ultraface-version-RFB-320', group);
    const raw = await runModel('ultraface-version-RFB-320_without_postprocessing', group);
    expect(raw.inspection.head).toBe('ultraface-raw');
    expect(raw.candidates.count).toBe(decoded.candidates.count);
    const worst = raw.candidates.boxes.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - decoded.candidates.boxes[i]!)),
      0,
    );
    expect(worst).toBeLessThan(0.01);
  });
});

describeWithData('masks', () => {
  test('yolov8n-seg: the masks of a dog and a bicycle cover them and nothing beside', {
    timeout: 300_000,
  }, async () => {
    const { candidates, kept, inspection } = await runModel(
      'yolov8n-seg_int8_dashcam',
      'data/photos/dog.jpg',
      {
        scoreThreshold: 0.4,
      },
    );
    expect(inspection).toMatchObject({ head: 'yolov8-seg', headOptions: { classCount: 80 } });
    const { maskCoefficients, prototypes, boxes, classIds } = candidates;
    const { channels } = prototypes!;
    const found = Array.from(kept, (i) => cocoClassNames[classIds[i]!]);
    expect(found).toEqual(expect.arrayContaining(['dog', 'bicycle']));
    const dog = kept[found.indexOf('dog')]!;
    const mask = decodeMask(
      prototypes!,
      maskCoefficients!.subarray(channels * dog, channels * dog + channels),
      boxes.subarray(4 * dog, 4 * dog + 4),
      inspection.preprocessing!.size,
    );
    const fill = mask.data.reduce((sum, bit) => sum + bit, 0) / mask.data.length;
    // a dog fills about 60 % of its box, and the middle of it
    expect(fill).toBeGreaterThan(0.4);
    expect(fill).toBeLessThan(0.85);
    expect(mask.data[(mask.height >> 1) * mask.width + (mask.width >> 1)]).toBe(1);
  });
});
