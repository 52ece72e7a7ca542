/** Soft-NMS: overlap lowers scores instead of dropping boxes. */
import type { BoxArray } from '../boxes/types.ts';
import { pixelOffsetOf } from '../iou/conventions.ts';
import { choiceOption } from '../options.ts';
import { limitOption, numberOption, positiveOption } from './input.ts';
import { type RankedGroup, rankedGroups, Survivors } from './ranked.ts';
import { ScoreHeap } from './score-heap.ts';
import type { RankedOptions, ScoreArray, Suppression } from './types.ts';

export interface SoftNmsOptions extends RankedOptions {
  /** `'linear'`: s·(1 − iou) from the threshold on; `'gaussian'`: s·exp(−iou²/σ) always; `'hard'`: 0. Default `'gaussian'`, as TensorFlow has it; mmcv's default is `'linear'`. */
  readonly method?: 'gaussian' | 'linear' | 'hard';
  /** Overlap from which linear and hard act. Default 0.3. */
  readonly iouThreshold?: number;
  /** `'>='` acts at the threshold (paper, mmcv), `'>'` above it (ensemble-boxes). Default `'>='`. */
  readonly comparator?: '>' | '>=';
  /** Width of the Gaussian. Default 0.5. */
  readonly sigma?: number;
  /** `'paper'`: exp(−iou²/σ) (paper, mmcv); `'tensorflow'`: exp(−iou²/2σ). Default `'paper'`, by preset otherwise. */
  readonly sigmaConvention?: 'paper' | 'tensorflow';
  /** A box goes when its lowered score no longer compares true against this. Default 0.001. */
  readonly scoreThreshold?: number;
  /** `'>'` (TensorFlow) or `'>='` (mmcv). Default `'>'`, by preset otherwise. */
  readonly scoreComparator?: '>' | '>=';
  /** Scores to return: `'lowered'`, or `'original'` as ensemble-boxes does. Default `'lowered'`. */
  readonly returnScores?: 'lowered' | 'original';
}

/**
 * Picks the best box, lowers the scores of what overlaps it, and repeats until nothing is left above the threshold.
 *
 * Shapes: `boxes` 4·N as `x1,y1,x2,y2`, `scores` N. Returns indices and lowered scores in the order of selection, which
 * is score-descending; ties: lower index first. Cost N × kept. Class scope, bad numbers and errors as in {@link nms}.
 * Source: Bodla et al., ICCV 2017, equations 3 and 4; presets `mmdetection` (mmcv `soft_nms`) and `tensorflow`
 * (`non_max_suppression_with_scores`).
 *
 * @example
 * softNms(boxes, scores, { method: 'linear', iouThreshold: 0.3 }); // { indices, scores }
 */
export function softNms(boxes: BoxArray, scores: ScoreArray, options: SoftNmsOptions = {}): Suppression {
  pixelOffsetOf(options);
  const { preset } = options;
  const method = choiceOption('method', options.method, ['gaussian', 'linear', 'hard']);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.3);
  const inclusive = choiceOption('comparator', options.comparator, ['>=', '>']) === '>=';
  const sigma = positiveOption('sigma', options.sigma, 0.5);
  const convention = choiceOption(
    'sigmaConvention',
    options.sigmaConvention ?? (preset === 'tensorflow' ? 'tensorflow' : 'paper'),
    ['paper', 'tensorflow'],
  );
  const scale = convention === 'paper' ? -1 / sigma : -0.5 / sigma;
  const floor = numberOption('scoreThreshold', options.scoreThreshold, 0.001);
  const atFloor =
    choiceOption('scoreComparator', options.scoreComparator ?? (preset === 'mmdetection' ? '>=' : '>'), [
      '>',
      '>=',
    ]) === '>=';
  const original = choiceOption('returnScores', options.returnScores, ['lowered', 'original']) === 'original';
  const limit = limitOption('maxDetections', options.maxDetections);
  const weight = (iou: number): number => {
    if (method === 'gaussian') return Math.exp(scale * iou * iou);
    if (iou < threshold || (iou === threshold && !inclusive)) return 1;
    return method === 'linear' ? 1 - iou : 0;
  };
  const passes = (score: number): boolean => score > floor || (atFloor && score === floor);

  const survivors = new Survivors(scores);
  const { scoreThreshold: _, ...rest } = options;
  for (const group of rankedGroups(boxes, scores, rest)) {
    select(group, scores, weight, passes, limit, (index, score) =>
      survivors.add(index, original ? scores[index]! : score),
    );
  }
  return survivors.finish(options.maxDetections);
}

/**
 * Lazy form of the algorithm: a box meets the boxes selected since it was last looked at only when it comes to the top,
 * each once, in the order of selection; so the products are those of the plain form.
 */
function select(
  group: RankedGroup,
  scores: ScoreArray,
  weight: (iou: number) => number,
  passes: (score: number) => boolean,
  limit: number,
  found: (index: number, score: number) => void,
): void {
  const { count, indices } = group;
  const current = Float64Array.from(indices, (index) => scores[index]!);
  const seen = new Uint32Array(count);
  const heap = new ScoreHeap(current, indices);
  for (let i = 0; i < count; i++) if (passes(current[i]!)) heap.push(i);
  const selected: number[] = [];
  const similarity = new Float64Array(1);
  while (heap.size > 0 && selected.length < limit) {
    const top = heap.pop();
    const before = current[top]!;
    let score = before;
    for (let k = seen[top]!; k < selected.length && passes(score); k++) {
      group.against(selected[k]!, top, top + 1, similarity);
      score *= weight(similarity[0]!);
    }
    seen[top] = selected.length;
    current[top] = score;
    if (score === before) {
      selected.push(top);
      found(indices[top]!, score);
    } else if (passes(score)) {
      heap.push(top);
    }
  }
}
