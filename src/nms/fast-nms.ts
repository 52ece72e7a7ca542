/** Fast NMS: every box against all better ones at once, also against suppressed ones. */
import type { BoxArray } from '../boxes/types.ts';
import { choiceOption } from '../options.ts';
import { numberOption } from './input.ts';
import { rankedGroups, Survivors } from './ranked.ts';
import type { NmsOptions, ScoreArray, Suppression } from './types.ts';

/**
 * Keeps a box when no better box of its class is too similar, whether that one is kept or not: one pass, at the price
 * of suppressing more than greedy NMS does.
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N; returns indices and unchanged scores, score-descending, ties by lower index.
 * `comparator: '>='` is Ultralytics' rule (keep < threshold), `'>'`, the default, YOLACT's (keep <= threshold). YOLACT
 * enters at most 200 boxes: `maxCandidates: 200`. Source: Bolya et al., ICCV 2019, section 3.4.
 */
export function fastNms(boxes: BoxArray, scores: ScoreArray, options: NmsOptions = {}): Suppression {
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const inclusive =
    choiceOption('comparator', options.comparator ?? (options.preset === 'ultralytics' ? '>=' : '>'), [
      '>',
      '>=',
    ]) === '>=';
  const survivors = new Survivors(scores);
  for (const group of rankedGroups(boxes, scores, options)) {
    for (let j = 0; j < group.count; j++) {
      if (group.anyAbove(j, 0, j, threshold, inclusive)) continue;
      const index = group.indices[j]!;
      survivors.add(index, scores[index]!);
    }
  }
  return survivors.finish(options.maxDetections);
}
