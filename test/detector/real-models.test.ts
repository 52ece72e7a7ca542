/**
 * Every real detector through `createDetector`, its head chosen from its bytes: what a person sees in a photo is found,
 * faces with their keypoints, objects with their masks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createDetector, type DetectOptions, detectTiled } from '../../src/detector/index.ts';
import { LayoutError } from '../../src/errors.ts';
import { type Detections, decodeRle, pairwiseIou, rleArea } from '../../src/index.ts';
import { dataPath, describeWithData } from '../support/data.ts';

/** Head of each model, and what it is for. */
const models: Readonly<Record<string, readonly [head: string, finds: 'objects' | 'faces']>> = {
  yolox_nano_416: ['yolox', 'objects'],
  nanodet_m_320: ['nanodet', 'objects'],
  deimv2_hgnetv2_atto_coco: ['detr-decoded', 'objects'],
  'derived-deimv2_atto_rawheads': ['detr', 'objects'],
  fastestdet: ['fastestdet', 'objects'],
  yolov8n_int8_dashcam: ['yolov8', 'objects'],
  'yolov8n-seg_int8_dashcam': ['yolov8-seg', 'objects'],
  yolov10n_int8: ['end-to-end', 'objects'],
  yolov5n_fp16: ['yolov5', 'objects'],
  'ultraface-version-RFB-320': ['ultraface', 'faces'],
  'ultraface-version-RFB-640': ['ultraface', 'faces'],
  'ultraface-version-RFB-320_without_postprocessing': ['ultraface-raw', 'faces'],
  yunet_n_640_640: ['yunet', 'faces'],
  retinaface_mnet025: ['retinaface', 'faces'],
  blazeface_front_128: ['blazeface', 'faces'],
  blazeface_back_256: ['blazeface', 'faces'],
};

const named = (finds: string) => Object.keys(models).filter((model) => models[model]![1] === finds);
const read = (path: string) => Uint8Array.from(readFileSync(path));
const astronaut = new URL('../data/astronaut.jpg', import.meta.url).pathname;
/** Faces in pixels, drawn by hand. */
const astronautFace = [143, 45, 212, 138];
const portraitFace = [150, 90, 293, 302];
const groupFaces = [
  [440, 121, 471, 155],
  [365, 166, 398, 202],
  [458, 229, 501, 277],
  [549, 214, 588, 259],
];

async function detect(model: string, picture: string, options?: DetectOptions): Promise<Detections> {
  const detector = await createDetector({ model: dataPath(`models/${model}.onnx`), warmUp: false });
  try {
    expect(detector.info.head).toBe(models[model]![0]);
    const found = await detector.detect(read(picture), options);
    expect(found.boxes.every(Number.isFinite)).toBe(true);
    return found;
  } finally {
    detector.dispose();
  }
}

/** The detection that overlaps a box best, and by how much. */
function best(found: Detections, box: readonly number[]): readonly [index: number, iou: number] {
  const overlap = Array.from(pairwiseIou(Float32Array.from(box), found.boxes));
  const iou = Math.max(0, ...overlap);
  return [overlap.indexOf(iou), iou];
}

describeWithData('real models through the detector', () => {
  it('are all known', () => {
    const files = readdirSync(dataPath('models')).filter((name) => name.endsWith('.onnx'));
    const known = [...Object.keys(models), 'reid-person-retail-0287'].map((name) => `${name}.onnx`);
    expect(files.sort()).toEqual(known.sort());
  });

  it('a network that is no detector is refused', async () => {
    const model = dataPath('models/reid-person-retail-0287.onnx');
    await expect(createDetector({ model })).rejects.toBeInstanceOf(LayoutError);
  });

  it.each(named('objects'))('%s finds the dog', { timeout: 60_000 }, async (model) => {
    const found = await detect(model, dataPath('data/photos/dog.jpg'), { scoreThreshold: 0.3 });
    const [index, iou] = best(found, [130, 220, 310, 540]);
    expect(iou).toBeGreaterThan(0.7);
    expect(['dog', 'cat']).toContain(found.classNameOf(index));
  });

  it.each(named('faces'))('%s finds the face of a portrait, its keypoints inside', async (model) => {
    const pictures = [
      [astronaut, astronautFace],
      [dataPath('data/coco32/images/000000001296.jpg'), portraitFace],
    ] as const;
    for (const [picture, face] of pictures) {
      const found = await detect(model, picture, { scoreThreshold: 0.6 });
      expect(found.classNames).toEqual(['face']);
      const [index, iou] = best(found, face);
      expect(iou, picture).toBeGreaterThan(0.5);
      expect(index).toBe(0);
      const { keypoints, keypointCount } = found;
      expect(keypointCount > 0, 'keypoints').toBe(/yunet|retina|blaze/.test(model));
      if (keypoints === undefined) continue;
      const [x1, y1, x2, y2] = found.boxes as unknown as [number, number, number, number];
      const point = (k: number) => keypoints.subarray(3 * k, 3 * k + 2) as unknown as [number, number];
      for (let k = 0; k < 4; k++) {
        const [x, y] = point(k);
        expect(x > x1 && x < x2 && y > y1 && y < y2, `keypoint ${k} of ${picture}`).toBe(true);
      }
      // two eyes, side by side in the upper half; the nose between and below them
      expect(point(0)[0]).toBeLessThan(point(1)[0]);
      expect(Math.max(point(0)[1], point(1)[1])).toBeLessThan((y1 + y2) / 2);
      expect(point(2)[1]).toBeGreaterThan(Math.max(point(0)[1], point(1)[1]));
    }
  });

  it.each(named('faces').filter((model) => /640|RFB-320|mnet/.test(model)))(
    '%s finds a group',
    async (model) => {
      const found = await detect(model, dataPath('data/coco32/images/000000001000.jpg'), {
        scoreThreshold: 0.6,
      });
      for (const face of groupFaces) expect(best(found, face)[1], `${face}`).toBeGreaterThan(0.5);
    },
  );

  it('masks of the segmentation model cover the dog, in pixels of the photo', {
    timeout: 60_000,
  }, async () => {
    const found = await detect('yolov8n-seg_int8_dashcam', dataPath('data/photos/dog.jpg'), {
      scoreThreshold: 0.4,
    });
    expect(found.maskSize).toEqual({ width: 768, height: 576 });
    const dog = Array.from(found.classIds, (_, i) => found.classNameOf(i)).indexOf('dog');
    const pixels = decodeRle(found.maskAt(dog)!);
    const at = (x: number, y: number) => pixels[y * 768 + x];
    // head, chest, tail; the floor left and right of it, the wheel behind
    expect([at(270, 260), at(230, 380), at(230, 520)]).toEqual([1, 1, 1]);
    expect([at(120, 520), at(320, 540), at(295, 480), at(450, 320)]).toEqual([0, 0, 0, 0]);
    expect(rleArea(found.maskAt(dog)!)).toBeGreaterThan(30_000);
    expect(rleArea(found.maskAt(dog)!)).toBeLessThan(45_000);
  });

  it('keypoints come through tiles', async () => {
    const detector = await createDetector({ model: dataPath('models/yunet_n_640_640.onnx'), warmUp: false });
    const photo = read(dataPath('data/coco32/images/000000001000.jpg'));
    const found = await detectTiled(detector, photo, { tile: 320, overlap: 0.4, scoreThreshold: 0.6 });
    detector.dispose();
    for (const face of groupFaces) {
      const [index, iou] = best(found, face);
      expect(iou, `${face}`).toBeGreaterThan(0.5);
      const [x, y] = found.keypoints!.subarray(3 * (5 * index + 2)) as unknown as [number, number];
      expect(x > face[0]! && x < face[2]! && y > face[1]! && y < face[3]!, 'nose').toBe(true);
    }
  });
});
