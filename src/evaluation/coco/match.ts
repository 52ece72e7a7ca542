/**
 * COCO's matching (pycocotools `evaluateImg`) of one category: every detection is marked true positive, false positive
 * or ignored, for every area range and IoU threshold. LVIS matches by the same loop.
 *
 * Rules that are easy to miss: area ranges include both ends; ignored truths come last and are only taken when no
 * counted one fits; at equal IoU the later truth wins; a crowd truth may match again and again; a truth with id 0
 * matches but is not counted as a match.
 */
import { DatasetError } from '../../errors.ts';
import { type Groups, largestGroup } from '../group.ts';
import type { Comparison } from '../similarity.ts';

export const MATCHED = 1;
export const IGNORED = 2;

/** A category's detections over all images, in image order. Views of work arrays: the next category overwrites them. */
export interface CategoryMatches {
  readonly count: number;
  readonly scores: Float64Array;
  /** Rank of each detection within its image, 0 the best. */
  readonly ranks: Int32Array;
  /** [areas][thresholds · count]: bit 0 matched, bit 1 ignored. */
  readonly flags: readonly Uint8Array[];
  /** Similarity to the truth taken, [thresholds · count] of the first area range, 0 without. */
  readonly overlaps: Float64Array;
  /** Truths that count, an area each. */
  readonly positives: readonly number[];
}

export interface MatchSettings {
  readonly thresholds: readonly number[];
  readonly areas: readonly (readonly [number, number])[];
  readonly comparison: Comparison;
  /** 1 for truths that never count (crowd; keypoints: also those without keypoints). */
  readonly neverCounts: Uint8Array;
  /** 1 for truths that match again and again. */
  readonly repeatable: Uint8Array;
  /** 1 for detections that are ignored where they match nothing (LVIS: category not exhaustively annotated). */
  readonly exempt?: Uint8Array;
}

/** Matches one category after another in work arrays made once. Throws `DatasetError` for a truth without area. */
export class Matcher {
  readonly #groups: Groups;
  readonly #settings: MatchSettings;
  readonly #similarities: Float64Array;
  /** Largest similarity of each detection of a group: below a threshold it matches nothing. */
  readonly #reach: Float64Array;
  readonly #truthAreas: Float64Array;
  readonly #hasId: Uint8Array;
  readonly #isIgnored: Uint8Array;
  readonly #order: Int32Array;
  readonly #taken: Uint8Array;
  readonly #flags: Uint8Array[];
  readonly #ranks: Int32Array;
  readonly #overlaps: Float64Array;

  constructor(groups: Groups, settings: MatchSettings) {
    this.#groups = groups;
    this.#settings = settings;
    const { truths, detections, pairs } = largestGroup(groups);
    this.#similarities = new Float64Array(pairs);
    this.#reach = new Float64Array(detections);
    this.#truthAreas = Float64Array.from(groups.truths, ({ area, id, image_id: imageId }) => {
      if (typeof area === 'number' && !Number.isNaN(area)) return area;
      throw new DatasetError(`area of annotation ${id} in image ${imageId} must be a number, got ${area}`, {
        id,
        imageId,
      });
    });
    this.#hasId = Uint8Array.from(groups.truths, (truth) => (truth.id === 0 ? 0 : 1));
    this.#isIgnored = new Uint8Array(truths);
    this.#order = new Int32Array(truths);
    this.#taken = new Uint8Array(truths);
    let most = 0;
    for (let k = 0; k + 1 < groups.categoryStarts.length; k++) {
      const [first, last] = this.#detectionsOf(k);
      most = Math.max(most, last - first);
    }
    const cells = settings.thresholds.length * most;
    this.#flags = settings.areas.map(() => new Uint8Array(cells));
    this.#ranks = new Int32Array(most);
    this.#overlaps = new Float64Array(cells);
  }

  #detectionsOf(category: number): [first: number, last: number] {
    const { categoryStarts, detectionStarts } = this.#groups;
    return [detectionStarts[categoryStarts[category]!]!, detectionStarts[categoryStarts[category + 1]!]!];
  }

  /** Matches all groups of the category with rank `category`. */
  match(category: number): CategoryMatches {
    const groups = this.#groups;
    const { areas, thresholds } = this.#settings;
    const [start, end] = this.#detectionsOf(category);
    const count = end - start;
    const positives = areas.map(() => 0);
    this.#overlaps.fill(0, 0, thresholds.length * count);
    for (let g = groups.categoryStarts[category]!; g < groups.categoryStarts[category + 1]!; g++) {
      const first = groups.detectionStarts[g]!;
      const detections = groups.detectionStarts[g + 1]! - first;
      for (let d = 0; d < detections; d++) this.#ranks[first - start + d] = d;
      if (detections > 0) this.#compare(g, detections);
      for (let a = 0; a < areas.length; a++) {
        const counted = this.#orderTruths(g, a);
        positives[a]! += counted;
        if (detections > 0) this.#matchGroup(g, a, counted, first - start, count);
      }
    }
    return {
      count,
      scores: groups.scores.subarray(start, end),
      ranks: this.#ranks.subarray(0, count),
      flags: this.#flags,
      overlaps: this.#overlaps,
      positives,
    };
  }

  #compare(group: number, detections: number): void {
    const truths = this.#groups.truthStarts[group + 1]! - this.#groups.truthStarts[group]!;
    const reach = this.#reach;
    reach.fill(-1, 0, detections);
    if (truths === 0) return;
    const similarities = this.#similarities;
    this.#settings.comparison.compare(group, similarities);
    for (let d = 0; d < detections; d++) {
      for (let at = d * truths; at < (d + 1) * truths; at++) {
        if (similarities[at]! > reach[d]!) reach[d] = similarities[at]!;
      }
    }
  }

  /** Counted truths first, each part in file order. Gives the number of counted ones. */
  #orderTruths(group: number, area: number): number {
    const start = this.#groups.truthStarts[group]!;
    const truths = this.#groups.truthStarts[group + 1]! - start;
    const [low, high] = this.#settings.areas[area]!;
    let counted = 0;
    for (let t = 0; t < truths; t++) {
      const size = this.#truthAreas[start + t]!;
      const ignored = this.#settings.neverCounts[start + t] === 1 || size < low || size > high;
      this.#isIgnored[t] = ignored ? 1 : 0;
      if (!ignored) this.#order[counted++] = t;
    }
    let at = counted;
    for (let t = 0; t < truths; t++) if (this.#isIgnored[t] === 1) this.#order[at++] = t;
    return counted;
  }

  #matchGroup(group: number, area: number, counted: number, offset: number, stride: number): void {
    const { thresholds, repeatable, exempt, comparison, areas } = this.#settings;
    const firstTruth = this.#groups.truthStarts[group]!;
    const truths = this.#groups.truthStarts[group + 1]! - firstTruth;
    const firstDetection = this.#groups.detectionStarts[group]!;
    const detections = this.#groups.detectionStarts[group + 1]! - firstDetection;
    const flags = this.#flags[area]!;
    const [low, high] = areas[area]!;
    const order = this.#order;
    const taken = this.#taken;
    const similarities = this.#similarities;
    const reach = this.#reach;
    const hasId = this.#hasId;
    const overlaps = this.#overlaps;
    const { detectionAreas } = comparison;
    for (let t = 0; t < thresholds.length; t++) {
      const threshold = Math.min(thresholds[t]!, 1 - 1e-10);
      taken.fill(0, 0, truths);
      for (let d = 0; d < detections; d++) {
        let match = -1;
        if (reach[d]! >= threshold) {
          let best = threshold;
          for (let j = 0; j < truths; j++) {
            const truth = order[j]!;
            if (taken[j] === 1 && repeatable[firstTruth + truth] === 0) continue;
            if (match > -1 && match < counted && j >= counted) break;
            const similarity = similarities[d * truths + truth]!;
            if (similarity < best) continue;
            best = similarity;
            match = j;
          }
          if (match >= 0 && area === 0) overlaps[t * stride + offset + d] = best;
        }
        let flag = 0;
        if (match >= 0) {
          taken[match] = 1;
          if (hasId[firstTruth + order[match]!] === 1) flag = MATCHED;
          if (match >= counted) flag |= IGNORED;
        }
        if ((flag & MATCHED) === 0) {
          const size = detectionAreas[firstDetection + d]!;
          if (size < low || size > high || exempt?.[firstDetection + d] === 1) flag |= IGNORED;
        }
        flags[t * stride + offset + d] = flag;
      }
    }
  }
}
