/** The command line as a person uses it: results, files written, readable errors, exit codes. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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
  it.each([
    ['--metric', 'giuo'],
    ['--metric', ''],
    ['--classes', 'cat'],
    ['--out', 'boxes.bmp'],
    ['--overlap', '0.3'],
    ['--tile', '64', '--overlap', '1'],
    ['--tile', '64', '--merge-metric', 'ioss'],
    ['--preset', 'torchvision', '--metric', 'diou'],
    ['--coco-gt', 'instances.json'],
    ['--score', '-0.1'],
    ['--head', 'yolo'],
  ])('exits 2 on detect %s %s, told once however many images', async (...flags) => {
    const image = 'docs/demo.png';
    const { code, err } = await boxops('detect', image, image, ...flags);
    expect(code, err).toBe(2);
    expect(err.split('\n').filter((line) => !line.includes('no --model'))).toHaveLength(1);
  });
  it('exits 2 on wrong options of the other commands', async () => {
    writeFileSync(place('empty.json'), '{"images":[],"annotations":[],"categories":[]}');
    const set = place('empty.json');
    const out = ['--out', place('parts')];
    const wrong = [
      ['dataset', 'split', set, ...out, '--into', 'train'],
      ['dataset', 'split', set, ...out, '--into', 'train=2'],
      ['dataset', 'remap', set, ...out],
      ['dataset', 'remap', set, ...out, '--map', 'cat'],
      ['dataset', 'stats', set, '--plot', place('sizes.gif')],
      ['targets', set, ...out, '--config', 'yolo99'],
      ['eval', '--ground-truth', set, '--detections', set, '--protocol', 'voc', '--type', 'segm'],
      ['inspect', 'models/digits/digits.onnx', '--json', 'models/digits/digits.onnx'],
    ];
    for (const parameters of wrong) {
      const { code, err } = await boxops(...parameters);
      expect(code, `${parameters.join(' ')}: ${err}`).toBe(2);
    }
  });
  it('reports a path that leads nowhere, and goes on', async () => {
    symlinkSync('loop.png', place('loop.png'));
    const paths = [place('loop.png'), `${place('x').repeat(200)}.png`, 'docs/demo.png'];
    const { code, err, out } = await boxops('detect', ...paths, '--json', '-');
    expect(code).toBe(1);
    expect(err).toMatch(/loop\.png: cannot be read: ELOOP/);
    expect(err).toMatch(/cannot be read: ENAMETOOLONG/);
    expect(JSON.parse(out)).toHaveLength(1);
  });
  it('names a model that is not there, or is none', async () => {
    writeFileSync(place('not.onnx'), 'hello');
    const absent = await boxops('inspect', place('absent.onnx'));
    expect(absent.code).toBe(1);
    expect(absent.err).toContain('absent.onnx');
    expect((await boxops('inspect', place('not.onnx'))).err).toContain('[MODEL]');
  });
});

describe('--json -', () => {
  it('gives the standard output to the JSON, and the text to the other', async () => {
    const { code, out, err } = await boxops('inspect', 'models/digits/digits.onnx', '--json', '-');
    expect(code).toBe(0);
    expect(JSON.parse(out).head).toBe('yolov8');
    expect(err).toContain('head      yolov8');
    expect(existsSync('-')).toBe(false);
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
  it('never lets pictures of one name overwrite each other, nor an image', async () => {
    const photo = dataPath('data/photos/eagle.jpg');
    for (const name of ['a', 'b']) {
      mkdirSync(place(name));
      copyFileSync(photo, place(`${name}/x.jpg`));
    }
    const many = await boxops('detect', place('a'), place('b'), ...model(), '--out', place('both.v1'));
    expect(many).toMatchObject({ code: 2 });
    expect(many.err).toContain('--out must name a folder');
    mkdirSync(place('both.v1'));
    const { code } = await boxops('detect', place('a'), place('b'), ...model(), '--out', place('both.v1'));
    expect(code).toBe(0);
    expect(readdirSync(place('both.v1')).sort()).toEqual(['x-2.png', 'x.png']);
    const over = await boxops('detect', place('a/x.jpg'), ...model(), '--out', place('a/x.jpg'));
    expect(over.err).toContain('would overwrite the image');
    expect(readFileSync(place('a/x.jpg'))).toEqual(readFileSync(photo));
  });
  it('encodes the picture as its name says', async () => {
    const photo = dataPath('data/photos/eagle.jpg');
    expect((await boxops('detect', photo, ...model(), '--out', place('e.jpg'))).code).toBe(0);
    expect([...readFileSync(place('e.jpg')).subarray(0, 2)]).toEqual([0xff, 0xd8]);
    const other = await boxops('detect', photo, ...model(), '--out', place('e.tif'));
    expect(other.err).toContain('expected a name in .png, .jpg');
  });
  it('says what is wrong with an option, a ground truth or a model once, before any image', async () => {
    const photos = [dataPath('data/photos/eagle.jpg'), dataPath('data/photos/dog.jpg')];
    const said = async (...flags: string[]) => (await boxops('detect', ...photos, ...flags)).err;
    expect((await said(...model(), '--metric', 'foo')).match(/got 'foo'/g)).toHaveLength(1);
    expect((await said(...model(), '--classes', 'unicorn')).match(/unicorn/g)).toHaveLength(1);
    expect(await said(...model(), '--coco-gt', place('none.json'), '--json', place('j.json'))).toContain(
      'none.json',
    );
    expect(await said(...model(), '--coco-gt', place('none.json'))).toContain('needs --json');
    writeFileSync(place('half.onnx'), readFileSync(dataPath('models/yolox_nano_416.onnx')).subarray(0, 9999));
    expect(await said('--model', place('half.onnx'))).toMatch(/half\.onnx: the file is cut short.*\[MODEL\]/);
  });
  it('keeps the shape of the JSON when images fail', async () => {
    const photo = dataPath('data/photos/eagle.jpg');
    await boxops('detect', photo, place('gone.jpg'), ...model(), '--json', place('two.json'));
    expect(JSON.parse(readFileSync(place('two.json'), 'utf8'))).toMatchObject([{ image: photo }]);
    await boxops('detect', place('gone.jpg'), ...model(), '--json', place('one.json'));
    expect(existsSync(place('one.json'))).toBe(false);
    // no mean time of no images
    const none = await boxops('detect', place('gone.jpg'), place('lost.jpg'), ...model());
    expect(none).toMatchObject({ code: 1, out: '' });
    const piped = await boxops('detect', photo, ...model(), '--json', '-');
    expect(JSON.parse(piped.out)).toMatchObject({ image: photo });
    expect(piped.err).toContain('eagle.jpg');
  });
  it('finds the image of a ground truth by its folder, where names repeat', async () => {
    mkdirSync(place('set/val'), { recursive: true });
    copyFileSync(dataPath('data/photos/eagle.jpg'), place('set/val/x.jpg'));
    const images = ['train/x.jpg', 'val/x.jpg'].map((file_name, id) => ({ id, file_name }));
    const categories = [{ id: 16, name: 'bird' }];
    writeFileSync(place('set.json'), JSON.stringify({ images, categories, annotations: [] }));
    await boxops(
      ...['detect', place('set/val/x.jpg'), ...model()],
      ...['--json', place('set-dt.json'), '--coco-gt', place('set.json')],
    );
    expect(JSON.parse(readFileSync(place('set-dt.json'), 'utf8'))).toMatchObject([
      { image_id: 1, category_id: 16 },
    ]);
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
