/** One image of a slice: what targets are made from. */
import type { DatasetSlice } from '../datasets/slice.ts';

/** One image with its annotations, in pixels of the image. */
export interface AnnotatedImage {
  readonly id: number;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
  /** Its place in the dataset; seeds the sampler, so it must not depend on how the work is split. */
  readonly index: number;
  /** One entry an annotation. */
  readonly ids: Float64Array;
  readonly labels: Int32Array;
  /** 4·N xyxy. */
  readonly boxes: Float64Array;
  readonly flags: Uint8Array;
}

/** Image `i` of a slice; its columns are views. */
export function imageOf(slice: DatasetSlice, i: number): AnnotatedImage {
  const [from, to] = [slice.offsets[i]!, slice.offsets[i + 1]!];
  return {
    id: slice.imageIds[i]!,
    fileName: slice.fileNames[i]!,
    width: slice.widths[i]!,
    height: slice.heights[i]!,
    index: slice.first + i,
    ids: slice.ids.subarray(from, to),
    labels: slice.labels.subarray(from, to),
    boxes: slice.boxes.subarray(4 * from, 4 * to),
    flags: slice.flags.subarray(from, to),
  };
}
