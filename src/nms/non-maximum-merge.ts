/** Non-maximum merging: overlapping boxes become their union, as tiled inference needs it. */
import type { BoxArray } from '../boxes/types.ts';
import { choiceOption } from '../options.ts';
import type { Fusion } from './fusion.ts';
import { numberOption } from './input.ts';
import { type RankedGroup, rankedGroups, Survivors } from './ranked.ts';
import type { NmsOptions, ScoreArray } from './types.ts';
import { gatherBoxes } from './voting.ts';

export interface NonMaximumMergeOptions extends NmsOptions {
  /** `'iou'` or `'ios'` (over the smaller box: merges a part into its whole), or any other. Default `'iou'`. */
  readonly metric?: NonNullable<NmsOptions['metric']>;
  /**
   * `'supervision'`: a group is what overlaps its seed; its score is the area-weighted mean. `'sahi'`: each member must
   * also overlap the union grown so far, else it is dropped; the score is the seed's. Default `'supervision'`.
   */
  readonly rules?: 'supervision' | 'sahi';
  /** Members bring in what overlaps them (SAHI's NMM); otherwise only the seed does (GREEDYNMM). Default false. */
  readonly transitive?: boolean;
  /**
   * `'area'`: Σ area·score / Σ area over the group (supervision since 0.28); `'pairwise'`: the same folded pair by pair
   * with the area of the union so far (supervision to 0.27); `'max'`: the seed's. Default by rules.
   */
  readonly score?: 'area' | 'pairwise' | 'max';
  /**
   * Which of equal scores comes first: the `'lower'` index, or the `'higher'`, as in supervision, which reads numpy's
   * `argsort` from its end (where that is stable: numpy's SIMD sorts leave ties in no order). Default `'lower'`.
   */
  readonly ties?: 'lower' | 'higher';
  /** `'>='`, the default here, merges at the threshold, as both libraries do. */
  readonly comparator?: '>' | '>=';
}

export interface MergeResult extends Fusion {
  /** The seed (best member) of every merged box. */
  readonly indices: Uint32Array<ArrayBuffer>;
}

/**
 * Takes the best box, merges into it every remaining box of its class at or above the threshold, and goes on with the
 * rest.
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, `scores` N. Returns unions, scores, classes (0 without `classIds`) and seeds by score, ties
 * by lower seed (see `ties`), and for every input box its row (-1: not finite, below the score threshold or dropped).
 * Sources: supervision `Detections.with_nmm`; SAHI `GREEDYNMM` and `NMM` (Akyon et al., ICIP 2022).
 */
export function nonMaximumMerge(
  boxes: BoxArray,
  scores: ScoreArray,
  options: NonMaximumMergeOptions = {},
): MergeResult {
  if (choiceOption('ties', options.ties, ['lower', 'higher']) === 'higher') {
    return mergeReversed(boxes, scores, options);
  }
  const rules = choiceOption('rules', options.rules, ['supervision', 'sahi']);
  const rule = choiceOption('score', options.score ?? (rules === 'sahi' ? 'max' : 'area'), [
    'area',
    'pairwise',
    'max',
  ]);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const inclusive = choiceOption('comparator', options.comparator, ['>=', '>']) === '>=';
  const passes = (similarity: number): boolean =>
    similarity > threshold || (inclusive && similarity === threshold);
  const survivors = new Survivors(scores);
  const unions = Float64Array.from(boxes);
  const seedOf = new Int32Array(scores.length).fill(-1);
  for (const group of rankedGroups(boxes, scores, options)) {
    for (const members of groupsOf(group, passes, options.transitive === true)) {
      const union = new Union(group, scores, members[0]!);
      const seed = group.indices[members[0]!]!;
      seedOf[seed] = seed;
      for (const member of members.slice(1)) {
        if (rules === 'sahi' && !passes(union.similarityWith(member))) continue;
        union.merge(member);
        seedOf[group.indices[member]!] = seed;
      }
      union.writeTo(unions, seed);
      survivors.add(
        seed,
        rule === 'area' ? union.areaScore : rule === 'pairwise' ? union.pairwiseScore : scores[seed]!,
      );
    }
  }
  const { indices, scores: newScores } = survivors.finish(options.maxDetections);
  const rowOf = new Map(Array.from(indices, (index, row) => [index, row] as const));
  return {
    indices,
    scores: newScores,
    boxes: gatherBoxes(unions, indices, boxes),
    classIds: Int32Array.from(indices, (index) => options.classIds?.[index] ?? 0),
    clusterIds: seedOf.map((seed) => rowOf.get(seed) ?? -1),
  };
}

/** The other order of ties is the same order of reversed boxes. */
function mergeReversed(boxes: BoxArray, scores: ScoreArray, options: NonMaximumMergeOptions): MergeResult {
  const last = scores.length - 1;
  const turned = boxes.map((_, i) => boxes[4 * (last - (i >> 2)) + (i & 3)]!);
  const { classIds } = options;
  const merged = nonMaximumMerge(turned, scores.slice().reverse(), {
    ...options,
    ties: 'lower',
    ...(classIds && { classIds: classIds.slice().reverse() }),
  });
  return {
    ...merged,
    indices: merged.indices.map((index) => last - index),
    clusterIds: merged.clusterIds.reverse(),
  };
}

/** Positions in the group, seed first, the rest in the order of merging. */
function groupsOf(
  group: RankedGroup,
  passes: (similarity: number) => boolean,
  transitive: boolean,
): number[][] {
  const { count } = group;
  const row = new Float64Array(count);
  if (!transitive) {
    const groups: number[][] = [];
    const taken = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      if (taken[i] === 1) continue;
      const members = [i];
      group.against(i, i + 1, count, row);
      for (let j = i + 1; j < count; j++) {
        if (taken[j] === 1 || !passes(row[j - i - 1]!)) continue;
        taken[j] = 1;
        members.push(j);
      }
      groups.push(members);
    }
    return groups;
  }
  // A box claimed by a seed claims for that seed what is worse than itself and still free.
  const owner = new Array<number[] | undefined>(count);
  const groups: number[][] = [];
  for (let i = 0; i < count; i++) {
    let members = owner[i];
    if (members === undefined) {
      members = [i];
      owner[i] = members;
      groups.push(members);
    }
    group.against(i, i + 1, count, row);
    const claimed: number[] = [];
    for (let j = i + 1; j < count; j++) {
      if (owner[j] !== undefined || !passes(row[j - i - 1]!)) continue;
      owner[j] = members;
      claimed.push(j);
    }
    // SAHI merges what one box claims by index, which matters while the union grows.
    claimed.sort((a, b) => group.indices[a]! - group.indices[b]!);
    members.push(...claimed);
  }
  return groups;
}

/** A merged box as it grows. */
class Union {
  private x1: number;
  private y1: number;
  private x2: number;
  private y2: number;
  private areas: number;
  private areaScores: number;
  private readonly bestScore: number;
  pairwiseScore: number;
  private readonly one = new Float64Array(1);

  constructor(
    private readonly group: RankedGroup,
    private readonly scores: ScoreArray,
    seed: number,
  ) {
    this.x1 = group.x1[seed]!;
    this.y1 = group.y1[seed]!;
    this.x2 = group.x2[seed]!;
    this.y2 = group.y2[seed]!;
    this.areas = this.area;
    this.bestScore = scores[group.indices[seed]!]!;
    this.pairwiseScore = this.bestScore;
    this.areaScores = this.areas * this.bestScore;
  }

  private get area(): number {
    return (this.x2 - this.x1) * (this.y2 - this.y1);
  }

  get areaScore(): number {
    return this.areas > 0 ? this.areaScores / this.areas : this.bestScore;
  }

  similarityWith(member: number): number {
    this.group.rowOf(this.x1, this.y1, this.x2, this.y2, member, member + 1, this.one);
    return this.one[0]!;
  }

  merge(member: number): void {
    const { group } = this;
    const x1 = group.x1[member]!;
    const y1 = group.y1[member]!;
    const x2 = group.x2[member]!;
    const y2 = group.y2[member]!;
    const score = this.scores[group.indices[member]!]!;
    const area = (x2 - x1) * (y2 - y1);
    const before = this.area;
    if (before + area > 0) {
      this.pairwiseScore = (before * this.pairwiseScore + area * score) / (before + area);
    }
    this.areas += area;
    this.areaScores += area * score;
    this.x1 = Math.min(this.x1, x1);
    this.y1 = Math.min(this.y1, y1);
    this.x2 = Math.max(this.x2, x2);
    this.y2 = Math.max(this.y2, y2);
  }

  writeTo(boxes: Float64Array, index: number): void {
    const { pixelOffset } = this.group.metric;
    boxes.set([this.x1, this.y1, this.x2 - pixelOffset, this.y2 - pixelOffset], 4 * index);
  }
}
