/** The second half of TaskAligned assignment: one ground truth a prior, and soft targets. */
import type { PairSimilarities } from './overlap-scan.ts';
import type { TaskAlignedRule } from './task-aligned.ts';
import type { Assignment } from './types.ts';

/** Candidates of all ground truths, one after the other: rows `starts[g]` to `starts[g + 1]` belong to g. */
export interface TaskAlignedTable {
  readonly starts: number[];
  readonly priors: number[];
  readonly overlaps: number[];
  readonly alignments: number[];
  /** 1 where the ground truth takes the prior. */
  readonly taken: number[];
}

/** Gives each taken prior to one ground truth; `taken` is left set in that ground truth's row only. */
export function resolveClaims(
  table: TaskAlignedTable,
  gts: number,
  rule: TaskAlignedRule,
  { gtIndices, overlaps }: Assignment,
  similarities: PairSimilarities,
): void {
  const claims = new Map<number, number>();
  for (let g = 0; g < gts; g++) {
    for (let row = table.starts[g]!; row < table.starts[g + 1]!; row++) {
      if (table.taken[row] !== 1) continue;
      const j = table.priors[row]!;
      claims.set(j, (claims.get(j) ?? 0) + 1);
      gtIndices[j] = g;
      overlaps[j] = table.overlaps[row]!;
    }
  }
  const contested = new Set<number>();
  for (const [j, count] of claims) if (count > 1) contested.add(j);
  if (contested.size === 0) return;
  for (const j of contested) {
    gtIndices[j] = 0; // where no overlap is above 0 the first ground truth has the greatest
    overlaps[j] = 0;
  }
  for (let g = 0; g < gts; g++) {
    if (rule === 'mmyolo') {
      for (const j of contested) raise(j, g, Math.max(0, similarities.pair(g, j)));
      continue;
    }
    for (let row = table.starts[g]!; row < table.starts[g + 1]!; row++) {
      const j = table.priors[row]!;
      if (!contested.has(j) || (rule === 'mmdetection' && table.taken[row] !== 1)) continue;
      raise(j, g, table.overlaps[row]!);
    }
  }
  function raise(j: number, g: number, overlap: number): void {
    if (!(overlap > overlaps[j]!)) return;
    overlaps[j] = overlap;
    gtIndices[j] = g;
  }
}

/** weight = alignment · (largest overlap of the ground truth's priors) / (their largest alignment + eps). */
export function normaliseWeights(
  table: TaskAlignedTable,
  gts: number,
  eps: number,
  result: Assignment,
): void {
  const { gtIndices, weights } = result;
  for (let g = 0; g < gts; g++) {
    let alignment = 0;
    let overlap = 0;
    for (let row = table.starts[g]!; row < table.starts[g + 1]!; row++) {
      if (gtIndices[table.priors[row]!] !== g) continue;
      alignment = Math.max(alignment, table.alignments[row]!);
      overlap = Math.max(overlap, table.overlaps[row]!);
    }
    for (let row = table.starts[g]!; row < table.starts[g + 1]!; row++) {
      const j = table.priors[row]!;
      if (gtIndices[j] === g) weights![j] = (table.alignments[row]! * overlap) / (alignment + eps);
    }
  }
}
