/** Sub-center ArcFace: several centres a class, of which the nearest counts. */

import { checkCount } from '../../options.ts';
import type { FloatArray } from '../common.ts';
import type { ArcFaceOptions } from './margin-losses.ts';
import { type MarginSoftmaxResult, marginSoftmax } from './margin-softmax.ts';
import { additiveAngle } from './margins.ts';

export interface SubCenterOptions extends ArcFaceOptions {
  /** Centres a class, K. Default 3. */
  readonly subCenters?: number;
}

/**
 * Sub-center ArcFace: a class's cosine is the largest over its K centres, and only that centre receives gradient (of
 * equal ones the first).
 *
 * `classWeights`: C×K×d. Source: Deng et al., "Sub-center ArcFace", ECCV 2020.
 */
export function subCenterArcFaceLoss(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: SubCenterOptions,
): MarginSoftmaxResult {
  const { subCenters = 3, margin = 0.5, fallback = 'linear', marginGradient = 'exact' } = options;
  checkCount('subCenters', subCenters);
  return marginSoftmax(features, classWeights, labels, options, {
    name: 'subCenterArcFaceLoss',
    scale: options.scale ?? 64,
    rule: () => additiveAngle(margin, fallback, marginGradient === 'straight-through'),
    subCenters,
  });
}
