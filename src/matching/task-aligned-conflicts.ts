/** The second half of TaskAligned assignment: one ground truth a prior, and soft targets. */
import type { Assignment } from './types.ts';

/** Whose conventions. */
export type TaskAlignedRule = 'ultralytics' | 'mmyolo' | 'mmdetection';

/** Candidates of all ground truths, one after the other: rows `starts[g]` to `starts[g + 1]` belong to g. */
export interface TaskAlignedTable {
  readonly starts: number[];
  readonly priors: number[];
  readonly overlaps: number[];
  readonly alignments: number[];
  /** 1 where the ground truth takes the prior. */
  readonly taken: number[];
}

/** Overlap and alignment of a ground truth with a prior that need not be among its candidates. */
export type Measure = (gt: number, prior: number) => { readonly overlap: number; readonly alignment: number };

/** Gives each taken prior to one ground truth. `weights` hold the alignment of the match. */
export function resolveClaims(
  table: TaskAlignedTable,
  gts: number,
  rule: TaskAlignedRule,
  { gtIndices, overlaps, weights }: Assignment,
  measure: Measure,
): void {
  const claims = new Map<number, number>();
  const assign = (j: number, g: number, overlap: number, alignment: number): void => {
    gtIndices[j] = g;
    overlaps[j] = overlap;
    weights![j] = alignment;
  };
  const contested = new Set<number>();
  for (let g = 0; g < gts; g++) {
    for (let row = table.starts[g]!; row < table.starts[g + 1]!; row++) {
      if (table.taken[row] !== 1) continue;
      const j = table.priors[row]!;
      if (claims.has(j)) contested.add(j);
      claims.set(j, g);
      assign(j, g, table.overlaps[row]!, table.alignments[row]!);
    }
  }
  // where no overlap is above 0 the first ground truth has the greatest
  for (const j of contested) assign(j, 0, 0, 0);
  if (rule === 'mmyolo') {
    for (const j of contested) {
      for (let g = 0; g < gts; g++) {
        const { overlap, alignment } = measure(g, j);
        if (overlap > overlaps[j]!) assign(j, g, overlap, alignment);
      }
    }
    return;
  }
  for (let g = 0; contested.size > 0 && g < gts; g++) {
    for (let row = table.starts[g]!; row < table.starts[g + 1]!; row++) {
      const j = table.priors[row]!;
      if (!contested.has(j) || (rule === 'mmdetection' && table.taken[row] !== 1)) continue;
      const overlap = table.overlaps[row]!;
      if (overlap > overlaps[j]!) assign(j, g, overlap, table.alignments[row]!);
    }
  }
}

/** weight = alignment · (largest overlap of the ground truth's priors) / (their largest alignment + eps). */
export function normaliseWeights(
  gts: number,
  eps: number,
  { gtIndices, overlaps, weights }: Assignment,
): void {
  const alignment = new Float64Array(gts);
  const overlap = new Float64Array(gts);
  for (let j = 0; j < gtIndices.length; j++) {
    const gt = gtIndices[j]!;
    if (gt < 0) continue;
    alignment[gt] = Math.max(alignment[gt]!, weights![j]!);
    overlap[gt] = Math.max(overlap[gt]!, overlaps[j]!);
  }
  for (let j = 0; j < gtIndices.length; j++) {
    const gt = gtIndices[j]!;
    if (gt >= 0) weights![j] = (weights![j]! * overlap[gt]!) / (alignment[gt]! + eps);
  }
}
