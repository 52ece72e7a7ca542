/** What is in a dataset, in numbers. */
import type { Dataset } from './types.ts';
import { annotationFlag } from './types.ts';

/** Counts of values between edges: `counts[i]` values v with edges[i] ≤ v < edges[i + 1], the last edge included. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

export interface CategoryStats {
  readonly name: string;
  /** Objects, crowd regions left out. */
  readonly objects: number;
  readonly images: number;
  readonly crowd: number;
  readonly small: number;
  readonly medium: number;
  readonly large: number;
  /** Medians in pixels. */
  readonly medianWidth: number;
  readonly medianHeight: number;
}

export interface DatasetStats {
  readonly images: number;
  readonly emptyImages: number;
  readonly annotations: number;
  readonly crowd: number;
  readonly withOutline: number;
  readonly withKeypoints: number;
  readonly categories: readonly CategoryStats[];
  /** Objects an image. */
  readonly objectsPerImage: Histogram;
  /** Square root of width × height of the boxes, in pixels, doubling bins. */
  readonly boxSize: Histogram;
  /** Height over width of the boxes, bins of half an octave. */
  readonly aspectRatio: Histogram;
  /** Square root of the share of the image a box covers, tenths. */
  readonly relativeSize: Histogram;
}

/** COCO's bounds of small and large, pixels². */
const smallArea = 32 ** 2;
const largeArea = 96 ** 2;

function histogram(edges: readonly number[], values: Iterable<number>): Histogram {
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const value of values) {
    if (!(value >= edges[0]!)) continue;
    let bin = edges.findIndex((edge) => edge > value) - 1;
    if (bin < 0) bin = counts.length - 1;
    counts[bin]!++;
  }
  return { edges, counts };
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}

/** Counts, sizes and shapes of a dataset; boxes without area are counted but left out of the histograms. */
export function datasetStats(dataset: Dataset): DatasetStats {
  const { annotations, categories, images } = dataset;
  const rows = categories.map(() => ({
    images: 0,
    crowd: 0,
    small: 0,
    medium: 0,
    large: 0,
    widths: [] as number[],
    heights: [] as number[],
  }));
  const lastImage = new Int32Array(categories.length).fill(-1);
  const perImage: number[] = [];
  const sizes: number[] = [];
  const ratios: number[] = [];
  const shares: number[] = [];
  let crowd = 0;
  for (let image = 0; image < images.count; image++) {
    let objects = 0;
    const pixels = images.widths[image]! * images.heights[image]!;
    for (let row = annotations.offsets[image]!; row < annotations.offsets[image + 1]!; row++) {
      const label = annotations.labels[row]!;
      const of = rows[label]!;
      if (lastImage[label] !== image) of.images++;
      lastImage[label] = image;
      if ((annotations.flags[row]! & annotationFlag.crowd) !== 0) {
        crowd++;
        of.crowd++;
        continue;
      }
      objects++;
      const width = annotations.boxes[4 * row + 2]! - annotations.boxes[4 * row]!;
      const height = annotations.boxes[4 * row + 3]! - annotations.boxes[4 * row + 1]!;
      of.widths.push(width);
      of.heights.push(height);
      const area = annotations.areas[row]!;
      of[area < smallArea ? 'small' : area < largeArea ? 'medium' : 'large']++;
      if (width > 0 && height > 0) {
        sizes.push(Math.sqrt(width * height));
        ratios.push(height / width);
        if (pixels > 0) shares.push(Math.min(1, Math.sqrt((width * height) / pixels)));
      }
    }
    perImage.push(objects);
  }
  const most = perImage.reduce((largest, value) => Math.max(largest, value), 0);
  const step = Math.max(1, Math.ceil((most + 1) / 16));
  const bins = (count: number, edge: (i: number) => number) =>
    Array.from({ length: count + 1 }, (_, i) => edge(i));
  let withOutline = 0;
  let withKeypoints = 0;
  for (let row = 0; row < annotations.count; row++) {
    const { rings } = annotations.polygons;
    if (annotations.masks.has(row) || rings[row + 1]! > rings[row]!) withOutline++;
    if (annotations.keypoints.offsets[row + 1]! > annotations.keypoints.offsets[row]!) withKeypoints++;
  }
  return {
    images: images.count,
    emptyImages: perImage.filter((count) => count === 0).length,
    annotations: annotations.count,
    crowd,
    withOutline,
    withKeypoints,
    categories: rows.map((row, label) => ({
      name: categories[label]!.name,
      objects: row.widths.length,
      images: row.images,
      crowd: row.crowd,
      small: row.small,
      medium: row.medium,
      large: row.large,
      medianWidth: median(row.widths),
      medianHeight: median(row.heights),
    })),
    objectsPerImage: histogram(
      bins(Math.ceil((most + 1) / step), (i) => i * step),
      perImage,
    ),
    boxSize: histogram(
      bins(11, (i) => (i === 0 ? 0 : 2 ** i)),
      sizes,
    ),
    aspectRatio: histogram(
      bins(12, (i) => 2 ** (i / 2 - 3)),
      ratios.map((ratio) => Math.min(Math.max(ratio, 1 / 8), 8)),
    ),
    relativeSize: histogram(
      bins(10, (i) => i / 10),
      shares,
    ),
  };
}
