/** The total loss of DETR for one decoder layer. */
import type { BoxArray } from '../../boxes/types.ts';
import { choiceOption } from '../../options.ts';
import { crossEntropyLoss } from '../classification/cross-entropy.ts';
import { sigmoidFocalLoss } from '../classification/sigmoid-focal.ts';
import { type FloatArray, sameType, sampleCount } from '../common.ts';
import { l1Loss } from '../regression/elementwise.ts';
import { iouLoss } from '../regression/iou-loss.ts';
import { addTo, checkClasses, checkOutputs, type DetectorLoss, pick, scaleBy, where } from './common.ts';

export interface DetrLossInput {
  /** Images·queries × C logits: for `'softmax'` C includes the no-object class, the last one. */
  readonly logits: FloatArray;
  /** Images·queries × 4 boxes, cxcywh in 0–1. */
  readonly boxes: FloatArray;
  /** A class each for matched queries, −1 for the others. */
  readonly labels: Int32Array;
  /** Images·queries × 4 targets, cxcywh in 0–1; read where matched. */
  readonly boxTargets: BoxArray;
  readonly classes: number;
  /** `'softmax'` (DETR) or `'focal'` (Deformable DETR, DINO). Default `'softmax'`. */
  readonly classification?: 'softmax' | 'focal';
  /** Weight of the no-object class. Default 0.1. */
  readonly noObjectWeight?: number;
  /** Divisor of the box losses: boxes of the batch, averaged over processes. Default the matched ones, at least 1. */
  readonly boxCount?: number;
  /** Weights of the parts. Default 1 (2 for `'focal'`), 5, 2. */
  readonly weights?: { readonly classification: number; readonly l1: number; readonly giou: number };
}

/** Source: Carion et al., "DETR", ECCV 2020; Zhu et al., "Deformable DETR", ICLR 2021 (`'focal'`). */
export function detrLoss(
  input: DetrLossInput,
): DetectorLoss<'classification' | 'l1' | 'giou', 'logits' | 'boxes'> {
  const { logits, boxes, labels, classes, classification = 'softmax' } = input;
  const rows = sampleCount('logits', logits.length, classes);
  const softmax = choiceOption('classification', classification, ['softmax', 'focal']) === 'softmax';
  checkClasses(labels, rows, softmax ? classes - 1 : classes);
  checkOutputs('detrLoss', rows, ['boxes', boxes, 4]);
  const weights = input.weights ?? { classification: softmax ? 1 : 2, l1: 5, giou: 2 };
  const matched = where(labels, (label) => label >= 0);
  const boxCount = Math.max(1, input.boxCount ?? matched.length);
  const labelled = softmax
    ? crossEntropyLoss(
        logits,
        labels.map((label) => (label < 0 ? classes - 1 : label)),
        {
          classes,
          classWeights: Float64Array.from({ length: classes }, (_, c) =>
            c === classes - 1 ? (input.noObjectWeight ?? 0.1) : 1,
          ),
        },
      )
    : sigmoidFocalLoss(logits, labels, { classes, avgFactor: boxCount });
  const predicted = pick(boxes, matched, 4);
  const targets = pick(input.boxTargets, matched, 4);
  const l1 = l1Loss(predicted, targets, { avgFactor: boxCount });
  const giou = iouLoss(predicted, targets, { metric: 'giou', format: 'cxcywh', eps: 0, avgFactor: boxCount });
  const boxGradient = sameType(boxes, 4 * rows);
  addTo(boxGradient, l1.gradient, matched, 4, weights.l1);
  addTo(boxGradient, giou.gradient, matched, 4, weights.giou);
  const parts = {
    classification: weights.classification * labelled.value,
    l1: weights.l1 * l1.value,
    giou: weights.giou * giou.value,
  };
  return {
    value: parts.classification + parts.l1 + parts.giou,
    parts,
    gradients: { logits: scaleBy(labelled.gradient, weights.classification), boxes: boxGradient },
  };
}
