/**
 * How alike a detection and an annotation are, in float64 as pycocotools computes it, for one group at a time.
 *
 * A crowd annotation is compared by intersection over the detection's own area, so that many detections inside one
 * crowd all match it. Results go into one reused array, row-major [detections, truths].
 */
import { DatasetError } from '../../errors.ts';
import type { Group } from './group.ts';

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
export const boxSimilarity: Similarity = (group, out) => {
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
