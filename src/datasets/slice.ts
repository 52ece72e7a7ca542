/** Consecutive images of a dataset with their annotations: the piece of work targets are made from. */
import type { Size } from '../boxes/types.ts';
import type { Dataset } from './types.ts';

/** Images `first …` of a dataset, in columns of their own. */
export interface DatasetSlice {
  /** Place of the first image in the dataset. */
  readonly first: number;
  readonly imageIds: Float64Array<ArrayBuffer>;
  readonly fileNames: readonly string[];
  readonly widths: Int32Array<ArrayBuffer>;
  readonly heights: Int32Array<ArrayBuffer>;
  /** Images + 1. */
  readonly offsets: Int32Array<ArrayBuffer>;
  readonly ids: Float64Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  /** 4·N xyxy. */
  readonly boxes: Float64Array<ArrayBuffer>;
  readonly flags: Uint8Array<ArrayBuffer>;
}

/** A dataset that gives slices of so many images, the last one fewer. */
export interface SlicedDataset {
  readonly images: number;
  readonly annotations: number;
  readonly imagesPerSlice: number;
  /** Names by label. */
  readonly categories: readonly string[];
  sizeOf(image: number): Size;
  slice(index: number): DatasetSlice;
}

/** Slices of a dataset in memory. */
export function slicedDataset(dataset: Dataset, imagesPerSlice: number): SlicedDataset {
  const { images, annotations, categories } = dataset;
  return {
    images: images.count,
    annotations: annotations.count,
    imagesPerSlice,
    categories: categories.map(({ name }) => name),
    sizeOf: (image) => ({ width: images.widths[image]!, height: images.heights[image]! }),
    slice(index) {
      const first = index * imagesPerSlice;
      const end = Math.min(first + imagesPerSlice, images.count);
      const [from, to] = [annotations.offsets[first]!, annotations.offsets[end]!];
      return {
        first,
        imageIds: images.ids.slice(first, end),
        fileNames: images.fileNames.slice(first, end),
        widths: images.widths.slice(first, end),
        heights: images.heights.slice(first, end),
        offsets: annotations.offsets.slice(first, end + 1).map((offset) => offset - from),
        ids: annotations.ids.slice(from, to),
        labels: annotations.labels.slice(from, to),
        boxes: annotations.boxes.slice(4 * from, 4 * to),
        flags: annotations.flags.slice(from, to),
      };
    },
  };
}
