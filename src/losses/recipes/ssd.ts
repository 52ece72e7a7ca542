/** The total loss of SSD. */

import { crossEntropyLoss } from '../classification/cross-entropy.ts';
import { type FloatArray, sameType, sampleCount } from '../common.ts';
import { smoothL1Loss } from '../regression/elementwise.ts';
import { addTo, checkOutputs, type DetectorLoss, pick, pickTargets, where } from './common.ts';

export interface SsdLossInput {
  /** Images·priors × C logits, class 0 the background. */
  readonly logits: FloatArray;
  /** Images·priors × 4 encoded boxes. */
  readonly boxes: FloatArray;
  /** A class each, 0 background. */
  readonly labels: Int32Array;
  /** Images·priors × 4 encoded targets; read where the label is not 0. */
  readonly boxTargets: ArrayLike<number>;
  readonly classes: number;
  readonly images: number;
  /** Negatives kept an image, a positive each. Default 3. */
  readonly negativesPerPositive?: number;
}

/**
 * (Σ smooth-L1 over positives + Σ cross-entropy over positives and the hardest negatives)/max(1, positives of the batch).
 *
 * Negatives are ranked by their cross-entropy within each image, ties to the lower index; an image without positives
 * keeps none. torchvision counts positives a second time in an image with fewer than `negativesPerPositive` negatives a
 * positive; that is not copied. Source: Liu et al., "SSD", ECCV 2016; torchvision `SSD.compute_loss`.
 */
export function ssdLoss(input: SsdLossInput): DetectorLoss<'classification' | 'box', 'logits' | 'boxes'> {
  const { logits, boxes, labels, classes, images } = input;
  const rows = sampleCount('logits', logits.length, classes);
  checkOutputs('ssdLoss', rows, ['boxes', boxes, 4]);
  const perImage = sampleCount('labels', rows, images);
  const positives = where(labels, (label) => label > 0);
  const divisor = Math.max(1, positives.length);
  const entropy = crossEntropyLoss(logits, labels, { classes, reduction: 'none' });
  const terms = entropy.perElement!;

  const kept = new Uint8Array(rows);
  for (let image = 0; image < images; image++) {
    const start = image * perImage;
    const negatives: number[] = [];
    let wanted = 0;
    for (let i = start; i < start + perImage; i++) {
      if (labels[i]! > 0) {
        kept[i] = 1;
        wanted += input.negativesPerPositive ?? 3;
      } else negatives.push(i);
    }
    negatives.sort((a, b) => terms[b]! - terms[a]! || a - b);
    for (let n = 0; n < Math.min(wanted, negatives.length); n++) kept[negatives[n]!] = 1;
  }
  let classification = 0;
  const logitGradient = entropy.gradient;
  for (let i = 0; i < rows; i++) {
    if (kept[i] === 1) classification += terms[i]!;
    const factor = kept[i] === 1 ? 1 / divisor : 0;
    for (let c = i * classes; c < (i + 1) * classes; c++) logitGradient[c]! *= factor;
  }
  const targets = pickTargets(input.boxTargets, positives, 4);
  const box = smoothL1Loss(pick(boxes, positives, 4), targets, { avgFactor: divisor });
  const boxGradient = sameType(boxes, boxes.length);
  addTo(boxGradient, box.gradient, positives, 4);
  classification /= divisor;
  return {
    value: classification + box.value,
    parts: { classification, box: box.value },
    gradients: { logits: logitGradient, boxes: boxGradient },
  };
}
