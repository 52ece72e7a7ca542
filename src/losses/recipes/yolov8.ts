/** The total loss of YOLOv8, 9, 11 and 12 (task-aligned assignment). */
import type { BoxArray } from '../../boxes/types.ts';
import { distanceCoder } from '../../coders/distance.ts';
import { distributionCoder } from '../../coders/distribution.ts';
import { distributionFocalLoss } from '../classification/quality.ts';
import { binaryCrossEntropyLoss } from '../classification/sigmoid-focal.ts';
import { type FloatArray, sameType, sampleCount } from '../common.ts';
import { iouLoss } from '../regression/iou-loss.ts';
import { addTo, checkOutputs, type DetectorLoss, pick, scaleBy } from './common.ts';

export interface Yolov8LossInput {
  /** Images·anchors × C logits. */
  readonly logits: FloatArray;
  /** Images·anchors × 4·bins logits of the distances l, t, r, b. */
  readonly distributions: FloatArray;
  /** Images·anchors × C target scores (one class a row, the alignment as its score). */
  readonly targetScores: ArrayLike<number>;
  /** Rows that were assigned. */
  readonly positives: Int32Array;
  /** Images·anchors × 4 assigned boxes in grid units, xyxy; read at positives. */
  readonly boxTargets: BoxArray;
  /** Images·anchors × 4: unit squares about the anchor points in grid units, xyxy. */
  readonly priors: BoxArray;
  readonly classes: number;
  readonly images: number;
  /** reg_max. Default 16. */
  readonly bins?: number;
  /** Gains of box, classification and distribution. Default 7.5, 0.5, 1.5. */
  readonly gains?: { readonly box: number; readonly classification: number; readonly distribution: number };
}

/**
 * Gains times ΣBCE/S, Σ(1 − CIoU)·w/S and ΣDFL·w/S, times the number of images; S = max(Σ target scores, 1), w a
 * positive's summed target score. Source: ultralytics `v8DetectionLoss`.
 */
export function yolov8Loss(
  input: Yolov8LossInput,
): DetectorLoss<'classification' | 'box' | 'distribution', 'logits' | 'distributions'> {
  const { logits, distributions, targetScores, positives, classes, images, bins = 16 } = input;
  const rows = sampleCount('logits', logits.length, classes);
  checkOutputs('yolov8Loss', rows, ['distributions', distributions, 4 * bins]);
  const gains = input.gains ?? { box: 7.5, classification: 0.5, distribution: 1.5 };
  let total = 0;
  for (let i = 0; i < rows * classes; i++) total += targetScores[i]!;
  const avgFactor = Math.max(total, 1);
  const entropy = binaryCrossEntropyLoss(logits, targetScores, { avgFactor });
  const weights = Float64Array.from(positives, (row) => {
    let sum = 0;
    for (let c = row * classes; c < (row + 1) * classes; c++) sum += targetScores[c]!;
    return sum;
  });

  const own = pick(distributions, positives, 4 * bins);
  const priors = pick(input.priors, positives, 4);
  const targets = pick(input.boxTargets, positives, 4);
  const box = iouLoss(own, targets, {
    metric: 'ciou',
    preset: 'ultralytics',
    through: distributionCoder({ bins }),
    priors,
    weights,
    avgFactor,
  });
  const distribution = distributionFocalLoss(
    own,
    distanceCoder({ maximum: bins - 1 - 0.01 }).encode(targets, priors),
    {
      bins,
      weights: Float64Array.from({ length: 4 * positives.length }, (_, i) => weights[i >> 2]! / 4),
      avgFactor,
    },
  );
  const distributionGradient = sameType(distributions, distributions.length);
  addTo(distributionGradient, box.gradient, positives, 4 * bins, gains.box * images);
  addTo(distributionGradient, distribution.gradient, positives, 4 * bins, gains.distribution * images);
  const parts = {
    classification: gains.classification * entropy.value * images,
    box: gains.box * box.value * images,
    distribution: gains.distribution * distribution.value * images,
  };
  return {
    value: parts.classification + parts.box + parts.distribution,
    parts,
    gradients: {
      logits: scaleBy(entropy.gradient, gains.classification * images),
      distributions: distributionGradient,
    },
  };
}
