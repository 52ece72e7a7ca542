/** The total loss of RetinaNet, with the normaliser of each library. */

import { choiceOption } from '../../options.ts';
import { sigmoidFocalLoss } from '../classification/sigmoid-focal.ts';
import { type FloatArray, sameType, sampleCount } from '../common.ts';
import { smoothL1Loss } from '../regression/elementwise.ts';
import { addTo, checkClasses, checkOutputs, type DetectorLoss, pick, pickTargets, where } from './common.ts';

export interface RetinanetLossInput {
  /** Images·anchors × C logits. */
  readonly logits: FloatArray;
  /** Images·anchors × 4 encoded boxes. */
  readonly boxes: FloatArray;
  /** A class each, −1 background, −2 ignored. */
  readonly labels: Int32Array;
  /** Images·anchors × 4 encoded targets; read where the label is ≥ 0. */
  readonly boxTargets: ArrayLike<number>;
  readonly classes: number;
  readonly images: number;
  /**
   * `'torchvision'`: each image by its own positives, then the mean over images; L1. `'mmdetection'`: the batch by its
   * positives; L1. `'detectron2'`: the batch by `normalizer`, a moving average the caller keeps; smooth-L1 β 0.1.
   */
  readonly convention?: 'torchvision' | 'mmdetection' | 'detectron2';
  /** Divisor of `'detectron2'` (its moving average starts at 100, momentum 0.9). */
  readonly normalizer?: number;
}

/** Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017; the three libraries' RetinaNet heads. */
export function retinanetLoss(
  input: RetinanetLossInput,
): DetectorLoss<'classification' | 'box', 'logits' | 'boxes'> {
  const { logits, boxes, labels, classes, images, convention = 'torchvision' } = input;
  const rows = sampleCount('logits', logits.length, classes);
  const perImage = sampleCount('labels', rows, images);
  checkClasses(labels, rows, classes);
  checkOutputs('retinanetLoss', rows, ['logits', logits, classes], ['boxes', boxes, 4]);
  choiceOption('convention', convention, ['torchvision', 'mmdetection', 'detectron2']);
  const logitGradient = sameType(logits, logits.length);
  const boxGradient = sameType(boxes, boxes.length);
  const batchPositives = where(labels, (label) => label >= 0).length;
  let classification = 0;
  let box = 0;
  for (let image = 0; image < images; image++) {
    const at = (rowsOf: Int32Array): Int32Array => rowsOf.map((row) => row + image * perImage);
    const own = labels.subarray(image * perImage, (image + 1) * perImage);
    const counted = at(where(own, (label) => label >= -1));
    const positives = at(where(own, (label) => label >= 0));
    const avgFactor =
      convention === 'torchvision'
        ? Math.max(1, positives.length) * images
        : convention === 'mmdetection'
          ? Math.max(1, batchPositives)
          : (input.normalizer ?? Math.max(1, batchPositives));
    const focal = sigmoidFocalLoss(
      pick(logits, counted, classes),
      counted.map((row) => labels[row]!),
      { classes, avgFactor },
    );
    const targets = pickTargets(input.boxTargets, positives, 4);
    const beta = convention === 'detectron2' ? 0.1 : 0;
    const regression = smoothL1Loss(pick(boxes, positives, 4), targets, { beta, avgFactor });
    classification += focal.value;
    box += regression.value;
    addTo(logitGradient, focal.gradient, counted, classes);
    addTo(boxGradient, regression.gradient, positives, 4);
  }
  return {
    value: classification + box,
    parts: { classification, box },
    gradients: { logits: logitGradient, boxes: boxGradient },
  };
}
