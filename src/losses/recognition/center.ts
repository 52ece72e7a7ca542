/** Center loss: features drawn to the centre of their class, centres moved by their own rule. */
import { choiceOption } from '../../options.ts';
import {
  checkLabels,
  closeLoss,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sameType,
} from '../common.ts';
import { rowCount } from './rows.ts';

export interface CenterOptions extends Omit<LossOptions, 'weights' | 'preset'> {
  /** Length d of a feature. */
  readonly dimensions: number;
  /** Number of classes C. */
  readonly classes: number;
  /** Step of the centre update. Default 0.5 (`'paper'`), 0.95 (`'facenet'`: the share of a centre that is kept). */
  readonly alpha?: number;
  /**
   * `'paper'` (Caffe): ½‖f − c‖², centres move by α·Σ(c − f)/(1 + n). `'facenet'`: ½‖f − c‖², centres move by
   * (1 − α)·Σ(c − f), no count. `'sgd'` (Zhou): ‖f − c‖² without ½, centres get an ordinary gradient. Default `'paper'`.
   */
  readonly convention?: 'paper' | 'facenet' | 'sgd';
}

export interface CenterResult extends LossResult {
  /** The centres after the update (`'sgd'`: unchanged). */
  readonly centers: FloatArray;
  /** d value / d centres, C×d: what an optimiser would use; the paper does not. */
  readonly centerGradient: FloatArray;
}

/**
 * Distance of N×d features to their class's centre (C×d), with the centre update of the paper.
 *
 * Source: Wen et al., "A Discriminative Feature Learning Approach", ECCV 2016, Eq. 2–4.
 */
export function centerLoss(
  features: FloatArray,
  centers: FloatArray,
  labels: ArrayLike<number>,
  options: CenterOptions,
): CenterResult {
  const { dimensions, classes, convention = 'paper' } = options;
  choiceOption('convention', convention, ['paper', 'facenet', 'sgd']);
  const alpha = options.alpha ?? (convention === 'facenet' ? 0.95 : 0.5);
  const samples = rowCount('features', features, dimensions);
  expectLength('centers', centers, classes * dimensions);
  checkLabels(labels, samples, classes);
  const buffers = openLoss(features, samples, options);
  const { gradient, terms, scale } = buffers;
  const half = convention === 'sgd' ? 1 : 0.5;
  const pull = new Float64Array(classes * dimensions); // Σ(c − f) of each class
  const members = new Int32Array(classes);
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const label = labels[i]!;
    members[label]!++;
    let squares = 0;
    for (let k = 0; k < dimensions; k++) {
      const d = features[i * dimensions + k]! - centers[label * dimensions + k]!;
      squares += d * d;
      pull[label * dimensions + k]! -= d;
      gradient[i * dimensions + k] = 2 * half * d * scale;
    }
    sum += half * squares;
    if (terms !== undefined) terms[i] = half * squares;
  }
  let stray = 0; // NaN where a centre is not finite, of a class without members too
  const moved = sameType(centers, centers.length);
  const centerGradient = sameType(centers, centers.length);
  for (let c = 0; c < classes; c++) {
    const step = convention === 'sgd' ? 0 : convention === 'facenet' ? 1 - alpha : alpha / (1 + members[c]!);
    for (let k = c * dimensions; k < (c + 1) * dimensions; k++) {
      moved[k] = centers[k]! - step * pull[k]!;
      stray += moved[k]! * 0;
      centerGradient[k] = 2 * half * pull[k]! * scale;
    }
  }
  const result = closeLoss('centerLoss', sum + stray, buffers, ['features', features], ['centers', centers]);
  return { ...result, centers: moved, centerGradient };
}
