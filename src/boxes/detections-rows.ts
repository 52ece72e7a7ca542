/** One detection of the columns: its mask, and plain rows for JSON and for COCO results files. */
import { OptionError } from '../errors.ts';
import { rleToCoco } from '../masks/rle-string.ts';
import type { CocoRle, Rle } from '../masks/types.ts';
import type { Detections } from './detections.ts';
import { placeLength } from './detections-layout.ts';

/** One detection as an object. */
export interface DetectionRow {
  /** x1, y1, x2, y2 in pixels of the image. */
  readonly box: [x1: number, y1: number, x2: number, y2: number];
  readonly score: number;
  readonly classId: number;
  readonly className: string;
  /** Radians, clockwise on the screen. */
  readonly angle?: number;
  readonly trackId?: number;
  /** x, y, visibility of each keypoint. */
  readonly keypoints?: [x: number, y: number, visibility: number][];
  /** Column-major run lengths. */
  readonly mask?: { readonly size: [height: number, width: number]; readonly counts: number[] };
}

/** One row of a COCO results file. */
export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  /** x, y, width, height in pixels. */
  readonly bbox: [x: number, y: number, width: number, height: number];
  readonly score: number;
  readonly segmentation?: CocoRle;
  /** x, y, visibility of each keypoint in one list. */
  readonly keypoints?: number[];
}

/** See `Detections.maskAt`. */
export function maskRow(detections: Detections, index: number): Rle | undefined {
  const { maskSize, maskLogits, maskDecoder, maskOffsets, maskRuns } = detections;
  if (maskSize && maskLogits) {
    const { places, offsets, values } = maskLogits;
    if (!maskDecoder) {
      throw new OptionError("masks are logits here: pass decodeMaskLogits of 'boxops/heads' as maskDecoder");
    }
    const place = places.subarray(placeLength * index, placeLength * (index + 1));
    return maskDecoder(place, values.subarray(offsets[index], offsets[index + 1]), maskSize);
  }
  if (!maskSize || !maskOffsets || !maskRuns) return undefined;
  const { height, width } = maskSize;
  return { size: [height, width], counts: maskRuns.subarray(maskOffsets[index], maskOffsets[index + 1]) };
}

export function detectionRow(detections: Detections, index: number): DetectionRow {
  const { boxes, angles, trackIds, keypoints, keypointCount } = detections;
  const mask = detections.maskAt(index);
  const points: [number, number, number][] = [];
  if (keypoints) {
    for (let k = 0; k < keypointCount; k++) {
      const at = 3 * (index * keypointCount + k);
      points.push([keypoints[at], keypoints[at + 1], keypoints[at + 2]]);
    }
  }
  return {
    box: [boxes[4 * index], boxes[4 * index + 1], boxes[4 * index + 2], boxes[4 * index + 3]],
    score: detections.scores[index],
    classId: detections.classIds[index],
    className: detections.classNameOf(index),
    ...(angles ? { angle: angles[index] } : {}),
    ...(trackIds ? { trackId: trackIds[index] } : {}),
    ...(keypoints ? { keypoints: points } : {}),
    ...(mask ? { mask: { size: [mask.size[0], mask.size[1]], counts: Array.from(mask.counts) } } : {}),
  };
}

export function cocoRows(
  detections: Detections,
  imageId: number,
  categoryIds: readonly number[] | undefined,
): CocoResult[] {
  const rows: CocoResult[] = [];
  const { boxes, classIds, keypoints, keypointCount } = detections;
  for (let i = 0; i < detections.count; i++) {
    const categoryId = categoryIds === undefined ? classIds[i] : categoryIds[classIds[i]];
    if (categoryId === undefined) {
      throw new OptionError(`expected a category id for class id ${classIds[i]}, got none`, {
        classId: classIds[i],
      });
    }
    const x = boxes[4 * i];
    const y = boxes[4 * i + 1];
    const mask = detections.maskAt(i);
    rows.push({
      image_id: imageId,
      category_id: categoryId,
      bbox: [x, y, boxes[4 * i + 2] - x, boxes[4 * i + 3] - y],
      score: detections.scores[i],
      ...(mask ? { segmentation: rleToCoco(mask) } : {}),
      ...(keypoints
        ? { keypoints: Array.from(keypoints.subarray(3 * keypointCount * i, 3 * keypointCount * (i + 1))) }
        : {}),
    });
  }
  return rows;
}
