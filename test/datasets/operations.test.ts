/** Split, merge, remap, choose, count. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Dataset,
  datasetStats,
  mergeDatasets,
  remapCategories,
  selectImages,
  splitDataset,
} from '../../src/datasets/index.ts';
import { datasets } from './arbitrary.ts';

const shape = { decimals: 1, outlines: true, crowd: true };
const rows = ({ images, annotations, categories }: Dataset): string[] =>
  images.fileNames.flatMap((name, i) =>
    Array.from({ length: annotations.offsets[i + 1]! - annotations.offsets[i]! }, (_, k) => {
      const row = annotations.offsets[i]! + k;
      const box = annotations.boxes.slice(4 * row, 4 * row + 4);
      return `${name} ${categories[annotations.labels[row]!]!.name} ${box.join()} ${annotations.flags[row]}`;
    }),
  );

describe('operations', () => {
  it('split covers every image once, by seed', () => {
    fc.assert(
      fc.property(datasets(shape), fc.integer({ min: 0, max: 1000 }), (dataset, seed) => {
        const parts = splitDataset(dataset, [0.5, 0.3, 0.2], { seed });
        expect(parts.flatMap(rows).sort()).toEqual(rows(dataset).sort());
        expect(parts.flatMap(({ images }) => images.fileNames).sort()).toEqual(
          [...dataset.images.fileNames].sort(),
        );
        expect(splitDataset(dataset, [0.5, 0.3, 0.2], { seed })).toEqual(parts);
      }),
      { numRuns: 30 },
    );
    const [dataset] = fc.sample(datasets(shape), { numRuns: 1, seed: 3 });
    expect(() => splitDataset(dataset!, [0.5, 0.4])).toThrow('add up to 1');
  });

  it('split depends on the seed', () => {
    const [base] = fc.sample(datasets(shape), { numRuns: 1, seed: 3 });
    const many = selectImages(base!, new Int32Array(200));
    const numbered: Dataset = {
      ...many,
      images: { ...many.images, ids: many.images.ids.map((_, i) => i) },
    };
    const ids = (seed: number) => [...splitDataset(numbered, [0.8, 0.2], { seed })[1]!.images.ids];
    expect(ids(1)).toHaveLength(40);
    expect(ids(1)).not.toEqual(ids(2));
  });

  it('merge puts a split together again', () => {
    fc.assert(
      fc.property(datasets(shape), (dataset) => {
        const merged = mergeDatasets(splitDataset(dataset, [0.4, 0.6]));
        expect(rows(merged).sort()).toEqual(rows(dataset).sort());
        expect(new Set(merged.annotations.ids).size).toBe(merged.annotations.count);
      }),
      { numRuns: 30 },
    );
  });

  it('merge unites classes by name and gives ids of its own where they meet', () => {
    const [a] = fc.sample(datasets(shape), { numRuns: 1, seed: 5 });
    const renamed = remapCategories(a!, { cat: 'lion' });
    const b: Dataset = {
      ...renamed,
      images: { ...renamed.images, fileNames: renamed.images.fileNames.map((name) => `b/${name}`) },
    };
    const merged = mergeDatasets([a!, b]);
    expect(merged.categories.map(({ name }) => name)).toEqual([
      ...a!.categories.map(({ name }) => name),
      'lion',
    ]);
    expect(new Set(merged.categories.map(({ id }) => id)).size).toBe(merged.categories.length);
    expect(new Set(merged.images.ids).size).toBe(merged.images.count);
    expect(rows(merged).sort()).toEqual([...rows(a!), ...rows(b)].sort());
    expect(() => mergeDatasets([a!, a!])).toThrow('in two of the datasets');
  });

  it('remap renames, unites and drops', () => {
    fc.assert(
      fc.property(datasets(shape), (dataset) => {
        const remapped = remapCategories(dataset, {
          cat: 'animal',
          'dog & "bird"': 'animal',
          "o'clock": null,
        });
        const expected = rows(dataset)
          .filter((row) => !row.includes("o'clock"))
          .map((row) => row.replace(/ cat | dog & "bird" /, ' animal '));
        expect(rows(remapped)).toEqual(expected);
        expect(remapped.images).toBe(dataset.images);
      }),
      { numRuns: 30 },
    );
    const [dataset] = fc.sample(datasets(shape), { numRuns: 1, seed: 3 });
    expect(() => remapCategories(dataset!, { horse: 'x' })).toThrow("no category is called 'horse'");
  });

  it('statistics add up', () => {
    fc.assert(
      fc.property(datasets(shape), (dataset) => {
        const stats = datasetStats(dataset);
        const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
        const objects = sum(stats.categories.map((row) => row.objects));
        expect(objects + stats.crowd).toBe(stats.annotations);
        expect(sum(stats.objectsPerImage.counts)).toBe(stats.images);
        expect(sum(stats.boxSize.counts)).toBe(objects);
        expect(sum(stats.aspectRatio.counts)).toBe(objects);
        expect(sum(stats.relativeSize.counts)).toBe(objects);
        expect(sum(stats.categories.map(({ small, medium, large }) => small + medium + large))).toBe(objects);
      }),
      { numRuns: 30 },
    );
  });
});
