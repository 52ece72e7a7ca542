/** Files as other tools leave them: their folders, marks, encodings and gaps. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CocoParser, decodeXml, ProblemReport, parseYoloYaml } from '../../src/datasets/index.ts';
import { datasetSplits, readDataset } from '../../src/datasets/node/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-odd-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(path: string, content: string | Uint8Array): string {
  const place = join(folder, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
  return place;
}

/** The head of a PNG of this size, which is all that is read of an image. */
function png(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(33);
  bytes.set([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82]);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return bytes;
}

describe('YOLO', () => {
  it('finds the folders of a Roboflow export, whose paths lead out of it', () => {
    const yaml = 'train: ../train/images\r\nval: ../valid/images\r\n\r\nnc: 2\r\nnames: ["cat", "dög"]\r\n';
    const path = file('roboflow/data.yaml', yaml);
    for (const split of ['train', 'valid']) {
      file(`roboflow/${split}/images/une photo é.png`, png(64, 48));
      // a byte order mark, Windows line ends, spaces, a blank line
      const labels = '\uFEFF0 0.5 0.5 0.25 0.25 \r\n\r\n1 0.5 0.5 0.5 0.5\t\r\n';
      file(`roboflow/${split}/labels/une photo é.txt`, labels);
    }
    expect(datasetSplits(path)).toEqual(['train', 'val']);
    for (const split of ['train', 'val']) {
      const { dataset, report } = readDataset(path, { split });
      expect(report.problems).toEqual([]);
      expect(dataset.images.fileNames).toEqual(['une photo é.png']);
      expect([...dataset.annotations.boxes]).toEqual([24, 18, 40, 30, 16, 12, 48, 36]);
      expect([...dataset.annotations.labels]).toEqual([0, 1]);
    }
  });

  it('numbers classes that have no names, and takes validation for val', () => {
    const { categories, splits } = parseYoloYaml('train: a\nvalidation: b\nnc: 2\n');
    expect(categories.map(({ name }) => name)).toEqual(['class_0', 'class_1']);
    expect(splits).toEqual({ train: ['a'], val: ['b'] });
    const report = new ProblemReport();
    parseYoloYaml('train: a\n', 'data.yaml', report);
    expect(report.problems.map(({ code }) => code)).toEqual(['missing-key']);
  });
});

describe('Pascal VOC', () => {
  const xml = (name: string, declaration = '') =>
    `${declaration}<annotation verified="yes"><!-- by hand --><filename>a.jpg</filename><size><width>64</width><height>48</height></size><object id="1"><name>${name}</name><bndbox><ymax> 1.2e1 </ymax><xmin>1.5</xmin><ymin>2</ymin><xmax>11.25</xmax></bndbox><part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part></object></annotation>`;
  const latin = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const wide = (text: string, little: boolean): Uint8Array => {
    const bytes = new Uint8Array(2 * text.length);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), little);
    return bytes;
  };

  it.each([
    ['UTF-8', new TextEncoder().encode(xml('été'))],
    ['UTF-8 with a mark', new TextEncoder().encode(`\uFEFF${xml('été', '<?xml version="1.0"?>\r\n')}`)],
    ['Latin 1', latin(xml('été', '<?xml version="1.0" encoding="ISO-8859-1"?>'))],
    ['UTF-16, little end first', wide(`\uFEFF${xml('été')}`, true)],
    ['UTF-16, big end first', wide(`\uFEFF${xml('été', "<?xml version='1.0' encoding='utf-16'?>")}`, false)],
    [
      'UTF-8 that says UTF-16',
      new TextEncoder().encode(xml('été', "<?xml version='1.0' encoding='utf-16'?>")),
    ],
    [
      'an encoding nobody knows',
      new TextEncoder().encode(xml('été', '<?xml version="1.0" encoding="klingon"?>')),
    ],
  ])('%s', (name, bytes) => {
    expect(decodeXml(bytes)).toContain('<name>été</name>');
    const place = join('voc', name);
    file(join(place, 'a.xml'), bytes);
    const { dataset } = readDataset(join(folder, place));
    expect(dataset.categories).toEqual([{ id: 0, name: 'été' }]);
    expect([...dataset.annotations.boxes]).toEqual([0.5, 1, 11.25, 12]);
  });
});

it('a class that classes.txt names twice is reported, and labels stay those of the first', () => {
  const object =
    '<object><name>b</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object>';
  const size = '<size><width>9</width><height>9</height></size>';
  file('twice/a.xml', `<annotation><filename>a.jpg</filename>${size}${object}</annotation>`);
  file('twice/classes.txt', 'a\nb\nb\n');
  const report = new ProblemReport();
  const { dataset } = readDataset(join(folder, 'twice'), { report });
  expect(report.problems.map(({ code }) => code)).toEqual(['duplicate-category-name']);
  expect(dataset.categories.map(({ name }) => name)).toEqual(['a', 'b']);
  expect([...dataset.annotations.labels]).toEqual([1]);
});

describe('COCO', () => {
  const read = (annotation: object) => {
    const parser = new CocoParser();
    const text = {
      images: [{ id: 1.0, file_name: 'a.jpg', width: 64.0, height: 48 }],
      categories: [{ id: 1, name: '猫' }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 10, 10], ...annotation }],
    };
    parser.push(new TextEncoder().encode(JSON.stringify(text)));
    return { dataset: parser.finish(), report: parser.report };
  };
  it('a mask without its size or its runs is said to be one', () => {
    for (const segmentation of [{ counts: [1] }, { size: [48, 64] }, { size: [48, 64], counts: null }]) {
      const { report } = read({ segmentation });
      expect(report.problems.map(({ code, message }) => [code, message])).toEqual([
        ['bad-segmentation', 'expected size [height, width] and counts'],
      ]);
    }
  });
  it('an empty outline is none; empty rings are left out', () => {
    for (const segmentation of [[], [[]], null, undefined]) {
      const { dataset, report } = read({ segmentation });
      expect(report.problems).toEqual([]);
      expect([...dataset.annotations.polygons.rings]).toEqual([0, 0]);
    }
    const { dataset } = read({ segmentation: [[], [1, 1, 11, 1, 11, 11]] });
    expect([...dataset.annotations.polygons.rings]).toEqual([0, 1]);
  });
});
