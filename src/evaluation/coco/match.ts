/**
 * COCO's matching (pycocotools `evaluateImg`) of one category: every detection is marked true positive, false positive
 * or ignored, for every area range and IoU threshold.
 *
 * Rules that are easy to miss: area ranges include both ends; ignored truths come last and are only taken when no
 * counted one fits; at equal IoU the later truth wins; a crowd truth may match again and again; a truth with id 0
 * matches but is not counted as a match.
 */
import type { Group } from './group.ts';
import type { Similarity } from './similarity.ts';

/** A category's detections over all images, in image order. */
export interface CategoryMatches {
  readonly count: number;
  readonly scores: Float64Array;
  /** Rank of each detection within its image, 0 the best. */
  readonly ranks: Int32Array;
  /** [areas][thresholds · count]: bit 0 matched, bit 1 ignored. */
  readonly flags: readonly Uint8Array[];
  /** Truths that count, an area each. */
  readonly positives: readonly number[];
}

export interface MatchSettings {
  readonly thresholds: readonly number[];
  readonly areas: readonly (readonly [number, number])[];
  readonly similarity: Similarity;
  readonly detectionArea: (detection: Group['detections'][number]) => number;
  /** True for truths that never count (crowd; keypoints: also those without keypoints). */
  readonly ignored: (truth: Group['truths'][number]) => boolean;
}

let scratch = new Float64Array(0);

function reserve(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(length * 2);
  return scratch;
}

export function matchCategory(groups: readonly Group[], settings: MatchSettings): CategoryMatches {
  const { thresholds, areas } = settings;
  const count = groups.reduce((sum, group) => sum + group.detections.length, 0);
  const scores = new Float64Array(count);
  const ranks = new Int32Array(count);
  const flags = areas.map(() => new Uint8Array(thresholds.length * count));
  const positives = areas.map(() => 0);

  let start = 0;
  for (const group of groups) {
    const detections = group.detections.length;
    const truths = group.truths.length;
    const similarities = reserve(detections * truths);
    if (detections > 0 && truths > 0) settings.similarity(group, similarities);
    const detectionAreas = group.detections.map(settings.detectionArea);
    for (let d = 0; d < detections; d++) {
      scores[start + d] = group.detections[d]!.score;
      ranks[start + d] = d;
    }
    const neverCounts = group.truths.map(settings.ignored);
    areas.forEach(([low, high], a) => {
      const isIgnored = group.truths.map(
        (truth, g) => neverCounts[g]! || truth.area < low || truth.area > high,
      );
      // counted truths first, each part in file order
      const order: number[] = [];
      for (let g = 0; g < truths; g++) if (!isIgnored[g]) order.push(g);
      positives[a]! += order.length;
      const counted = order.length;
      for (let g = 0; g < truths; g++) if (isIgnored[g]) order.push(g);
      const outside = detectionAreas.map((area) => area < low || area > high);
      matchGroup(group, similarities, order, counted, outside, thresholds, flags[a]!, count, start);
    });
    start += detections;
  }
  return { count, scores, ranks, flags, positives };
}

function matchGroup(
  group: Group,
  similarities: Float64Array,
  order: readonly number[],
  counted: number,
  outside: readonly boolean[],
  thresholds: readonly number[],
  flags: Uint8Array,
  stride: number,
  start: number,
): void {
  const truths = order.length;
  const detections = group.detections.length;
  const taken = new Uint8Array(truths);
  for (let t = 0; t < thresholds.length; t++) {
    taken.fill(0);
    for (let d = 0; d < detections; d++) {
      let best = Math.min(thresholds[t]!, 1 - 1e-10);
      let match = -1;
      for (let j = 0; j < truths; j++) {
        const truth = order[j]!;
        if (taken[j] === 1 && !group.truths[truth]!.iscrowd) continue;
        if (match > -1 && match < counted && j >= counted) break;
        const similarity = similarities[d * truths + truth]!;
        if (similarity < best) continue;
        best = similarity;
        match = j;
      }
      let flag = 0;
      if (match >= 0) {
        taken[match] = 1;
        const hasId = group.truths[order[match]!]!.id !== 0;
        flag = (hasId ? 1 : 0) | (match >= counted ? 2 : 0);
      }
      if ((flag & 1) === 0 && outside[d]) flag |= 2;
      flags[t * stride + start + d] = flag;
    }
  }
}
