/** The total loss of YOLOv5. */
import { OptionError } from '../../errors.ts';
import { sigmoid } from '../classification/logistic.ts';
import { binaryCrossEntropyLoss } from '../classification/sigmoid-focal.ts';
import { checkLabels, type FloatArray, sameType } from '../common.ts';
import { iouLoss } from '../regression/iou-loss.ts';
import { addTo, checkOutputs, type DetectorLoss, pick, scaleBy } from './common.ts';

/** One detection level; a row is one anchor at one cell of one image. */
export interface Yolov5Level {
  /** Rows × 4 raw box outputs. */
  readonly boxes: FloatArray;
  /** Rows objectness logits. */
  readonly objectness: FloatArray;
  /** Rows × C class logits. */
  readonly logits: FloatArray;
  /** Row of each match; a row may be matched more than once, its objectness target is then the last one's. */
  readonly matches: Int32Array;
  /** 4 numbers a match: the truth's centre relative to the cell's corner and its size, in grid units. */
  readonly boxTargets: ArrayLike<number>;
  /** Width and height of each match's anchor, in grid units. */
  readonly anchors: ArrayLike<number>;
  /** Class of each match. */
  readonly classIds: Int32Array;
}

export interface Yolov5LossOptions {
  readonly classes: number;
  readonly images: number;
  /** Weight of a level's objectness. Default 4, 1, 0.4 for three levels, else 4, 1, 0.25, 0.06, 0.02. */
  readonly balance?: readonly number[];
  /** Gains. Default box 0.05, objectness 1, classification 0.5. */
  readonly gains?: { readonly box: number; readonly objectness: number; readonly classification: number };
  /** Label smoothing ε: targets 1 − ε/2 and ε/2. Default 0. */
  readonly labelSmoothing?: number;
}

export type Yolov5Loss = Omit<DetectorLoss<'box' | 'objectness' | 'classification', never>, 'gradients'> & {
  readonly gradients: readonly {
    readonly boxes: FloatArray;
    readonly objectness: FloatArray;
    readonly logits: FloatArray;
  }[];
};

/**
 * Sum over levels of mean(1 − CIoU), balanced mean BCE of objectness (target: the match's CIoU, detached, at least 0)
 * and mean BCE of classes, times the gains and the number of images. One class has no classification term.
 *
 * Boxes decode as xy = 2σ − ½, wh = (2σ)²·anchor. Source: yolov5 `ComputeLoss`.
 */
export function yolov5Loss(levels: readonly Yolov5Level[], options: Yolov5LossOptions): Yolov5Loss {
  const { classes, images, labelSmoothing = 0 } = options;
  const gains = options.gains ?? { box: 0.05, objectness: 1, classification: 0.5 };
  const balance = options.balance ?? (levels.length === 3 ? [4, 1, 0.4] : [4, 1, 0.25, 0.06, 0.02]);
  if (balance.length < levels.length) {
    throw new OptionError(`expected balance of length ${levels.length}, got ${balance.length}`);
  }
  const parts = { box: 0, objectness: 0, classification: 0 };
  const gradients = levels.map((level, n) => {
    const { matches } = level;
    checkOutputs(
      'yolov5Loss',
      level.objectness.length,
      ['boxes', level.boxes, 4],
      ['logits', level.logits, classes],
    );
    checkLabels(level.classIds, matches.length, classes);
    const raw = pick(level.boxes, matches, 4);
    const boxes = sameType(raw, raw.length);
    const slopes = new Float64Array(raw.length);
    for (let i = 0; i < raw.length; i++) {
      const s = sigmoid(raw[i]!);
      const anchor = i % 4 < 2 ? 0 : level.anchors[2 * (i >> 2) + (i % 2)]!;
      boxes[i] = i % 4 < 2 ? 2 * s - 0.5 : (2 * s) ** 2 * anchor;
      slopes[i] = (i % 4 < 2 ? 2 : 8 * s * anchor) * s * (1 - s);
    }
    const target = sameType(raw, raw.length);
    target.set(Array.from({ length: raw.length }, (_, i) => level.boxTargets[i]!));
    const box = iouLoss(boxes, target, {
      metric: 'ciou',
      preset: 'ultralytics',
      format: 'cxcywh',
      reduction: 'none',
    });
    const wanted = new Float64Array(level.objectness.length);
    matches.forEach((row, i) => {
      wanted[row] = Math.max(0, 1 - box.perElement![i]!);
    });
    const objectness = binaryCrossEntropyLoss(level.objectness, wanted);
    const boxGradient = sameType(level.boxes, level.boxes.length);
    const logitGradient = sameType(level.logits, level.logits.length);
    if (matches.length > 0) {
      const weight = (gains.box * images) / matches.length;
      parts.box += box.value * weight;
      addTo(boxGradient, box.gradient.map((g, i) => g * slopes[i]!) as FloatArray, matches, 4, weight);
      if (classes > 1) {
        const labels = new Float64Array(matches.length * classes);
        matches.forEach((_, i) => {
          labels[i * classes + level.classIds[i]!] = 1;
        });
        const classification = binaryCrossEntropyLoss(pick(level.logits, matches, classes), labels, {
          labelSmoothing,
        });
        parts.classification += gains.classification * classification.value * images;
        addTo(logitGradient, classification.gradient, matches, classes, gains.classification * images);
      }
    }
    const weight = gains.objectness * balance[n]! * images;
    parts.objectness += weight * objectness.value;
    return { boxes: boxGradient, objectness: scaleBy(objectness.gradient, weight), logits: logitGradient };
  });
  return { value: parts.box + parts.objectness + parts.classification, parts, gradients };
}
