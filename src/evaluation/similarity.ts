/**
 * How alike detections and annotations are, in float64 as pycocotools computes it, for one group at a time.
 *
 * A crowd annotation is compared by intersection over the detection's own area, so that many detections inside one
 * crowd all match it. Values go into an array of the caller, row-major [detections, truths].
 */
import { DatasetError, OptionError } from '../errors.ts';
import { maskIou } from '../masks/mask-iou.ts';
import { cocoSigmas, oks } from '../masks/oks.ts';
import { rleArea } from '../masks/rle-algebra.ts';
import { type CocoSegmentation, isCocoRle, rleFromSegmentation } from '../masks/segmentation.ts';
import type { Rle } from '../masks/types.ts';
import type { Groups } from './group.ts';
import type { CocoAnnotation, CocoDataset, CocoResult } from './types.ts';

export interface Comparison {
  /** Fills `out[d · truths + t]` for the truths and detections of group `group`. */
  readonly compare: (group: number, out: Float64Array) => void;
  /** Areas of the detections, in the groups' order. */
  readonly detectionAreas: Float64Array;
}

export interface ComparisonOptions {
  /** What is compared. */
  readonly type: 'bbox' | 'segm' | 'keypoints';
  readonly keypointSigmas?: readonly number[];
  /** False compares crowds like any other annotation. Default true. */
  readonly crowd?: boolean;
}

/** Throws `OptionError` for another type, `DatasetError` for the first row without what the type needs. */
export function comparisonOf(dataset: CocoDataset, groups: Groups, options: ComparisonOptions): Comparison {
  const { type, keypointSigmas = cocoSigmas, crowd = true } = options;
  const isCrowd = Uint8Array.from(groups.truths, (truth) => (crowd && truth.iscrowd ? 1 : 0));
  switch (type) {
    case 'bbox':
      return boxComparison(groups, isCrowd);
    case 'segm':
      return maskComparison(dataset, groups, isCrowd);
    case 'keypoints':
      return keypointComparison(groups, keypointSigmas);
    default:
      throw new OptionError(`type must be 'bbox', 'segm' or 'keypoints', got '${String(type)}'`, { type });
  }
}

/** The rows' boxes, 4·N xywh. Throws `DatasetError` for a row without four finite numbers. */
export function boxColumn(
  rows: readonly { readonly bbox?: readonly number[]; readonly image_id: number }[],
): Float64Array {
  const boxes = new Float64Array(4 * rows.length);
  for (let i = 0; i < rows.length; i++) {
    const box = rows[i]!.bbox;
    let sum = Number.NaN;
    if (Array.isArray(box) && box.length === 4) {
      sum = 0;
      for (let c = 0; c < 4; c++) {
        const value = box[c]!;
        // anything but a finite number makes the sum NaN or infinite, or a string
        sum = typeof value === 'number' ? sum + value * 0 : Number.NaN;
        boxes[4 * i + c] = value;
      }
    }
    if (sum !== 0) {
      const { image_id: imageId } = rows[i]!;
      throw new DatasetError(
        `bbox must be four finite numbers [x, y, width, height], got ${JSON.stringify(box)} in image ${imageId}`,
        { imageId },
      );
    }
  }
  return boxes;
}

/** IoU of xywh boxes (maskApi.c `bbIou`). */
function boxComparison(groups: Groups, isCrowd: Uint8Array): Comparison {
  const { truthStarts, detectionStarts } = groups;
  const truths = boxColumn(groups.truths);
  const detections = boxColumn(groups.detections);
  const detectionAreas = new Float64Array(groups.detections.length);
  for (let d = 0; d < detectionAreas.length; d++) {
    detectionAreas[d] = detections[4 * d + 2]! * detections[4 * d + 3]!;
  }
  const compare = (group: number, out: Float64Array): void => {
    const firstTruth = truthStarts[group]!;
    const lastTruth = truthStarts[group + 1]!;
    let at = 0;
    for (let d = detectionStarts[group]!; d < detectionStarts[group + 1]!; d++) {
      const x = detections[4 * d]!;
      const y = detections[4 * d + 1]!;
      const right = x + detections[4 * d + 2]!;
      const bottom = y + detections[4 * d + 3]!;
      const area = detectionAreas[d]!;
      for (let t = firstTruth; t < lastTruth; t++) {
        const tx = truths[4 * t]!;
        const ty = truths[4 * t + 1]!;
        const tw = truths[4 * t + 2]!;
        const th = truths[4 * t + 3]!;
        const width = Math.min(right, tx + tw) - Math.max(x, tx);
        const height = Math.min(bottom, ty + th) - Math.max(y, ty);
        let iou = 0;
        if (width > 0 && height > 0) {
          const intersection = width * height;
          iou = intersection / (isCrowd[t] === 1 ? area : area + tw * th - intersection);
        }
        out[at++] = iou;
      }
    }
  };
  return { compare, detectionAreas };
}

/** IoU of masks; polygons are drawn at the size of their image, as pycocotools does. */
function maskComparison(dataset: CocoDataset, groups: Groups, isCrowd: Uint8Array): Comparison {
  const sizes = new Map(dataset.images.map((image) => [image.id, image]));
  const maskOf = (row: CocoAnnotation | CocoResult): Rle => {
    const image = sizes.get(row.image_id);
    const { segmentation } = row;
    const isRle = isCocoRle(segmentation);
    if (!isRle && !(Array.isArray(segmentation) && segmentation.every(Array.isArray))) {
      throw new DatasetError(`segmentation must be polygons or run lengths, in image ${row.image_id}`, {
        imageId: row.image_id,
      });
    }
    if (!isRle && (image?.height === undefined || image.width === undefined)) {
      throw new DatasetError(`image ${row.image_id} needs width and height to draw its polygons`, {
        imageId: row.image_id,
      });
    }
    return rleFromSegmentation(segmentation as CocoSegmentation, [image?.height ?? 0, image?.width ?? 0]);
  };
  const truths = groups.truths.map(maskOf);
  const detections = groups.detections.map(maskOf);
  const compare = (group: number, out: Float64Array): void => {
    const [t0, t1] = [groups.truthStarts[group]!, groups.truthStarts[group + 1]!];
    const [d0, d1] = [groups.detectionStarts[group]!, groups.detectionStarts[group + 1]!];
    maskIou(detections.slice(d0, d1), truths.slice(t0, t1), {
      crowd: isCrowd.subarray(t0, t1),
      out: out.subarray(0, (d1 - d0) * (t1 - t0)),
    });
  };
  return { compare, detectionAreas: Float64Array.from(detections, rleArea) };
}

/** Object keypoint similarity; the area of a detection is that of the box around its keypoints. */
function keypointComparison(groups: Groups, sigmas: readonly number[]): Comparison {
  const perPose = 3 * sigmas.length;
  const pointColumn = (rows: readonly (CocoAnnotation | CocoResult)[]): Float64Array => {
    const points = new Float64Array(perPose * rows.length);
    rows.forEach((row, i) => {
      if (row.keypoints?.length !== perPose) {
        throw new DatasetError(
          `keypoints must hold 3·${sigmas.length} numbers, got ${row.keypoints?.length ?? 'none'} in image ${row.image_id}`,
          { imageId: row.image_id },
        );
      }
      points.set(row.keypoints, perPose * i);
    });
    return points;
  };
  const truths = pointColumn(groups.truths);
  const truthBoxes = boxColumn(groups.truths);
  const truthAreas = Float64Array.from(groups.truths, (truth) => truth.area);
  const detections = pointColumn(groups.detections);
  const compare = (group: number, out: Float64Array): void => {
    const [t0, t1] = [groups.truthStarts[group]!, groups.truthStarts[group + 1]!];
    const [d0, d1] = [groups.detectionStarts[group]!, groups.detectionStarts[group + 1]!];
    oks(detections.subarray(perPose * d0, perPose * d1), truths.subarray(perPose * t0, perPose * t1), {
      sigmas,
      areas: truthAreas.subarray(t0, t1),
      boxes: truthBoxes.subarray(4 * t0, 4 * t1),
      format: 'xywh',
      out: out.subarray(0, (d1 - d0) * (t1 - t0)),
    });
  };
  return { compare, detectionAreas: boundingAreas(detections, perPose) };
}

function boundingAreas(points: Float64Array, perPose: number): Float64Array {
  return Float64Array.from({ length: points.length / perPose }, (_, d) => {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = d * perPose; i < (d + 1) * perPose; i += 3) {
      x0 = Math.min(x0, points[i]!);
      x1 = Math.max(x1, points[i]!);
      y0 = Math.min(y0, points[i + 1]!);
      y1 = Math.max(y1, points[i + 1]!);
    }
    return (x1 - x0) * (y1 - y0);
  });
}
