/**
 * How alike a detection and an annotation are, in float64 as pycocotools computes it, for one group at a time.
 *
 * A crowd annotation is compared by intersection over the detection's own area, so that many detections inside one
 * crowd all match it. Results go into one reused array, row-major [detections, truths].
 */
import { DatasetError } from '../../errors.ts';
import { maskIou } from '../../masks/mask-iou.ts';
import { oks } from '../../masks/oks.ts';
import { rleArea } from '../../masks/rle-algebra.ts';
import { type CocoSegmentation, rleFromSegmentation } from '../../masks/segmentation.ts';
import type { Rle } from '../../masks/types.ts';
import type { Group } from './group.ts';
import type { CocoAnnotation, CocoDataset, CocoResult } from './types.ts';

/** Fills `out[d · truths + g]`. */
export type Similarity = (group: Group, out: Float64Array) => void;

function boxOf(row: { readonly bbox?: readonly number[]; readonly image_id: number }): readonly number[] {
  const box = row.bbox;
  if (box === undefined || box.length !== 4 || !box.every(Number.isFinite)) {
    throw new DatasetError(
      `bbox must be four finite numbers [x, y, width, height], got ${JSON.stringify(box)} in image ${row.image_id}`,
      { imageId: row.image_id },
    );
  }
  return box;
}

/** IoU of xywh boxes (maskApi.c `bbIou`). */
const boxSimilarity: Similarity = (group, out) => {
  const truths = group.truths.length;
  const truthBoxes = group.truths.map(boxOf);
  group.detections.forEach((detection, d) => {
    const [x, y, w, h] = boxOf(detection) as [number, number, number, number];
    const area = w * h;
    for (let g = 0; g < truths; g++) {
      const [tx, ty, tw, th] = truthBoxes[g] as [number, number, number, number];
      const iw = Math.min(x + w, tx + tw) - Math.max(x, tx);
      const ih = Math.min(y + h, ty + th) - Math.max(y, ty);
      let iou = 0;
      if (iw > 0 && ih > 0) {
        const intersection = iw * ih;
        iou = intersection / (group.truths[g]!.iscrowd ? area : area + tw * th - intersection);
      }
      out[d * truths + g] = iou;
    }
  });
};

/** What is compared: similarities, and the area that decides whether an unmatched detection counts. */
export interface Comparison {
  readonly similarity: Similarity;
  readonly detectionArea: (detection: CocoResult) => number;
}

export const boxComparison: Comparison = {
  similarity: boxSimilarity,
  detectionArea: (detection) => {
    const box = boxOf(detection);
    return box[2]! * box[3]!;
  },
};

/** IoU of masks; polygons are drawn at the size of their image, as pycocotools does. */
export function maskComparison(dataset: CocoDataset): Comparison {
  const sizes = new Map(dataset.images.map((image) => [image.id, image]));
  const masks = new Map<CocoAnnotation | CocoResult, Rle>();
  const maskOf = (row: CocoAnnotation | CocoResult): Rle => {
    let mask = masks.get(row);
    if (mask !== undefined) return mask;
    const image = sizes.get(row.image_id);
    const { segmentation } = row;
    const isRle = typeof segmentation === 'object' && segmentation !== null && 'counts' in segmentation;
    if (!isRle && !Array.isArray(segmentation)) {
      throw new DatasetError(`segmentation must be polygons or run lengths, in image ${row.image_id}`, {
        imageId: row.image_id,
      });
    }
    if (!isRle && (image?.height === undefined || image.width === undefined)) {
      throw new DatasetError(`image ${row.image_id} needs width and height to draw its polygons`, {
        imageId: row.image_id,
      });
    }
    mask = rleFromSegmentation(segmentation as CocoSegmentation, [image?.height ?? 0, image?.width ?? 0]);
    masks.set(row, mask);
    return mask;
  };
  return {
    similarity: ({ detections, truths }, out) => {
      const crowd = truths.map((truth) => Boolean(truth.iscrowd));
      out.set(maskIou(detections.map(maskOf), truths.map(maskOf), { crowd }));
    },
    detectionArea: (detection) => rleArea(maskOf(detection)),
  };
}

/** Object keypoint similarity; the area of a detection is that of the box around its keypoints. */
export function keypointComparison(sigmas: readonly number[]): Comparison {
  const pointsOf = (row: CocoAnnotation | CocoResult): readonly number[] => {
    if (row.keypoints?.length !== 3 * sigmas.length) {
      throw new DatasetError(
        `keypoints must hold 3·${sigmas.length} numbers, got ${row.keypoints?.length ?? 'none'} in image ${row.image_id}`,
        { imageId: row.image_id },
      );
    }
    return row.keypoints;
  };
  return {
    similarity: ({ detections, truths }, out) => {
      const values = oks(detections.flatMap(pointsOf), truths.flatMap(pointsOf), {
        sigmas,
        areas: truths.map((truth) => truth.area),
        boxes: Float64Array.from(truths.flatMap(boxOf)),
        format: 'xywh',
      });
      out.set(values);
    },
    detectionArea: (detection) => {
      const points = pointsOf(detection);
      let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = 0; i < points.length; i += 3) {
        x0 = Math.min(x0, points[i]!);
        x1 = Math.max(x1, points[i]!);
        y0 = Math.min(y0, points[i + 1]!);
        y1 = Math.max(y1, points[i + 1]!);
      }
      return (x1 - x0) * (y1 - y0);
    },
  };
}
