/** Random datasets for property tests, and what two datasets must have in common. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { annotationFlag, type Dataset, DatasetBuilder } from '../../src/datasets/index.ts';

const names = ['cat', 'dog & "bird"', 'traffic <light>', "o'clock", 'ünïcode 犬'];

export interface Shape {
  /** Decimals of the coordinates. */
  readonly decimals: number;
  readonly outlines?: boolean;
  readonly crowd?: boolean;
  readonly keypoints?: number;
}

/** Datasets whose boxes lie in their images and have coordinates of so many decimals. */
export function datasets({ decimals, outlines = false, crowd = false, keypoints = 0 }: Shape) {
  const unit = 10 ** decimals;
  const corner = (limit: number) => fc.integer({ min: 0, max: limit * unit }).map((value) => value / unit);
  const annotation = (width: number, height: number) =>
    fc.record({
      label: fc.integer({ min: 0, max: names.length - 1 }),
      xs: fc.tuple(corner(width), corner(width)).filter(([a, b]) => a !== b),
      ys: fc.tuple(corner(height), corner(height)).filter(([a, b]) => a !== b),
      flags: crowd ? fc.constantFrom(0, 1, 2, 4, 6) : fc.constantFrom(0, 0, 2, 4),
      ring: fc.array(fc.tuple(corner(width), corner(height)), { minLength: 3, maxLength: 6 }),
      points: fc.array(fc.tuple(corner(width), corner(height), fc.integer({ min: 0, max: 2 })), {
        minLength: keypoints,
        maxLength: keypoints,
      }),
    });
  const image = fc
    .tuple(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2000 }))
    .chain(([width, height]) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        annotations: fc.array(annotation(width, height), { maxLength: 6 }),
      }),
    );
  return fc.array(image, { minLength: 1, maxLength: 5 }).map((images): Dataset => {
    const builder = new DatasetBuilder();
    for (const [i, { width, height, annotations }] of images.entries()) {
      builder.addImage(10 * i + 3, `${i % 2 === 0 ? '' : 'sub/'}img_${i}.jpg`, width, height);
      const seen = new Set<string>();
      for (const { label, xs, ys, flags, ring, points } of annotations) {
        const [x1, x2] = [Math.min(...xs), Math.max(...xs)];
        const [y1, y2] = [Math.min(...ys), Math.max(...ys)];
        const key = [label, x1, y1, x2, y2].join();
        if (seen.has(key)) continue;
        seen.add(key);
        builder.addAnnotation({
          id: builder.annotationCount + 7,
          image: i,
          label,
          x1,
          y1,
          x2,
          y2,
          area: (x2 - x1) * (y2 - y1),
          flags,
          ...(outlines ? { polygons: [ring.flat()] } : {}),
          ...(keypoints > 0
            ? { keypoints: points.flatMap(([x, y, v]) => (v === 0 ? [0, 0, 0] : [x, y, v])) }
            : {}),
        });
      }
    }
    return builder.finish(
      names.map((name, label) => ({
        id: label * 2,
        name,
        ...(keypoints > 0 ? { keypoints: Array.from({ length: keypoints }, (_, k) => `k${k}`) } : {}),
      })),
    );
  });
}

/** The same images, sizes, classes by name and boxes within `tolerance` pixels, in the same order. */
export function expectSame(actual: Dataset, expected: Dataset, tolerance: number): void {
  expect(actual.images.fileNames).toEqual(expected.images.fileNames);
  expect([...actual.images.widths]).toEqual([...expected.images.widths]);
  expect([...actual.images.heights]).toEqual([...expected.images.heights]);
  expect([...actual.annotations.offsets]).toEqual([...expected.annotations.offsets]);
  const namesOf = ({ annotations, categories }: Dataset) =>
    [...annotations.labels].map((label) => categories[label]!.name);
  expect(namesOf(actual)).toEqual(namesOf(expected));
  expect(worst(actual.annotations.boxes, expected.annotations.boxes)).toBeLessThanOrEqual(tolerance);
}

/** Largest difference of two columns. */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

/** Flags without crowd, which only COCO holds. */
export const withoutCrowd = (dataset: Dataset): number[] =>
  [...dataset.annotations.flags].map((flags) => flags & ~annotationFlag.crowd);
