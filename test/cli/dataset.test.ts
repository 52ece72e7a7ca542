/** `boxops dataset`: what a person types and gets, and that nothing is ever half written. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { readDataset } from '../../src/datasets/node/index.ts';
import { dataPath, describeWithData } from '../support/data.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-dataset-'));
afterAll(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);

async function boxops(...parameters: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(['dataset', ...parameters], {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    interactive: false,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const images = Array.from({ length: 10 }, (_, i) => ({
  id: i + 1,
  file_name: `${i}.png`,
  width: 60,
  height: 40,
}));
const annotations = images.flatMap(({ id }, i) =>
  Array.from({ length: i % 3 }, (_, k) => ({
    id: 10 * id + k,
    image_id: id,
    category_id: 1 + (k % 2),
    bbox: [2 * k, 3, 10, 8 + k],
    area: 10 * (8 + k),
    iscrowd: 0,
  })),
);
const categories = [
  { id: 1, name: 'cat' },
  { id: 2, name: 'dog' },
];
const good = place('good.json');
writeFileSync(good, JSON.stringify({ images, annotations, categories }));

const bad = place('bad.json');
writeFileSync(
  bad,
  JSON.stringify({
    images: [...images, images[0]],
    annotations: [
      ...annotations,
      { id: 900, image_id: 77, category_id: 1, bbox: [1, 1, 2, 2] },
      { id: 901, image_id: 1, category_id: 5, bbox: [1, 1, -2, 2] },
    ],
    categories,
  }),
);

describe('usage', () => {
  it('explains itself, and exits 2 on a wrong command line', async () => {
    const { code, out } = await boxops('--help');
    expect(code).toBe(0);
    for (const name of ['validate', 'convert', 'stats', 'split', 'merge', 'remap'])
      expect(out).toContain(name);
    expect((await boxops('convert', good)).code).toBe(2);
    expect((await boxops('convert', good, '--out', 'x', '--to', 'kitti')).code).toBe(2);
    expect((await boxops('frobnicate')).code).toBe(2);
  });
  it('names what is not there', async () => {
    const { code, err } = await boxops('validate', place('absent'));
    expect(code).toBe(1);
    expect(err).toContain('absent is not there [DATASET]');
  });
});

describe('validate', () => {
  it('is content with a good file', async () => {
    const { code, out } = await boxops('validate', good);
    expect(code).toBe(0);
    expect(out).toBe('coco: 10 images, 9 annotations, 2 categories; 0 errors, 0 warnings');
  });

  it('lists every problem of a bad one, also as JSON', async () => {
    const json = place('findings.json');
    const { code, out } = await boxops('validate', bad, '--json', json);
    expect(code).toBe(1);
    for (const expected of [
      /bad\.json:1:\d+ images\[10\]: image id 1 is used twice \[duplicate-image-id\]/,
      /bad\.json:1:\d+ annotations\[9\]\.image_id: no image has the id 77 \[unknown-image\]/,
      /bad\.json:1:\d+ annotations\[10\]\.category_id: no category has the id 5 \[unknown-category\]/,
      /bad\.json:1:\d+ annotations\[10\]\.bbox: box of width -2 .*\[negative-size\]/,
      /4 errors, 0 warnings/,
    ]) {
      expect(out).toMatch(expected);
    }
    expect(JSON.parse(readFileSync(json, 'utf8')).counts).toEqual({
      'duplicate-image-id': 1,
      'unknown-image': 1,
      'unknown-category': 1,
      'negative-size': 1,
    });
  });

  it('checks the images', async () => {
    mkdirSync(place('none'), { recursive: true });
    const { code, out } = await boxops('validate', good, '--images', place('none'));
    expect(code).toBe(1);
    expect(out).toContain(`${place('none')}/9.png: the image is not there [missing-image-file]`);
  });

  it.each([
    ['validate'],
    ['stats'],
    ['convert', '--out', place('unmade'), '--to', 'voc', '--copy-images'],
    ['convert', '--out', place('unmade'), '--to', 'yolo'],
    ['split', '--out', place('unmade')],
    ['merge', '--out', place('unmade')],
    ['remap', '--out', place('unmade'), '--map', 'cat=lion'],
  ])('says once that there is no folder of images: %s', async (command, ...flags) => {
    for (const images of [place('nowhere'), good]) {
      const { code, out, err } = await boxops(command, good, ...flags, '--images', images);
      expect([code, out]).toEqual([2, '']);
      expect(err).toBe(`boxops: there is no folder of images ${images} [OPTION]`);
      expect(existsSync(place('unmade'))).toBe(false);
    }
  });

  it('fails on warnings when strict', async () => {
    const text = {
      images,
      categories,
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [50, 1, 30, 5] }],
    };
    writeFileSync(place('warning.json'), JSON.stringify(text));
    expect((await boxops('validate', place('warning.json'))).code).toBe(0);
    const { code, out } = await boxops('validate', place('warning.json'), '--strict');
    expect(code).toBe(1);
    expect(out).toContain('warning: box reaches 20 pixels beyond its image of 60×40');
  });
});

describe('writing', () => {
  it('writes nothing from a corrupted file, and says all that is wrong', async () => {
    for (const to of ['coco', 'yolo', 'voc']) {
      const { code, err } = await boxops('convert', bad, '--out', place('refused'), '--to', to);
      expect(code).toBe(1);
      for (const part of [
        '4 errors',
        'duplicate-image-id',
        'unknown-image',
        'unknown-category',
        'negative-size',
      ]) {
        expect(err).toContain(part);
      }
    }
    const truncated = place('truncated.json');
    writeFileSync(truncated, readFileSync(good).subarray(0, 900));
    expect((await boxops('convert', truncated, '--out', place('refused'))).err).toContain('[truncated-file]');
    expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('leaves nothing behind when writing fails in the middle', async () => {
    const twins = [...images.slice(0, 5), { id: 99, file_name: '0.jpg', width: 5, height: 5 }];
    writeFileSync(place('twins.json'), JSON.stringify({ images: twins, annotations: [], categories }));
    const { code, err } = await boxops(
      'convert',
      place('twins.json'),
      '--out',
      place('half'),
      '--to',
      'yolo',
    );
    expect(code).toBe(1);
    expect(err).toContain('0.png and 0.jpg would have the same label file');
    expect(readdirSync(folder).filter((name) => name.startsWith('half'))).toEqual([]);
  });

  it('does not write into a folder that holds something', async () => {
    mkdirSync(place('full'));
    writeFileSync(place('full/mine.txt'), 'mine');
    const { code, err } = await boxops('convert', good, '--out', place('full'), '--to', 'voc');
    expect(code).toBe(1);
    expect(err).toContain('is not empty');
    expect(readdirSync(place('full'))).toEqual(['mine.txt']);
  });

  it('never writes over what it reads, by whatever name', async () => {
    const own = place('own.json');
    copyFileSync(good, own);
    const before = readFileSync(own, 'utf8');
    symlinkSync(own, place('other-name.json'));
    mkdirSync(place('alone'));
    symlinkSync(own, place('alone/annotations.json'));
    for (const words of [
      ['convert', own, '--out', own],
      ['convert', own, '--out', place('other-name.json')],
      ['convert', place('alone'), '--out', own],
      ['remap', own, '--map', 'cat=', '--out', own],
      ['merge', good, own, '--out', own],
      ['split', own, '--into', 'all=1', '--out', own],
      ['validate', own, '--json', own],
      ['stats', own, '--json', own],
    ]) {
      const { code, err } = await boxops(...words);
      expect([code, err], words.join(' ')).toEqual([2, expect.stringContaining('would overwrite')]);
    }
    expect(readFileSync(own, 'utf8')).toBe(before);
  });

  it('refuses parts of one name, a folder called .json and a file as VOC', async () => {
    const into = await boxops('split', good, '--into', 'a=0.5,a=0.5', '--out', place('twice'));
    expect([into.code, into.err]).toEqual([2, expect.stringContaining("names 'a' twice")]);
    const yolo = await boxops('convert', good, '--to', 'yolo', '--out', place('yolo.json'));
    expect([yolo.code, yolo.err]).toEqual([2, expect.stringContaining('writes a folder')]);
    const voc = await boxops('validate', good, '--format', 'voc');
    expect([voc.code, voc.err]).toEqual([1, expect.stringContaining('[DATASET]')]);
    expect([existsSync(place('twice')), existsSync(place('yolo.json'))]).toEqual([false, false]);
  });

  it('converts there and back', async () => {
    expect((await boxops('convert', good, '--out', place('yolo'), '--to', 'yolo')).code).toBe(0);
    expect((await boxops('convert', place('yolo'), '--out', place('voc'), '--to', 'voc')).code).toBe(0);
    const back = await boxops('convert', place('voc'), '--out', place('back.json'));
    expect(back.out).toContain(`written: ${place('back.json')} (coco)`);
    const [first, last] = [good, place('back.json')].map((path) => readDataset(path!).dataset);
    expect(last!.annotations.boxes).toEqual(first!.annotations.boxes);
    expect([...last!.annotations.labels]).toEqual([...first!.annotations.labels]);
  });

  it('takes every split along, into a folder', async () => {
    const parts = place('three-parts');
    const into = ['--into', 'train=0.5,val=0.3,test=0.2', '--seed', '1'];
    await boxops('split', good, ...into, '--to', 'yolo', '--out', parts);
    const bounds = 'yolo (train, val, test): 10 images, 9 annotations, 2 categories; 0 errors, 0 warnings';
    expect((await boxops('validate', parts)).out).toBe(bounds);
    expect((await boxops('validate', parts, '--split', 'val')).out).toMatch(/^yolo: 3 images/);
    const made = await boxops('convert', parts, '--to', 'voc', '--out', place('three-voc'));
    expect(made.out).toMatch(/train: 5 images.*\nval: 3 images.*\ntest: 2 images/);
    // without classes.txt each split knows the classes it meets; they are united
    rmSync(place('three-voc/classes.txt'));
    await boxops('convert', place('three-voc'), '--to', 'coco', '--out', place('three-coco'));
    expect(readdirSync(place('three-coco')).sort()).toEqual(['test.json', 'train.json', 'val.json']);
    const names = ['train', 'val', 'test'].map((split) =>
      readDataset(place(`three-coco/${split}.json`)).dataset.categories.map(({ name }) => name),
    );
    expect(names).toEqual([
      ['cat', 'dog'],
      ['cat', 'dog'],
      ['cat', 'dog'],
    ]);
    const single = await boxops('convert', parts, '--out', place('one.json'));
    expect(single.err).toContain('one split is read; --split names another: val, test');
    // errors of every split, those of data.yaml once
    writeFileSync(place('three-parts/labels/val/x.txt'), '');
    const label = readdirSync(place('three-parts/labels/test'))[0]!;
    writeFileSync(place(`three-parts/labels/test/${label}`), '7 0.5 0.5 0.1 0.1\n');
    const { code, out } = await boxops('validate', parts);
    expect(code).toBe(1);
    expect(out).toContain(`labels/test/${label}:1: expected a class below 2, got 7 [unknown-category]`);
    expect(out).toContain('1 errors, 1 warnings');
  });

  it('says what a format cannot hold', async () => {
    const crowd = annotations.map((row, i) => ({ ...row, iscrowd: i === 0 ? 1 : 0 }));
    writeFileSync(place('crowd.json'), JSON.stringify({ images, annotations: crowd, categories }));
    const { err } = await boxops(
      'convert',
      place('crowd.json'),
      '--out',
      place('crowd-yolo'),
      '--to',
      'yolo',
    );
    expect(err).toContain('1 crowd regions left out');
  });

  it('splits by seed, merges, remaps', async () => {
    const into = ['--into', 'a=0.6,b=0.4', '--to', 'coco'];
    const { code, out } = await boxops('split', good, ...into, '--seed', '7', '--out', place('parts'));
    expect(code).toBe(0);
    expect(out).toMatch(/^a: 6 images/);
    await boxops('split', good, ...into, '--seed', '7', '--out', place('again'));
    for (const name of ['a.json', 'b.json']) {
      expect(readFileSync(place(`again/${name}`), 'utf8')).toBe(readFileSync(place(`parts/${name}`), 'utf8'));
    }
    await boxops('merge', place('parts/a.json'), place('parts/b.json'), '--out', place('merged.json'));
    expect(readDataset(place('merged.json')).dataset.annotations.count).toBe(annotations.length);
    await boxops('remap', good, '--map', 'cat=animal,dog=', '--out', place('remapped.json'));
    expect(readDataset(place('remapped.json')).dataset.categories).toEqual([{ id: 1, name: 'animal' }]);
    expect((await boxops('remap', good, '--map', 'horse=x', '--out', place('no.json'))).err).toContain(
      '[OPTION]',
    );
    expect(existsSync(place('no.json'))).toBe(false);
  });
});

describe('stats', () => {
  it('prints tables, writes JSON and draws', async () => {
    const { code, out } = await boxops(
      'stats',
      good,
      '--json',
      place('stats.json'),
      '--plot',
      place('stats.svg'),
    );
    expect(code).toBe(0);
    for (const part of ['cat', 'dog', 'objects an image', 'height / width']) expect(out).toContain(part);
    expect(JSON.parse(readFileSync(place('stats.json'), 'utf8'))).toMatchObject({
      images: 10,
      annotations: 9,
      emptyImages: 4,
    });
    expect(readFileSync(place('stats.svg'), 'utf8')).toMatch(/^<svg [\s\S]*objects a class[\s\S]*<\/svg>\n$/);
    await boxops('stats', good, '--plot', place('stats.png'));
    expect([...readFileSync(place('stats.png')).subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
  });
});

describeWithData('real annotations', () => {
  it.each(['data/pills/valid', 'data/pills/test'])('%s with its photos', async (path) => {
    const { code, out } = await boxops('validate', dataPath(path), '--images', dataPath(path));
    expect(out).toMatch(/0 errors/);
    expect(code).toBe(0);
  });
});
