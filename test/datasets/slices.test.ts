/** Datasets in slices through a temporary file: the same as in memory, and flat in the size of the file. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ProblemReport, selectImages, slicedDataset, writeCoco } from '../../src/datasets/index.ts';
import { openSlices, readDataset, writeDataset, writeFileWhole } from '../../src/datasets/node/index.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { datasets } from './arbitrary.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-slices-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spills = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`boxops-spill-${process.pid}-`));

function expectSameSlices(path: string, perSlice: number): void {
  const { dataset: whole } = readDataset(path);
  const opened = openSlices(path, perSlice);
  const expected = slicedDataset(whole, perSlice);
  expect(opened.dataset.images).toBe(expected.images);
  expect(opened.dataset.annotations).toBe(expected.annotations);
  expect(opened.dataset.categories).toEqual(expected.categories);
  for (let index = 0; index * perSlice < expected.images; index++) {
    expect(opened.dataset.slice(index)).toEqual(expected.slice(index));
  }
  opened.dispose();
}

describe('slices of a COCO file', () => {
  it('are those of the dataset in memory', () => {
    const path = join(folder, 'random.json');
    fc.assert(
      fc.property(
        datasets({ decimals: 2, crowd: true, outlines: true }),
        fc.integer({ min: 1, max: 7 }),
        (dataset, perSlice) => {
          // annotations in another order than the images
          const order = Int32Array.from(
            { length: dataset.images.count },
            (_, i) => dataset.images.count - 1 - i,
          );
          const text = [...writeCoco(dataset)].join('').split('"annotations":[\n');
          const reversed = [...writeCoco(selectImages(dataset, order))].join('').split('"annotations":[\n');
          writeFileSync(path, [text[0], reversed[1] ?? ''].join('"annotations":[\n'));
          if (dataset.annotations.count > 0) expectSameSlices(path, perSlice);
        },
      ),
      { numRuns: 20 },
    );
    expect(spills()).toEqual([]);
  });

  it('list the same problems, and leave nothing on disk', () => {
    const path = join(folder, 'broken.json');
    writeFileSync(
      path,
      '{"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,1]},\n{"id":2,"image_id":1,"category_id":9,"bbox":[0,0,1,1]},{"id":2,"image_id":1,"category_id":1,"bbox":[0,0,1,1]},{"id":2,"image_id":1,"category_id":1,"bbox":[0,0,1,2]}],"categories":[{"id":1,"name":"a"}],"images":[{"id":1,"file_name":"a","width":9,"height":9},',
    );
    const found = (read: (report: ProblemReport) => unknown) => {
      const report = new ProblemReport();
      try {
        read(report);
      } catch {
        // errors throw
      }
      return report.problems.map(({ code, place }) => `${code} ${place.path}`).sort();
    };
    const whole = found((report) => readDataset(path, { report }));
    expect(whole).toHaveLength(5);
    expect(found((report) => openSlices(path, 4, { report }))).toEqual(whole);
    expect(() => openSlices(path, 4)).toThrow('truncated-file');
    expect(spills()).toEqual([]);
  });

  it('of other formats are those of the columns', () => {
    const [dataset] = fc.sample(datasets({ decimals: 0 }), { numRuns: 1, seed: 9 });
    for (const format of ['yolo', 'voc'] as const) {
      writeDataset(join(folder, format), { train: dataset! }, { format });
      expectSameSlices(join(folder, format), 2);
    }
  });

  it('need memory for the images and ids only, not for the annotations', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // buffers are freed a moment after they are collected
    const used = async (): Promise<number> => {
      for (let round = 0; round < 4; round++) {
        collect();
        await wait(20);
      }
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const boxes = 20;
    function* file(images: number): Generator<string> {
      yield '{"categories":[{"id":1,"name":"a"}],"annotations":[';
      for (let i = 0; i < images * boxes; i++) {
        // round the images again and again, with an outline that is passed over
        const image = (i * 7) % images;
        yield `${i === 0 ? '' : ','}{"id":${i},"image_id":${image},"category_id":1,"bbox":[${i % 300},${i % 200},20.5,30.25],"area":620.1,"iscrowd":0,"segmentation":[[1.5,2.5,30.25,4.75,50.5,60.125,7.5,8.25]]}`;
      }
      yield '],"images":[';
      for (let i = 0; i < images; i++) {
        yield `${i === 0 ? '' : ','}{"id":${i},"file_name":"folder/image_${i}.jpg","width":640,"height":480}`;
      }
      yield ']}';
    }
    const held = async (images: number): Promise<number> => {
      const path = join(folder, `${images}.json`);
      writeFileWhole(path, file(images));
      const before = await used();
      const opened = openSlices(path, 64);
      opened.dataset.slice(0);
      const bytes = (await used()) - before;
      expect(opened.dataset.annotations).toBe(images * boxes);
      opened.dispose();
      return bytes;
    };
    await held(100);
    const few = await held(500);
    const many = await held(2500);
    const perImage = (many - few) / 2000;
    const fileBytes = statSync(join(folder, '2500.json')).size / 2500;
    // sizes and ids of the image, and the ids of its 20 annotations: far below their numbers (1 kB) and their text
    expect(fileBytes).toBeGreaterThan(3000);
    expect(perImage).toBeLessThan(400);
    expect(existsSync(join(folder, '2500.json'))).toBe(true);
  });
});

describeWithData('slices of real annotations', () => {
  it.each(['data/coco-eval-100/instances_val2014_100.json', 'data/pills/train/_annotations.coco.json'])(
    '%s',
    (path) => expectSameSlices(dataPath(path), 16),
  );
});
