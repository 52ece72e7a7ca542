/** Moving kept boxes to a weighted mean of their candidates: what the voting rules share. */
import type { BoxArray } from '../boxes/types.ts';
import { choiceOption } from '../options.ts';
import { limitOption, numberOption } from './input.ts';
import { type RankedGroup, rankedGroups, Survivors } from './ranked.ts';
import type { MovingSuppression, NmsOptions, ScoreArray } from './types.ts';

/** Writes the weights of a candidate's four coordinates, all 0 for one that has no vote. */
export type VoteWeights = (similarity: number, candidate: number, weights: Float64Array) => void;

export interface Vote {
  readonly weights: VoteWeights;
  /** New score of a kept box, from its votes; by default it stays. */
  readonly score?: (kept: number, voters: readonly number[]) => number;
}

/** Greedy NMS, then each kept box becomes the weighted mean of all candidates of its class that have a vote. */
export function voteAfterNms(
  boxes: BoxArray,
  scores: ScoreArray,
  options: NmsOptions,
  vote: Vote,
): MovingSuppression {
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const inclusive = choiceOption('comparator', options.comparator, ['>', '>=']) === '>=';
  const limit = limitOption('maxDetections', options.maxDetections);
  const survivors = new Survivors(scores);
  const moved = Float64Array.from(boxes);
  for (const group of rankedGroups(boxes, scores, options)) {
    const row = new Float64Array(group.count);
    const suppressed = new Uint8Array(group.count);
    let kept = 0;
    for (let i = 0; i < group.count && kept < limit; i++) {
      if (suppressed[i] === 1) continue;
      kept++;
      group.against(i, 0, group.count, row);
      for (let j = i + 1; j < group.count; j++) {
        if (row[j]! > threshold || (inclusive && row[j] === threshold)) suppressed[j] = 1;
      }
      const index = group.indices[i]!;
      const voters = moveByVotes(group, i, row, vote.weights, moved);
      survivors.add(index, vote.score?.(index, voters) ?? scores[index]!);
    }
  }
  const result = survivors.finish(options.maxDetections);
  return { ...result, boxes: gatherBoxes(moved, result.indices, boxes) };
}

/** Moves box i of the group; returns the indices of the candidates that voted. */
export function moveByVotes(
  group: RankedGroup,
  i: number,
  similarities: Float64Array,
  weightsOf: VoteWeights,
  moved: Float64Array,
): number[] {
  const { count, indices, metric } = group;
  const columns = [group.x1, group.y1, group.x2, group.y2] as const;
  const weights = new Float64Array(4);
  const sums = new Float64Array(4);
  const totals = new Float64Array(4);
  const voters: number[] = [];
  for (let j = 0; j < count; j++) {
    weights.fill(0);
    weightsOf(similarities[j]!, indices[j]!, weights);
    if (!(weights[0]! > 0)) continue;
    voters.push(indices[j]!);
    for (let c = 0; c < 4; c++) {
      totals[c]! += weights[c]!;
      sums[c]! += weights[c]! * columns[c]![j]!;
    }
  }
  for (let c = 0; c < 4; c++) {
    if (totals[c]! > 0) {
      moved[4 * indices[i]! + c] = sums[c]! / totals[c]! - (c > 1 ? metric.pixelOffset : 0);
    }
  }
  return voters;
}

/** The boxes of some indices, in the precision of `like`. */
export function gatherBoxes(
  all: BoxArray,
  indices: Uint32Array,
  like: BoxArray,
): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  const length = 4 * indices.length;
  const result = like instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  for (let i = 0; i < indices.length; i++) {
    for (let c = 0; c < 4; c++) result[4 * i + c] = all[4 * indices[i]! + c]!;
  }
  return result;
}
