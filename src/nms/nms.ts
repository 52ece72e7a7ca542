/** Greedy non-maximum suppression: the public function. */
import type { BoxArray } from '../boxes/types.ts';
import { pixelOffsetOf } from '../iou/conventions.ts';
import { choiceOption } from '../options.ts';
import { bucketByClass } from './classes.ts';
import { createComparison } from './compare.ts';
import { greedy } from './greedy.ts';
import {
  countBoxes,
  isClassAware,
  limitOption,
  numberOption,
  requireClassIds,
  selectCandidates,
} from './input.ts';
import { nmsSimd } from './simd.ts';
import type { NmsOptions, ScoreArray } from './types.ts';

/**
 * Keeps the best box of every overlapping group: walks the boxes by descending score and drops a box whose similarity
 * with a kept one (of its class) is above the threshold.
 *
 * Shapes: `boxes` 4·N as `x1,y1,x2,y2` in any unit, `scores` N. Returns the kept indices, score-descending, ties by
 * lower index. float32 boxes are compared in float32 exactly as `torchvision.ops.nms` does, so the keep list is the
 * same; float64 boxes in float64. A box with a NaN or infinite score or coordinate is never kept; two boxes without
 * area have IoU 0. Classes are exact for any int32 id and for negative coordinates.
 *
 * Throws {@link ShapeError} when the arrays do not belong together and {@link OptionError} on a bad option.
 *
 * @example
 * nms(Float32Array.of(0, 0, 10, 10, 1, 0, 10, 10, 20, 0, 30, 10), Float32Array.of(0.9, 0.8, 0.7)); // [0, 2]
 */
export function nms(boxes: BoxArray, scores: ScoreArray, options: NmsOptions = {}): Uint32Array<ArrayBuffer> {
  const count = countBoxes(boxes, scores);
  if (pixelOffsetOf(options) === 1) {
    // An inclusive last pixel is the same as a box one pixel larger.
    return nms(withLastPixel(boxes), scores, { ...options, pixelOffset: 0 });
  }
  const { classIds, metric = 'iou' } = options;
  requireClassIds(classIds, count);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const limit = limitOption('maxDetections', options.maxDetections);
  const inclusive = choiceOption('comparator', options.comparator, ['>', '>=']) === '>=';
  const scoreThreshold = numberOption('scoreThreshold', options.scoreThreshold, Number.NEGATIVE_INFINITY);
  const maxCandidates = limitOption('maxCandidates', options.maxCandidates);
  const classAware = isClassAware(options.scope, classIds);
  const compare = { metric, preset: options.preset, threshold, inclusive };
  const fast = nmsSimd(boxes, scores, compare, {
    scoreThreshold,
    maxCandidates,
    maxDetections: limit,
    classIds: classAware ? classIds : undefined,
  });
  if (fast !== null) return fast;
  const comparison = createComparison(boxes, compare);
  const order = selectCandidates(boxes, scores, scoreThreshold, maxCandidates);
  const kept = new Uint8Array(order.length);
  if (!classAware) {
    const size = greedy(boxes, order, 0, order.length, comparison, limit, kept);
    return gather(order, kept, size);
  }
  const { members, ranks, starts } = bucketByClass(order, classIds!);
  const keptMembers = new Uint8Array(order.length);
  let total = 0;
  for (let b = 0; b + 1 < starts.length; b++) {
    total += greedy(boxes, members, starts[b]!, starts[b + 1]!, comparison, limit, keptMembers);
  }
  for (let i = 0; i < members.length; i++) kept[ranks[i]!] = keptMembers[i]!;
  return gather(order, kept, Math.min(total, limit));
}

/** The first `size` entries of `order` whose rank is kept. */
function gather(order: Uint32Array, kept: Uint8Array, size: number): Uint32Array<ArrayBuffer> {
  const result = new Uint32Array(size);
  for (let rank = 0, filled = 0; filled < size; rank++) {
    if (kept[rank] === 1) result[filled++] = order[rank]!;
  }
  return result;
}

function withLastPixel(boxes: BoxArray): BoxArray {
  const larger = boxes.slice();
  for (let at = 2; at < larger.length; at += 4) {
    larger[at]! += 1;
    larger[at + 1]! += 1;
  }
  return larger;
}
