/**
 * Precision at fixed recalls (pycocotools `accumulate`): detections of all images in one score order, cumulative
 * counts, the envelope from the right, sampled at the recall thresholds (0 past the last recall reached).
 */
import type { CategoryMatches } from './match.ts';
import type { EvaluationTensor } from './types.ts';

export interface Accumulated {
  readonly precision: EvaluationTensor;
  readonly recall: EvaluationTensor;
  readonly scores: EvaluationTensor;
}

const epsilon = Number.EPSILON;

export function accumulate(
  categories: readonly CategoryMatches[],
  thresholds: number,
  recalls: readonly number[],
  areas: number,
  maxDetections: readonly number[],
): Accumulated {
  const K = categories.length;
  const R = recalls.length;
  const M = maxDetections.length;
  const precision = new Float64Array(thresholds * R * K * areas * M).fill(-1);
  const scores = new Float64Array(precision.length).fill(-1);
  const recall = new Float64Array(thresholds * K * areas * M).fill(-1);

  categories.forEach((category, k) => {
    // a stable order of a subset is the subset of the stable order: sort once for all maxDetections
    const order = Array.from({ length: category.count }, (_, i) => i).sort(
      (a, b) => category.scores[b]! - category.scores[a]!,
    );
    const heights = new Float64Array(category.count);
    const reached = new Float64Array(category.count);
    const atScore = new Float64Array(category.count);
    for (let a = 0; a < areas; a++) {
      const positives = category.positives[a]!;
      if (positives === 0) continue;
      for (let m = 0; m < M; m++) {
        const subset = order.filter((i) => category.ranks[i]! < maxDetections[m]!);
        for (let t = 0; t < thresholds; t++) {
          const flags = category.flags[a]!;
          const offset = t * category.count;
          let hits = 0;
          let misses = 0;
          subset.forEach((i, n) => {
            const flag = flags[offset + i]!;
            if (flag === 1) hits++;
            else if (flag === 0) misses++;
            heights[n] = hits / (misses + hits + epsilon);
            reached[n] = hits / positives;
            atScore[n] = category.scores[i]!;
          });
          const length = subset.length;
          recall[((t * K + k) * areas + a) * M + m] = length > 0 ? reached[length - 1]! : 0;
          for (let n = length - 1; n > 0; n--)
            if (heights[n]! > heights[n - 1]!) heights[n - 1] = heights[n]!;
          let n = 0;
          for (let r = 0; r < R; r++) {
            while (n < length && reached[n]! < recalls[r]!) n++;
            const at = (((t * R + r) * K + k) * areas + a) * M + m;
            precision[at] = n < length ? heights[n]! : 0;
            scores[at] = n < length ? atScore[n]! : 0;
          }
        }
      }
    }
  });
  return {
    precision: { data: precision, dims: [thresholds, R, K, areas, M] },
    recall: { data: recall, dims: [thresholds, K, areas, M] },
    scores: { data: scores, dims: [thresholds, R, K, areas, M] },
  };
}
