/** Adaptive NMS: in a crowd a box tolerates more overlap, as much as the density predicted for it. */

import { expectLength } from '../boxes/check.ts';
import type { BoxArray } from '../boxes/types.ts';
import { choiceOption } from '../options.ts';
import { numberOption, requireFloats } from './input.ts';
import { rankedGroups, Survivors } from './ranked.ts';
import type { NmsOptions, ScoreArray, Suppression } from './types.ts';

export interface AdaptiveNmsOptions extends NmsOptions {
  /** N predicted densities in 0..1: the largest overlap of the object with another. */
  readonly densities: BoxArray;
}

/**
 * Greedy NMS whose threshold for box i's victims is max(iouThreshold, density_i).
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N; returns indices and unchanged scores, score-descending, ties by lower index.
 * A NaN density counts as 0. Cost N × kept. Source: Liu, Huang and Wang, CVPR 2019, algorithm 1.
 */
export function adaptiveNms(boxes: BoxArray, scores: ScoreArray, options: AdaptiveNmsOptions): Suppression {
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const inclusive = choiceOption('comparator', options.comparator, ['>', '>=']) === '>=';
  const { densities } = options;
  requireFloats('densities', densities);
  expectLength('densities', densities.length, scores.length);
  const survivors = new Survivors(scores);
  for (const group of rankedGroups(boxes, scores, options)) {
    const { count, indices } = group;
    const suppressed = new Uint8Array(count);
    const row = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      if (suppressed[i] === 1) continue;
      const index = indices[i]!;
      survivors.add(index, scores[index]!);
      const density = densities[index]!;
      const limit = density > threshold ? density : threshold;
      group.against(i, i + 1, count, row);
      for (let j = i + 1; j < count; j++) {
        const iou = row[j - i - 1]!;
        if (iou > limit || (inclusive && iou === limit)) suppressed[j] = 1;
      }
    }
  }
  return survivors.finish(options.maxDetections);
}
