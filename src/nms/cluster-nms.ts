/** Cluster-NMS: suppression as a fixed point, with scores or boxes refined by the suppressed. */
import type { BoxArray } from '../boxes/types.ts';
import { choiceOption } from '../options.ts';
import { limitOption, numberOption } from './input.ts';
import { type RankedGroup, rankedGroups, Survivors } from './ranked.ts';
import type { MovingSuppression, NmsOptions, ScoreArray } from './types.ts';
import { gatherBoxes } from './voting.ts';

export interface ClusterNmsOptions extends NmsOptions {
  /**
   * `'plain'` keeps what the fixed point keeps; `'spm'` multiplies each score by exp(−s²/0.2) for every kept better box at
   * similarity s and keeps by score; `'spm-dist'` forgives distant centres; `'weighted'` averages each kept box with
   * the boxes above 0.8 that it suppresses. Default `'plain'`.
   */
  readonly variant?: 'plain' | 'spm' | 'spm-dist' | 'weighted';
  /** Survivors' (new) scores must be above this. Default 0.01. */
  readonly postThreshold?: number;
  /** Rounds at most; greedy NMS's result needs as many as the longest chain of overlaps. Default 200. */
  readonly maxIterations?: number;
}

/**
 * Repeats "a box is suppressed when a box not suppressed in the last round is too similar and better" until nothing
 * changes; the fixed point is greedy NMS's result.
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N; returns indices, new scores and boxes, score-descending, ties by lower index.
 * Cost N², memory by overlapping pairs. The source enters at most 200 boxes and uses DIoU with exponent 0.9 for its
 * Cluster-DIoU-NMS: `maxCandidates: 200`, `metric: distanceIou({ exponent: 0.9 })`.
 * Source: Zheng et al., IEEE Trans. Cybernetics 2021, algorithm 1; the authors' `cluster_nms`.
 */
export function clusterNms(
  boxes: BoxArray,
  scores: ScoreArray,
  options: ClusterNmsOptions = {},
): MovingSuppression {
  const variant = choiceOption('variant', options.variant, ['plain', 'spm', 'spm-dist', 'weighted']);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const inclusive = choiceOption('comparator', options.comparator, ['>', '>=']) === '>=';
  const floor = numberOption('postThreshold', options.postThreshold, 0.01);
  const rounds = limitOption('maxIterations', options.maxIterations ?? 200);
  const survivors = new Survivors(scores);
  const moved = Float64Array.from(boxes);
  for (const group of rankedGroups(boxes, scores, options)) {
    const alive = fixedPoint(group, threshold, inclusive, rounds);
    const newScores = Float64Array.from(group.indices, (index) => scores[index]!);
    if (variant === 'spm' || variant === 'spm-dist') decay(group, alive, newScores, variant === 'spm-dist');
    if (variant === 'weighted') average(group, alive, newScores, moved);
    for (let i = 0; i < group.count; i++) {
      const stays = variant === 'plain' || variant === 'weighted' ? alive[i] === 1 : true;
      if (stays && newScores[i]! > floor) survivors.add(group.indices[i]!, newScores[i]!);
    }
  }
  const result = survivors.finish(options.maxDetections);
  return { ...result, boxes: gatherBoxes(moved, result.indices, boxes) };
}

/** Rounds over the lists of better overlapping boxes, all boxes at once. */
function fixedPoint(group: RankedGroup, threshold: number, inclusive: boolean, rounds: number): Uint8Array {
  const { count } = group;
  const row = new Float64Array(count);
  const better: number[][] = [];
  for (let j = 0; j < count; j++) {
    const list: number[] = [];
    group.row(j, 0, j, row);
    for (let i = 0; i < j; i++) {
      if (row[i]! > threshold || (inclusive && row[i] === threshold)) list.push(i);
    }
    better.push(list);
  }
  let alive = new Uint8Array(count).fill(1);
  for (let round = 0; round < rounds; round++) {
    const next = new Uint8Array(count);
    let changed = false;
    for (let j = 0; j < count; j++) {
      const before = alive;
      next[j] = better[j]!.some((i) => before[i] === 1) ? 0 : 1;
      if (next[j] !== alive[j]) changed = true;
    }
    alive = next;
    if (!changed) break;
  }
  return alive;
}

/** Score penalty: every kept box lowers all worse ones. */
function decay(group: RankedGroup, alive: Uint8Array, scores: Float64Array, withDistance: boolean): void {
  const { count } = group;
  const row = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if (alive[i] === 0) continue;
    group.against(i, i + 1, count, row);
    for (let j = i + 1; j < count; j++) {
      const similarity = row[j - i - 1]!;
      let factor = Math.exp((-similarity * similarity) / 0.2);
      if (withDistance && similarity > 0) factor = Math.min(1, factor + centreShare(group, i, j) ** 0.6);
      scores[j]! *= factor;
    }
  }
}

/** ρ²/c²: squared centre distance over the squared diagonal of the enclosing box. */
function centreShare({ x1, y1, x2, y2 }: RankedGroup, i: number, j: number): number {
  const dx = (x1[i]! + x2[i]! - x1[j]! - x2[j]!) / 2;
  const dy = (y1[i]! + y2[i]! - y1[j]! - y2[j]!) / 2;
  const width = Math.max(x2[i]!, x2[j]!) - Math.min(x1[i]!, x1[j]!);
  const height = Math.max(y2[i]!, y2[j]!) - Math.min(y1[i]!, y1[j]!);
  const diagonal = width * width + height * height;
  return diagonal > 0 ? (dx * dx + dy * dy) / diagonal : 0;
}

/** Moves each kept box to the mean of itself and the worse boxes above 0.8, weighted by similarity · score. */
function average(group: RankedGroup, alive: Uint8Array, scores: Float64Array, moved: Float64Array): void {
  const { count, indices, metric } = group;
  const columns = [group.x1, group.y1, group.x2, group.y2];
  const row = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if (alive[i] === 0) continue;
    group.against(i, i + 1, count, row);
    let total = scores[i]!;
    let joined = false;
    const sums = columns.map((column) => column[i]! * total);
    for (let j = i + 1; j < count; j++) {
      const similarity = row[j - i - 1]!;
      if (!(similarity > 0.8)) continue;
      const weight = similarity * scores[j]!;
      total += weight;
      joined = true;
      for (let c = 0; c < 4; c++) sums[c]! += columns[c]![j]! * weight;
    }
    if (!joined || !(total > 0)) continue;
    for (let c = 0; c < 4; c++) {
      moved[4 * indices[i]! + c] = sums[c]! / total - (c > 1 ? metric.pixelOffset : 0);
    }
  }
}
