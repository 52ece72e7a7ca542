/** Reading single rows out of the columns, for writers and pictures. */
import { rleFromPolygons } from '../masks/polygon.ts';
import type { Rle } from '../masks/types.ts';
import type { AnnotationColumns, Dataset } from './types.ts';

/** The rings of one annotation, x, y, x, y, … each; views of the column. */
export function ringsOf(annotations: AnnotationColumns, row: number): Float64Array<ArrayBuffer>[] {
  const { rings, offsets, values } = annotations.polygons;
  const out: Float64Array<ArrayBuffer>[] = [];
  for (let ring = rings[row]!; ring < rings[row + 1]!; ring++) {
    out.push(values.subarray(offsets[ring]!, offsets[ring + 1]!));
  }
  return out;
}

/** The keypoints of one annotation, x, y, visibility each; a view of the column. */
export function keypointsOf(annotations: AnnotationColumns, row: number): Float64Array<ArrayBuffer> {
  const { offsets, values } = annotations.keypoints;
  return values.subarray(offsets[row]!, offsets[row + 1]!);
}

/** The mask of one annotation in its image, from runs or polygons; null where it has neither. */
export function maskOf(dataset: Dataset, image: number, row: number): Rle | null {
  const { annotations, images } = dataset;
  const mask = annotations.masks.get(row);
  if (mask !== undefined) return mask;
  const rings = ringsOf(annotations, row);
  if (rings.length === 0) return null;
  return rleFromPolygons(rings, [images.heights[image]!, images.widths[image]!]);
}

/** Labelled keypoints (visibility > 0) in x, y, v, … */
export function labelledKeypoints(keypoints: ArrayLike<number>): number {
  let labelled = 0;
  for (let i = 2; i < keypoints.length; i += 3) if (keypoints[i]! > 0) labelled++;
  return labelled;
}
