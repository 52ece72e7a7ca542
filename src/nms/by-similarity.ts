/** Greedy suppression of anything that can be compared: masks, poses, rotated boxes, a caller's own objects. */
import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { bucketByClass } from './classes.ts';
import { isClassAware, limitOption, numberOption, requireClassIds, requireFloats } from './input.ts';
import { orderByScore } from './order.ts';
import type { NmsOptions, ScoreArray } from './types.ts';

export type SimilarityNmsOptions = Omit<NmsOptions, 'metric' | 'preset' | 'pixelOffset'>;

/**
 * {@link nms} over N objects compared by `similarity(index, kept)`: walks them by descending score, keeps the first of
 * its class that no kept one is too similar to.
 *
 * `scores` N; a NaN or infinite score is never kept, a NaN similarity never suppresses. Returns kept indices,
 * score-descending, ties by lower index. Compares each object with kept ones only, oldest first: N × kept at most.
 *
 * @example
 * nmsBySimilarity(scores, (i, k) => Math.exp(-distance(i, k)), { iouThreshold: 0.7 });
 */
export function nmsBySimilarity(
  scores: ScoreArray,
  similarity: (index: number, kept: number) => number,
  options: SimilarityNmsOptions = {},
): Uint32Array<ArrayBuffer> {
  requireFloats('scores', scores);
  if (typeof similarity !== 'function')
    throw new OptionError('similarity: expected a function of two indices');
  const { classIds } = options;
  requireClassIds(classIds, scores.length);
  const classAware = isClassAware(options.scope, classIds);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const inclusive = choiceOption('comparator', options.comparator, ['>', '>=']) === '>=';
  const given = numberOption('scoreThreshold', options.scoreThreshold, Number.NEGATIVE_INFINITY);
  const floor = scores instanceof Float32Array ? Math.fround(given) : given;
  const limit = limitOption('maxDetections', options.maxDetections);
  const entering = Uint32Array.from(
    Array.from(scores.keys()).filter((i) => scores[i]! > floor && scores[i]! < Number.POSITIVE_INFINITY),
  );
  const ordered = orderByScore(scores, entering);
  const order = ordered.slice(
    0,
    Math.min(ordered.length, limitOption('maxCandidates', options.maxCandidates)),
  );

  const suppresses = (index: number, kept: number): boolean => {
    const value = similarity(index, kept);
    return value > threshold || (inclusive && value === threshold);
  };
  const kept = new Set<number>();
  const { members, starts } = classAware
    ? bucketByClass(order, classIds!)
    : { members: order, starts: [0, order.length] };
  for (let b = 0; b + 1 < starts.length; b++) {
    const ofClass: number[] = [];
    for (let at = starts[b]!; at < starts[b + 1]! && ofClass.length < limit; at++) {
      const index = members[at]!;
      if (ofClass.some((other) => suppresses(index, other))) continue;
      ofClass.push(index);
      kept.add(index);
    }
  }
  const result = order.filter((index) => kept.has(index));
  return result.length > limit ? result.slice(0, limit) : result;
}
