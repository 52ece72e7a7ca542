/** BlazeFace's weighted NMS: a group of overlapping faces becomes its score-weighted mean, keypoints included. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { numberOption, requireFloats } from './input.ts';
import { rankedGroups, Survivors } from './ranked.ts';
import type { MovingSuppression, NmsOptions, ScoreArray } from './types.ts';
import { gatherBoxes } from './voting.ts';

export interface WeightedNmsOptions extends NmsOptions {
  /** K·N numbers, averaged like the corners: keypoints as x,y pairs for example. */
  readonly keypoints?: BoxArray;
  /** Score of a group: the mean (BlazeFace-PyTorch) or the best (MediaPipe). Default `'mean'`. */
  readonly score?: 'mean' | 'max';
}

export interface WeightedSuppression extends MovingSuppression {
  /** K numbers a survivor; present when `keypoints` came in. */
  readonly keypoints?: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

/**
 * Takes the best box, averages it with every remaining box above the threshold, weighted by score, and goes on with the
 * rest. Unlike voting after NMS, each box belongs to one group.
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N; the default threshold is 0.3. Returns the seeds' indices, group scores, mean
 * boxes and keypoints, score-descending, ties by lower index.
 * Source: Bazarevsky et al., BlazeFace, 2019; MediaPipe's weighted non-max suppression.
 */
export function weightedNms(
  boxes: BoxArray,
  scores: ScoreArray,
  options: WeightedNmsOptions = {},
): WeightedSuppression {
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.3);
  const inclusive = choiceOption('comparator', options.comparator, ['>', '>=']) === '>=';
  const rule = choiceOption('score', options.score, ['mean', 'max']);
  const { keypoints } = options;
  if (keypoints !== undefined) requireFloats('keypoints', keypoints);
  const perBox = keypoints === undefined || scores.length === 0 ? 0 : keypoints.length / scores.length;
  if (!Number.isInteger(perBox)) {
    throw new ShapeError(
      `keypoints: expected a multiple of ${scores.length} numbers, got ${keypoints!.length}`,
    );
  }
  const survivors = new Survivors(scores);
  const movedBoxes = Float64Array.from(boxes);
  const movedPoints = keypoints === undefined ? new Float64Array(0) : Float64Array.from(keypoints);
  for (const group of rankedGroups(boxes, scores, options)) {
    const taken = new Uint8Array(group.count);
    const row = new Float64Array(group.count);
    for (let i = 0; i < group.count; i++) {
      if (taken[i] === 1) continue;
      const seed = group.indices[i]!;
      const members = [seed];
      group.against(i, i + 1, group.count, row);
      for (let j = i + 1; j < group.count; j++) {
        const similarity = row[j - i - 1]!;
        if (taken[j] === 1 || !(similarity > threshold || (inclusive && similarity === threshold))) continue;
        taken[j] = 1;
        members.push(group.indices[j]!);
      }
      const total = members.reduce((sum, member) => sum + scores[member]!, 0);
      const mean = rule === 'mean' ? total / members.length : scores[seed]!;
      survivors.add(seed, mean);
      if (members.length === 1 || !(total > 0)) continue;
      averageInto(movedBoxes, boxes, 4, seed, members, scores, total);
      if (keypoints !== undefined) averageInto(movedPoints, keypoints, perBox, seed, members, scores, total);
    }
  }
  const result = survivors.finish(options.maxDetections);
  const moved = { ...result, boxes: gatherBoxes(movedBoxes, result.indices, boxes) };
  if (keypoints === undefined) return moved;
  const points =
    keypoints instanceof Float32Array
      ? new Float32Array(perBox * result.indices.length)
      : new Float64Array(perBox * result.indices.length);
  for (let i = 0; i < result.indices.length; i++) {
    for (let k = 0; k < perBox; k++) points[perBox * i + k] = movedPoints[perBox * result.indices[i]! + k]!;
  }
  return { ...moved, keypoints: points };
}

function averageInto(
  target: Float64Array,
  source: BoxArray,
  width: number,
  seed: number,
  members: readonly number[],
  scores: ScoreArray,
  total: number,
): void {
  for (let k = 0; k < width; k++) {
    let sum = 0;
    for (const member of members) sum += source[width * member + k]! * scores[member]!;
    target[width * seed + k] = sum / total;
  }
}
