/** The command line as a person uses it: results, files written, readable errors, exit codes. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { dataPath, describeWithData } from '../support/data.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);

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
  it('explains itself and exits 0', async () => {
    const { code, out } = await boxops('--help');
    expect(code).toBe(0);
    for (const command of ['detect', 'inspect', 'eval']) expect(out).toContain(command);
  });
  it('exits 2 on a wrong command line', async () => {
    expect((await boxops('detect')).code).toBe(2);
    expect((await boxops('detect', 'x.png', '--score', '7')).code).toBe(2);
    expect((await boxops('frobnicate')).code).toBe(2);
  });
  it('names a model that is not there, or is none', async () => {
    writeFileSync(place('not.onnx'), 'hello');
    const absent = await boxops('inspect', place('absent.onnx'));
    expect(absent.code).toBe(1);
    expect(absent.err).toContain('absent.onnx');
    expect((await boxops('inspect', place('not.onnx'))).err).toContain('[MODEL]');
  });
});

describeWithData('detect', () => {
  const model = () => ['--model', dataPath('models/yolox_nano_416.onnx')];
  it('finds the dog, the bicycle and the truck, and writes picture and JSON', async () => {
    const { code, out } = await boxops(
      'detect',
      dataPath('data/photos/dog.jpg'),
      ...model(),
      '--out',
      place('dog.png'),
      '--json',
      place('dog.json'),
    );
    expect(code).toBe(0);
    for (const name of ['dog', 'bicycle', 'truck']) expect(out).toMatch(new RegExp(`dog.jpg +${name} `));
    const json = JSON.parse(readFileSync(place('dog.json'), 'utf8'));
    expect([json.width, json.height]).toEqual([768, 576]);
    expect(json.detections[0].className).toBe('dog');
    expect([...readFileSync(place('dog.png')).subarray(1, 4)]).toEqual(
      [...'PNG'].map((c) => c.charCodeAt(0)),
    );
  });
  it('writes one COCO results array for many images, and eval scores it', async () => {
    const truth = JSON.parse(readFileSync(dataPath('data/coco32/instances.json'), 'utf8'));
    const images = truth.images.slice(0, 3);
    writeFileSync(
      place('gt.json'),
      JSON.stringify({
        ...truth,
        images,
        annotations: truth.annotations.filter((a: { image_id: number }) =>
          images.some((i: { id: number }) => i.id === a.image_id),
        ),
      }),
    );
    const paths = images.map((image: { file_name: string }) =>
      dataPath(`data/coco32/images/${image.file_name}`),
    );
    const detected = await boxops(
      'detect',
      ...paths,
      ...model(),
      '--score',
      '0.05',
      '--json',
      place('dt.json'),
      '--coco-gt',
      place('gt.json'),
    );
    expect(detected.code).toBe(0);
    const scored = await boxops(
      'eval',
      '--ground-truth',
      place('gt.json'),
      '--detections',
      place('dt.json'),
      '--json',
      place('stats.json'),
      '--per-class',
    );
    expect(scored.code).toBe(0);
    const { stats } = JSON.parse(readFileSync(place('stats.json'), 'utf8'));
    expect(stats).toHaveLength(12);
    expect(stats[1]).toBeGreaterThan(0.3);
  });
  it('reports unreadable images by name, goes on with the others and exits 1', async () => {
    writeFileSync(place('empty.jpg'), '');
    writeFileSync(place('broken.png'), 'not a picture');
    const { code, out, err } = await boxops(
      'detect',
      place('empty.jpg'),
      dataPath('data/photos/eagle.jpg'),
      place('broken.png'),
      place('gone.jpg'),
      ...model(),
      '--out',
      place('annotated'),
    );
    expect(code).toBe(1);
    for (const name of ['empty.jpg', 'broken.png', 'gone.jpg']) expect(err).toContain(name);
    expect(err).toContain('[IMAGE]');
    expect(out).toContain('bird');
    expect(statSync(place('annotated/eagle.png')).size).toBeGreaterThan(10_000);
  });
});

describeWithData('inspect', () => {
  it('prints tensors, head, reasons and code', async () => {
    const { code, out } = await boxops('inspect', dataPath('models/yolov8n_int8_dashcam.onnx'));
    expect(code).toBe(0);
    expect(out).toContain('[1, 84, 2100]');
    expect(out).toContain('yolov8');
    expect(out).toContain('createDetector');
  });
  it('says that a re-identification network is no detector', async () => {
    const { code, out } = await boxops('inspect', dataPath('models/reid-person-retail-0287.onnx'));
    expect(code).toBe(0);
    expect(out).toContain('none');
    expect(out).not.toContain('createDetector');
  });
});

describe('eval', () => {
  it('says what is wrong with its files', async () => {
    writeFileSync(place('list.json'), '[]');
    writeFileSync(place('cut.json'), '{"images": [');
    const swapped = await boxops(
      'eval',
      '--ground-truth',
      place('list.json'),
      '--detections',
      place('list.json'),
    );
    expect(swapped.code).toBe(1);
    expect(swapped.err).toContain(`'images' must be an array`);
    const cut = await boxops('eval', '--ground-truth', place('cut.json'), '--detections', place('list.json'));
    expect(cut.err).toContain('cut.json');
  });
});
