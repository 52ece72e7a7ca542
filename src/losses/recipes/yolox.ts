/** The total loss of YOLOX (SimOTA assignment). */
import type { BoxArray } from '../../boxes/types.ts';
import { binaryCrossEntropyLoss } from '../classification/sigmoid-focal.ts';
import { checkLabels, type FloatArray, sameType, sampleCount } from '../common.ts';
import { l1Loss } from '../regression/elementwise.ts';
import { iouLoss } from '../regression/iou-loss.ts';
import { addTo, checkOutputs, type DetectorLoss, pick } from './common.ts';

export interface YoloxLossInput {
  /** Images·cells × C class logits. */
  readonly logits: FloatArray;
  /** Images·cells objectness logits. */
  readonly objectness: FloatArray;
  /** Images·cells × 4 decoded boxes, cxcywh in pixels. */
  readonly boxes: FloatArray;
  /** Rows that were assigned. */
  readonly positives: Int32Array;
  /** Class of each positive. */
  readonly classIds: Int32Array;
  /** IoU of each positive with its truth as the assigner saw it: the score its class should have. */
  readonly overlaps: ArrayLike<number>;
  /** 4 numbers a positive: its truth, cxcywh in pixels. */
  readonly boxTargets: BoxArray;
  readonly classes: number;
  /** Raw regression outputs and their targets, where the L1 term of the last epochs is on: 4 numbers a positive each. */
  readonly l1?: { readonly raw: FloatArray; readonly targets: ArrayLike<number> };
}

/**
 * (5·Σ(1 − IoU²) + ΣBCE of objectness over all cells + ΣBCE of classes over positives [+ ΣL1])/max(1, positives).
 *
 * Source: Ge et al., "YOLOX", 2021; `YOLOXHead.get_losses`. The gradient of the raw outputs is that of the L1 term alone.
 */
export function yoloxLoss(
  input: YoloxLossInput,
): DetectorLoss<'box' | 'objectness' | 'classification' | 'l1', 'logits' | 'objectness' | 'boxes' | 'raw'> {
  const { logits, objectness, boxes, positives, classIds, classes } = input;
  const rows = sampleCount('logits', logits.length, classes);
  checkOutputs('yoloxLoss', rows, ['logits', logits, classes], ['boxes', boxes, 4]);
  checkLabels(classIds, positives.length, classes);
  const avgFactor = Math.max(1, positives.length);
  const box = iouLoss(pick(boxes, positives, 4), input.boxTargets, {
    format: 'cxcywh',
    transform: 'square',
    eps: 1e-16,
    avgFactor,
  });
  const isObject = new Float64Array(rows);
  for (const row of positives) isObject[row] = 1;
  const object = binaryCrossEntropyLoss(objectness, isObject, { avgFactor });
  const scores = new Float64Array(positives.length * classes);
  positives.forEach((_, i) => {
    scores[i * classes + classIds[i]!] = input.overlaps[i]!;
  });
  const classification = binaryCrossEntropyLoss(pick(logits, positives, classes), scores, { avgFactor });
  const l1 = input.l1 === undefined ? undefined : l1Loss(input.l1.raw, input.l1.targets, { avgFactor });
  const boxGradient = sameType(boxes, boxes.length);
  const logitGradient = sameType(logits, logits.length);
  addTo(boxGradient, box.gradient, positives, 4, 5);
  addTo(logitGradient, classification.gradient, positives, classes);
  const parts = {
    box: 5 * box.value,
    objectness: object.value,
    classification: classification.value,
    l1: l1?.value ?? 0,
  };
  return {
    value: parts.box + parts.objectness + parts.classification + parts.l1,
    parts,
    gradients: {
      logits: logitGradient,
      objectness: object.gradient,
      boxes: boxGradient,
      raw: l1?.gradient ?? sameType(boxes, 0),
    },
  };
}
