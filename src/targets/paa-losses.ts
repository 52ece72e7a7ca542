/** What PAA ranks candidates by: the loss of each prediction against the object its prior is a candidate for. */

import { sigmoidFocalLoss } from '../losses/classification/sigmoid-focal.ts';
import { iouLoss } from '../losses/regression/iou-loss.ts';
import { checkClass } from '../matching/hungarian.ts';
import type { Assignment } from '../matching/index.ts';
import type { ImagePredictions } from './matching.ts';

export interface CandidateLossOptions {
  /** Of the focal loss. Default 0.25. */
  readonly alpha?: number;
  /** Default 2. */
  readonly gamma?: number;
  /** Weight of the GIoU loss. Default 1.3. */
  readonly boxWeight?: number;
}

/**
 * The focal loss over all classes + 1.3·GIoU loss, for each prior of an assignment that has an object; 0 elsewhere.
 * Scores are logits.
 *
 * Source: mmdetection `PAAHead.get_pos_loss` with the losses of its configuration.
 */
export function candidateLosses(
  { boxes, scores }: ImagePredictions,
  groundTruthBoxes: Float32Array<ArrayBuffer>,
  labels: Int32Array<ArrayBuffer>,
  { alpha = 0.25, gamma = 2, boxWeight = 1.3 }: CandidateLossOptions,
): (candidates: Assignment) => Float64Array<ArrayBuffer> {
  return ({ gtIndices }) => {
    const losses = new Float64Array(gtIndices.length);
    const classes = scores.length / gtIndices.length;
    for (const label of labels) checkClass(label, classes);
    gtIndices.forEach((gt, j) => {
      if (gt < 0) return;
      const target = new Float32Array(classes);
      target[labels[gt]!] = 1;
      const logits = scores.subarray(j * classes, (j + 1) * classes);
      const own = sigmoidFocalLoss(logits, target, { alpha, gamma, reduction: 'sum' });
      const box = boxes.subarray(4 * j, 4 * j + 4);
      const overlap = iouLoss(box, groundTruthBoxes.subarray(4 * gt, 4 * gt + 4), {
        metric: 'giou',
        reduction: 'sum',
      });
      losses[j] = own.value + boxWeight * overlap.value;
    });
    return losses;
  };
}
