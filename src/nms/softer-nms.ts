/** Softer-NMS: boxes with predicted variances vote for the place of the selected one. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { positiveOption, requireFloats } from './input.ts';
import { rankedGroups } from './ranked.ts';
import { type SoftNmsOptions, softNms } from './soft-nms.ts';
import type { MovingSuppression, ScoreArray } from './types.ts';
import { gatherBoxes, moveByVotes } from './voting.ts';

export interface SofterNmsOptions extends SoftNmsOptions {
  /** 4·N: a variance a coordinate, in the boxes' unit squared. */
  readonly variances: BoxArray;
  /** `'variance'`: σ² itself; `'log'`: the network's α with σ² = exp(α). Default `'variance'`. */
  readonly varianceForm?: 'variance' | 'log';
  /** Width of the vote p = exp(−(1 − iou)²/σt). Default 0.02. */
  readonly voteSigma?: number;
}

/**
 * Soft-NMS, then each selected box's coordinate becomes Σ p·x/σ² / Σ p/σ² over the boxes of its class that touch it.
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N; returns indices, lowered scores and moved boxes, score-descending. Without a
 * touching box with a positive, finite variance a box stays. Source: He et al., CVPR 2019, section 3.4.
 */
export function softerNms(boxes: BoxArray, scores: ScoreArray, options: SofterNmsOptions): MovingSuppression {
  const { variances } = options;
  requireFloats('variances', variances);
  if (variances.length !== boxes.length) {
    throw new ShapeError(`variances: expected ${boxes.length} (4 a box), got ${variances.length}`);
  }
  const form = choiceOption('varianceForm', options.varianceForm, ['variance', 'log']);
  const sigma = positiveOption('voteSigma', options.voteSigma, 0.02);
  const result = softNms(boxes, scores, options);
  const selected = new Set(result.indices);
  const moved = Float64Array.from(boxes);
  const { scoreThreshold: _, ...rest } = options;
  for (const group of rankedGroups(boxes, scores, rest)) {
    const row = new Float64Array(group.count);
    for (let i = 0; i < group.count; i++) {
      if (!selected.has(group.indices[i]!)) continue;
      group.against(i, 0, group.count, row);
      moveByVotes(
        group,
        i,
        row,
        (similarity, candidate, weights) => {
          if (!(similarity > 0)) return;
          const p = Math.exp(-((1 - similarity) ** 2) / sigma);
          for (let c = 0; c < 4; c++) {
            const value = variances[4 * candidate + c]!;
            const weight = p / (form === 'log' ? Math.exp(value) : value);
            weights[c] = weight > 0 && weight < Number.POSITIVE_INFINITY ? weight : 0;
          }
        },
        moved,
      );
    }
  }
  return { ...result, boxes: gatherBoxes(moved, result.indices, boxes) };
}
