/** COCO ↔ YOLO ↔ VOC on disk and back: exact where the format is exact, else to the stated precision. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Dataset,
  DatasetBuilder,
  ProblemReport,
  ringsOf,
  selectImages,
} from '../../src/datasets/index.ts';
import {
  type ReadDatasetOptions,
  readDataset,
  type WriteDatasetOptions,
  writeDataset,
} from '../../src/datasets/node/index.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { datasets, expectSame, worst } from './arbitrary.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-datasets-'));
afterAll(() => rmSync(folder, { recursive: true }));
let serial = 0;
const place = (): string => join(folder, `set-${serial++}`);

function through(dataset: Dataset, write: WriteDatasetOptions, read: ReadDatasetOptions = {}): Dataset {
  const out = place();
  writeDataset(out, { train: dataset }, write);
  const report = new ProblemReport();
  const back = readDataset(out, { ...read, report }).dataset;
  expect(report.errors).toBe(0);
  rmSync(out, { recursive: true });
  return back;
}

const runs = { numRuns: 15 };

describe('round trips', () => {
  it('COCO gives every column back bit by bit', () => {
    fc.assert(
      fc.property(datasets({ decimals: 3, outlines: true, crowd: true, keypoints: 3 }), (dataset) => {
        const first = through(dataset, { format: 'coco' });
        expect(first.annotations).toEqual({ ...dataset.annotations, boxes: first.annotations.boxes });
        expect(first.categories).toEqual(dataset.categories);
        expect(first.images).toEqual(dataset.images);
        expect(through(first, { format: 'coco' })).toEqual(first);
      }),
      runs,
    );
  });

  it('COCO boxes of any float64 coordinates come back within a unit in the last place, and then exactly', () => {
    const side = fc.double({ min: 0, max: 4000, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(side, side, side, side), ([a, b, c, d]) => {
        const [base] = fc.sample(datasets({ decimals: 0 }), { numRuns: 1, seed: 1 });
        const dataset = structuredClone(base!);
        dataset.images.widths.fill(4000);
        dataset.images.heights.fill(4000);
        const { boxes } = dataset.annotations;
        for (let i = 0; i < boxes.length; i += 4) {
          boxes.set([Math.min(a, b), Math.min(c, d), Math.max(a, b), Math.max(c, d)], i);
        }
        const first = through(dataset, { format: 'coco' });
        expect(worst(first.annotations.boxes, boxes)).toBeLessThanOrEqual(2 ** -41);
        expect(through(first, { format: 'coco' })).toEqual(first);
      }),
      runs,
    );
  });

  it('YOLO boxes come back within 1.5 units of the last decimal times the side', () => {
    fc.assert(
      // boxes differ by 0.01 at least, so no two of them become the same line
      fc.property(datasets({ decimals: 2 }), fc.integer({ min: 6, max: 10 }), (dataset, decimals) => {
        const back = through(dataset, { format: 'yolo', decimals });
        expectSame(back, dataset, 1.5 * 10 ** -decimals * 2000);
      }),
      runs,
    );
  });

  it('YOLO label files come back as the same text', () => {
    fc.assert(
      fc.property(
        datasets({ decimals: 2, outlines: true, keypoints: 2 }),
        fc.constantFrom('detect', 'segment', 'pose'),
        (dataset, task) => {
          const text = (from: string) =>
            readdirSync(from, { recursive: true, encoding: 'utf8' })
              .filter((name) => name.endsWith('.txt'))
              .sort()
              .map((name) => readFileSync(join(from, name), 'utf8'));
          const [first, second] = [place(), place()];
          writeDataset(first, { train: dataset }, { format: 'yolo', task });
          writeDataset(second, { train: readDataset(first).dataset }, { format: 'yolo', task });
          expect(text(second)).toEqual(text(first));
        },
      ),
      runs,
    );
  });

  it('YOLO keeps outlines and keypoints', () => {
    fc.assert(
      fc.property(datasets({ decimals: 2, outlines: true, keypoints: 4 }), (dataset) => {
        const segments = through(dataset, { format: 'yolo', task: 'segment' });
        const { polygons, keypoints } = dataset.annotations;
        // a line twice in a file is one object
        if (segments.annotations.count === dataset.annotations.count) {
          expect(worst(segments.annotations.polygons.values, polygons.values)).toBeLessThan(1e-4);
          expect(segments.annotations.polygons.rings).toEqual(polygons.rings);
        }
        const poses = through(dataset, { format: 'yolo', task: 'pose' });
        if (poses.annotations.count === dataset.annotations.count) {
          expect(worst(poses.annotations.keypoints.values, keypoints.values)).toBeLessThan(1e-4);
        }
      }),
      runs,
    );
  });

  it('VOC gives whole pixels back exactly, and others to half a unit of its last decimal', () => {
    fc.assert(
      fc.property(
        datasets({ decimals: 2 }),
        fc.constantFrom('inclusive', 'shifted', 'zero'),
        fc.integer({ min: 0, max: 4 }),
        (dataset, origin, decimals) => {
          const back = through(dataset, { format: 'voc', origin, decimals }, { origin, tolerance: 2 });
          // rounding may make a box one without area; VOC cannot say less than a pixel
          expectSame(back, dataset, 0.5 * 10 ** -decimals + 1e-9);
          expect([...back.annotations.flags]).toEqual([...dataset.annotations.flags]);
        },
      ),
      runs,
    );
    fc.assert(
      fc.property(datasets({ decimals: 0 }), (dataset) => {
        expectSame(through(dataset, { format: 'voc' }), dataset, 0);
      }),
      runs,
    );
  });

  it('VOC keeps the order of edges that round to one decimal', () => {
    // 1.35 rounds to 1.4 and 0.35 to 0.3; 1.1 − 1 is more than 0.1
    for (const [x1, x2] of [
      [0.35, 0.35],
      [0.05, 0.06],
    ] as const) {
      const builder = new DatasetBuilder();
      const row = { id: 1, image: builder.addImage(1, 'a.jpg', 9, 9), label: 0, y1: 0, y2: 5, area: 0 };
      builder.addAnnotation({ ...row, x1, x2 });
      const dataset = builder.finish([{ id: 0, name: 'a' }]);
      const { boxes } = through(dataset, { format: 'voc', decimals: 1 }).annotations;
      expect(boxes[0]).toBe(boxes[2]);
    }
  });

  it('VOC keeps the spaces around class names, as etree and mmdetection read them', () => {
    const names = [' cat', 'cat', 'dog  ', '\tunused '];
    const builder = new DatasetBuilder();
    const image = builder.addImage(1, 'a.jpg', 9, 9);
    for (const [label] of names.slice(0, 3).entries()) {
      builder.addAnnotation({ id: label + 1, image, label, x1: label, y1: 1, x2: 5, y2: 5, area: 0 });
    }
    const dataset = builder.finish(names.map((name, id) => ({ id, name })));
    const back = through(dataset, { format: 'voc' });
    expect(back.categories.map(({ name }) => name)).toEqual(names);
    expect([...back.annotations.labels]).toEqual([0, 1, 2]);
  });

  it.each([
    // objects of the devkit's form, then padded by hand and by a pretty printer
    [undefined, ['cat', 'dog'], [0, 0, 0, 1]],
    ['dog\r\ncat \r\n\r\n', ['dog', 'cat '], [1, 1, 1, 0]],
    [' cat\ncat\ndog', [' cat', 'cat', 'dog'], [1, 0, 1, 2]],
  ])('VOC names with spaces around them, classes.txt %j', (list, classes, labels) => {
    const out = place();
    const builder = new DatasetBuilder();
    const image = builder.addImage(1, 'a.jpg', 9, 9);
    for (let i = 0; i < 4; i++) {
      builder.addAnnotation({ id: i + 1, image, label: i, x1: 1, y1: 1, x2: 5, y2: 5, area: 0 });
    }
    const names = ['cat', ' cat', '\n\t\tcat\n\t', 'dog'];
    writeDataset(out, { train: builder.finish(names.map((name, id) => ({ id, name }))) }, { format: 'voc' });
    rmSync(join(out, 'classes.txt'));
    if (list !== undefined) writeFileSync(join(out, 'classes.txt'), list);
    const report = new ProblemReport();
    const { dataset } = readDataset(out, { report });
    expect(report.errors).toBe(0);
    expect(dataset.categories.map(({ name }) => name)).toEqual(classes);
    expect([...dataset.annotations.labels]).toEqual(labels);
  });

  it('goes round COCO → YOLO → VOC → COCO', () => {
    fc.assert(
      fc.property(datasets({ decimals: 0 }), (dataset) => {
        const yolo = through(dataset, { format: 'yolo' });
        const voc = through(yolo, { format: 'voc' });
        expectSame(through(voc, { format: 'coco' }), dataset, 0);
      }),
      runs,
    );
  });

  it('writes corners of oriented boxes', () => {
    const [dataset] = fc.sample(datasets({ decimals: 0, outlines: true }), { numRuns: 1, seed: 4 });
    const corners = Float64Array.of(0.5, 0, 1, 0.5, 0.5, 1, 0, 0.5);
    const count = dataset!.annotations.count;
    const obb: Dataset = {
      ...dataset!,
      annotations: {
        ...dataset!.annotations,
        polygons: {
          values: Float64Array.from({ length: 8 * count }, (_, i) => corners[i % 8]! + Math.floor(i / 8)),
          offsets: Int32Array.from({ length: count + 1 }, (_, i) => 8 * i),
          rings: Int32Array.from({ length: count + 1 }, (_, i) => i),
        },
      },
    };
    const back = through(obb, { format: 'yolo', task: 'obb' }, { task: 'obb', tolerance: 1e4 });
    for (let row = 0; row < count; row++) {
      expect(worst(ringsOf(back.annotations, row)[0]!, ringsOf(obb.annotations, row)[0]!)).toBeLessThan(1e-4);
    }
  });
});

describeWithData('round trips of real annotations', () => {
  it.each([
    ['data/pills/train/_annotations.coco.json', 0],
    ['data/coco-eval-100/instances_val2014_100.json', 0.5],
    ['data/coco32/instances.json', 0.5],
  ])('%s', (path, vocTolerance) => {
    const { dataset, report } = readDataset(dataPath(path));
    expect(report.errors).toBe(0);
    expect(withoutMinusZero(through(dataset, { format: 'coco' }))).toEqual(withoutMinusZero(dataset));
    const crowd = dataset.annotations.flags.some((flags) => (flags & 1) !== 0);
    if (crowd) return;
    expectSame(through(dataset, { format: 'yolo' }), dataset, 1e-4);
    expectSame(through(dataset, { format: 'voc' }), dataset, vocTolerance);
  });

  it('reads the photos of pills/valid and finds them as large as the annotations say', () => {
    const images = dataPath('data/pills/valid');
    const { dataset } = readDataset(images, { images });
    expect(dataset.images.count).toBe(readdirSync(images).filter((name) => name.endsWith('.jpg')).length);
    const out = place();
    writeDataset(out, { val: dataset }, { format: 'yolo', images });
    rmSync(join(out, 'image-sizes.json'));
    expectSame(readDataset(out, { split: 'val' }).dataset, sorted(dataset), 1e-4);
  });
});

/** Images by file name, as a folder lists them. */
function sorted(dataset: Dataset): Dataset {
  const { fileNames } = dataset.images;
  const order = fileNames.map((_, i) => i).sort((a, b) => (fileNames[a]! < fileNames[b]! ? -1 : 1));
  return selectImages(dataset, order);
}

/** JSON writes −0 as 0. */
function withoutMinusZero(dataset: Dataset): Dataset {
  const { annotations } = dataset;
  const { polygons } = annotations;
  return {
    ...dataset,
    annotations: {
      ...annotations,
      boxes: annotations.boxes.map((value) => value + 0),
      polygons: { ...polygons, values: polygons.values.map((value) => value + 0) },
    },
  };
}
