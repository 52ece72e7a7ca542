/** The total loss of FCOS. */
import type { BoxArray } from '../../boxes/types.ts';
import { distanceCoder } from '../../coders/distance.ts';
import { choiceOption } from '../../options.ts';
import { binaryCrossEntropyLoss, sigmoidFocalLoss } from '../classification/sigmoid-focal.ts';
import { type FloatArray, sameType, sampleCount } from '../common.ts';
import { iouLoss } from '../regression/iou-loss.ts';
import { addTo, checkClasses, checkOutputs, type DetectorLoss, pick, where } from './common.ts';

export interface FcosLossInput {
  /** Points × C logits, all images together. */
  readonly logits: FloatArray;
  /** Points × 4 distances l, t, r, b, in units of the prior's size where `normalised`. */
  readonly distances: FloatArray;
  /** Centreness logits, a point each. */
  readonly centreness: FloatArray;
  /** A class each, −1 background. */
  readonly labels: Int32Array;
  /** Points × 4 boxes, xyxy; read where the label is ≥ 0. */
  readonly boxTargets: BoxArray;
  /** Points × 4: squares of the stride's size about each point, xyxy. */
  readonly priors: BoxArray;
  readonly classes: number;
  readonly normalised?: boolean;
  /**
   * `'torchvision'`: GIoU over the number of positives. `'mmdetection'`: −ln IoU weighted by centreness targets and
   * divided by their sum (as the paper's code).
   */
  readonly convention?: 'torchvision' | 'mmdetection';
}

/** √(min(l, r)/max(l, r) · min(t, b)/max(t, b)) of distances l, t, r, b; 0 for a point on the border. */
export function centrenessTarget(l: number, t: number, r: number, b: number): number {
  const wide = Math.max(l, r);
  const high = Math.max(t, b);
  return wide > 0 && high > 0 ? Math.sqrt(Math.max(0, (Math.min(l, r) / wide) * (Math.min(t, b) / high))) : 0;
}

/** Source: Tian et al., "FCOS", ICCV 2019; torchvision `FCOSHead.compute_loss`, mmdetection `FCOSHead`. */
export function fcosLoss(
  input: FcosLossInput,
): DetectorLoss<'classification' | 'box' | 'centreness', 'logits' | 'distances' | 'centreness'> {
  const { logits, distances, centreness, labels, classes, convention = 'torchvision' } = input;
  const points = sampleCount('logits', logits.length, classes);
  checkClasses(labels, points, classes);
  checkOutputs('fcosLoss', points, ['distances', distances, 4], ['centreness', centreness, 1]);
  choiceOption('convention', convention, ['torchvision', 'mmdetection']);
  const positives = where(labels, (label) => label >= 0);
  const count = Math.max(1, positives.length);
  const focal = sigmoidFocalLoss(logits, labels, { classes, avgFactor: count });
  const priors = pick(input.priors, positives, 4);
  const targets = pick(input.boxTargets, positives, 4);
  const wanted = distanceCoder().encode(targets, priors);
  const centres = Float64Array.from({ length: positives.length }, (_, i) =>
    centrenessTarget(wanted[4 * i]!, wanted[4 * i + 1]!, wanted[4 * i + 2]!, wanted[4 * i + 3]!),
  );
  const total = Math.max(
    centres.reduce((a, b) => a + b, 0),
    1e-6,
  );
  const through = distanceCoder({ normalise: input.normalised ?? false });
  const box = iouLoss(pick(distances, positives, 4), targets, {
    through,
    priors,
    ...(convention === 'torchvision'
      ? { metric: 'giou', avgFactor: count }
      : { metric: 'iou', transform: 'log', preset: 'mmdetection', weights: centres, avgFactor: total }),
  });
  const centre = binaryCrossEntropyLoss(pick(centreness, positives, 1), centres, { avgFactor: count });
  const distanceGradient = sameType(distances, distances.length);
  const centrenessGradient = sameType(centreness, centreness.length);
  addTo(distanceGradient, box.gradient, positives, 4);
  addTo(centrenessGradient, centre.gradient, positives, 1);
  return {
    value: focal.value + box.value + centre.value,
    parts: { classification: focal.value, box: box.value, centreness: centre.value },
    gradients: { logits: focal.gradient, distances: distanceGradient, centreness: centrenessGradient },
  };
}
