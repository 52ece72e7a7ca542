/** `boxops detect` beyond boxes: keypoints and masks in table, JSON and COCO rows; tiles; presets. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { rleArea, rleFromCoco } from '../../src/index.ts';
import { dataPath, describeWithData } from '../support/data.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);
const astronaut = new URL('../data/astronaut.jpg', import.meta.url).pathname;

async function boxops(...parameters: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(parameters, {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    interactive: false,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('usage', () => {
  it('refuses tile options without tiles, and unknown presets and rules', async () => {
    const alone = await boxops('detect', astronaut, '--overlap', '0.3');
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining('need --tile')]);
    expect((await boxops('detect', astronaut, '--preset', 'darknet')).code).toBe(2);
    expect((await boxops('detect', astronaut, '--tile', '64', '--merge', 'best')).code).toBe(2);
  });
});

describeWithData('detect', () => {
  it('tells the keypoints of a face', async () => {
    const model = ['--model', dataPath('models/yunet_n_640_640.onnx')];
    const { code, out } = await boxops('detect', astronaut, ...model, '--json', place('face.json'));
    expect(code).toBe(0);
    expect(out).toMatch(/keypoints/);
    expect(out).toMatch(/face .* 5 of 5/);
    const { detections } = JSON.parse(readFileSync(place('face.json'), 'utf8'));
    expect(detections[0].keypoints).toHaveLength(5);
  });

  it('writes masks: table, JSON, COCO rows, and the picture', { timeout: 60_000 }, async () => {
    writeFileSync(
      place('gt.json'),
      JSON.stringify({
        images: [{ id: 9, file_name: 'dog.jpg' }],
        categories: [{ id: 18, name: 'dog' }],
        annotations: [],
      }),
    );
    const common = [
      'detect',
      dataPath('data/photos/dog.jpg'),
      '--model',
      dataPath('models/yolov8n-seg_int8_dashcam.onnx'),
      '--score',
      '0.4',
    ];
    const { code, out } = await boxops(...common, '--out', place('dog.png'), '--json', place('dog.json'));
    expect(code).toBe(0);
    expect(out).toMatch(/mask px/);
    const { detections } = JSON.parse(readFileSync(place('dog.json'), 'utf8'));
    const dog = detections.find(({ className }: { className: string }) => className === 'dog');
    expect(dog.mask.size).toEqual([576, 768]);
    const picture = await loadImage(readFileSync(place('dog.png')));
    expect([picture.width, picture.height]).toEqual([768, 576]);
    await boxops(...common, '--json', place('coco.json'), '--coco-gt', place('gt.json'));
    const rows = JSON.parse(readFileSync(place('coco.json'), 'utf8'));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ image_id: 9, category_id: 18 });
    const odd = dog.mask.counts.filter((_: number, i: number) => i % 2 === 1);
    expect(rleArea(rleFromCoco(rows[0].segmentation))).toBe(odd.reduce((a: number, b: number) => a + b, 0));
  });

  it('detects in tiles, and by the rules of a library', async () => {
    const model = ['--model', dataPath('models/yolox_nano_416.onnx')];
    const photo = dataPath('data/coco32/images/000000001000.jpg');
    const rows = async (...more: string[]) => {
      const { code, out } = await boxops('detect', photo, ...model, ...more);
      expect(code).toBe(0);
      return out.split('\n').filter((line) => /person/.test(line)).length;
    };
    const whole = await rows();
    const tiled = await rows('--tile', '320', '--overlap', '0.3');
    expect(tiled).toBeGreaterThan(5);
    // boxes of neighbouring tiles and of the whole picture stay apart
    const loose = ['--merge', 'nms', '--merge-metric', 'iou', '--merge-threshold', '0.95'];
    expect(await rows('--tile', '320', '--overlap', '0.3', ...loose)).toBeGreaterThan(tiled);
    expect(await rows('--preset', 'torchvision')).toBeGreaterThan(whole);
    expect(await rows('--preset', 'ultralytics', '--score', '0.7')).toBeLessThan(whole);
  });
});
