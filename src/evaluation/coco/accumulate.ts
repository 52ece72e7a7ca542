/**
 * Precision at fixed recalls (pycocotools `accumulate`): detections of all images in one score order, cumulative
 * counts, the envelope from the right, sampled at the recall thresholds (0 past the last recall reached).
 *
 * Precision and recall rise only at true positives, so the curve is kept at those alone: at every other detection the
 * envelope is that of the next one.
 */
import { orderByScore } from '../../nms/order.ts';
import type { EvaluationTensor } from '../types.ts';
import { type CategoryMatches, MATCHED } from './match.ts';

/** Filled category by category. −1 marks entries without ground truth. */
export interface Accumulated {
  readonly precision: EvaluationTensor;
  readonly recall: EvaluationTensor;
  readonly scores: EvaluationTensor;
}

const epsilon = Number.EPSILON;

export function emptyTensors(
  thresholds: number,
  recalls: number,
  categories: number,
  areas: number,
  limits: number,
): Accumulated {
  const tensor = (...dims: number[]): EvaluationTensor => ({
    data: new Float64Array(dims.reduce((product, size) => product * size, 1)).fill(-1),
    dims,
  });
  return {
    precision: tensor(thresholds, recalls, categories, areas, limits),
    recall: tensor(thresholds, categories, areas, limits),
    scores: tensor(thresholds, recalls, categories, areas, limits),
  };
}

/** Enters the matches of the category with rank `k`. */
export function accumulate(
  { precision, recall, scores }: Accumulated,
  k: number,
  category: CategoryMatches,
  recalls: readonly number[],
  maxDetections: readonly number[],
): void {
  const [T, K, A, M] = recall.dims as [number, number, number, number];
  const R = recalls.length;
  const { count, ranks } = category;
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  // a stable order of a subset is the subset of the stable order: sort once for all maxDetections
  const order = count === 0 ? all : orderByScore(category.scores, all);
  const subsets = maxDetections.map((limit) => order.filter((i) => ranks[i]! < limit));
  const heights = new Float64Array(count);
  const reached = new Float64Array(count);
  const atScore = new Float64Array(count);
  for (let a = 0; a < A; a++) {
    const positives = category.positives[a]!;
    if (positives === 0) continue;
    const flags = category.flags[a]!;
    for (let m = 0; m < M; m++) {
      const subset = subsets[m]!;
      const length = subset.length;
      for (let t = 0; t < T; t++) {
        const offset = t * count;
        let hits = 0;
        let misses = 0;
        for (let n = 0; n < length; n++) {
          const i = subset[n]!;
          const flag = flags[offset + i]!;
          if (flag === 0) misses++;
          else if (flag === MATCHED) {
            heights[hits] = (hits + 1) / (misses + (hits + 1) + epsilon);
            reached[hits] = (hits + 1) / positives;
            atScore[hits] = category.scores[i]!;
            hits++;
          }
        }
        recall.data[((t * K + k) * A + a) * M + m] = hits / positives;
        for (let n = hits - 1; n > 0; n--) if (heights[n]! > heights[n - 1]!) heights[n - 1] = heights[n]!;
        let n = 0;
        for (let r = 0; r < R; r++) {
          const at = (((t * R + r) * K + k) * A + a) * M + m;
          // recall 0 is reached by the first detection, whatever it is
          if (recalls[r]! <= 0) {
            precision.data[at] = hits > 0 ? heights[0]! : 0;
            scores.data[at] = length > 0 ? category.scores[subset[0]!]! : 0;
            continue;
          }
          while (n < hits && reached[n]! < recalls[r]!) n++;
          precision.data[at] = n < hits ? heights[n]! : 0;
          scores.data[at] = n < hits ? atScore[n]! : 0;
        }
      }
    }
  }
}
