/** Suppression restated plainly, from a full matrix: slow and readable, apart from the code under test. */

export interface Ranked {
  /** Indices best first. */
  readonly order: readonly number[];
  /** similarity(i, j) of boxes i and j. */
  readonly similarity: (i: number, j: number) => number;
  readonly sameClass: (i: number, j: number) => boolean;
  readonly scores: ArrayLike<number>;
}

/** Indices best first, ties by lower index. */
export function rank(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Greedy NMS over an N×N matrix of similarities, row = the box that may be suppressed. */
export function greedyReference(
  { order, similarity, sameClass }: Ranked,
  threshold: number,
  inclusive = false,
): number[] {
  const kept: number[] = [];
  for (const i of order) {
    const suppressed = kept.some((k) => {
      const value = similarity(i, k);
      return sameClass(i, k) && (value > threshold || (inclusive && value === threshold));
    });
    if (!suppressed) kept.push(i);
  }
  return kept;
}

/** Soft-NMS as the paper writes it: take the best, lower all others, drop the low ones. */
export function softReference(
  { order, similarity, sameClass, scores }: Ranked,
  weight: (similarity: number) => number,
  floor: number,
): { indices: number[]; scores: number[] } {
  const left = new Map(order.filter((i) => scores[i]! > floor).map((i) => [i, scores[i]!]));
  const result = { indices: [] as number[], scores: [] as number[] };
  while (left.size > 0) {
    const [best, score] = [...left].reduce((a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a));
    left.delete(best);
    result.indices.push(best);
    result.scores.push(score);
    for (const [i, old] of left) {
      const lowered = sameClass(i, best) ? old * weight(similarity(i, best)) : old;
      if (lowered > floor) left.set(i, lowered);
      else left.delete(i);
    }
  }
  return result;
}

/** SOLOv2's matrix NMS over dense matrices, as mmdetection's mask_matrix_nms computes it. */
export function matrixReference(
  { order, similarity, sameClass, scores }: Ranked,
  f: (similarity: number) => number,
): Map<number, number> {
  const decayed = new Map<number, number>();
  const iou = (i: number, j: number): number =>
    sameClass(order[i]!, order[j]!) ? similarity(order[i]!, order[j]!) : 0;
  const compensation = order.map((_, i) => Math.max(0, ...order.slice(0, i).map((__, k) => iou(k, i))));
  order.forEach((index, j) => {
    let decay = 1;
    for (let i = 0; i < j; i++) decay = Math.min(decay, f(iou(i, j)) / f(compensation[i]!));
    decayed.set(index, scores[index]! * decay);
  });
  return decayed;
}
