/** Greedy non-maximum suppression: the public function. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { bucketByClass } from './classes.ts';
import { greedyPlain } from './greedy.ts';
import {
  countBoxes,
  isClassAware,
  limitOption,
  numberOption,
  requireClassIds,
  selectCandidates,
} from './input.ts';
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
export function nms(boxes: BoxArray, scores: ScoreArray, options: NmsOptions = {}): Uint32Array {
  const count = countBoxes(boxes, scores);
  const { classIds, metric = 'iou', comparator = '>' } = options;
  requireClassIds(classIds, count);
  if (comparator !== '>' && comparator !== '>=') {
    throw new OptionError(`comparator: expected '>' or '>=', got ${String(comparator)}`);
  }
  if (metric !== 'iou') throw new OptionError(`metric: '${String(metric)}' is not available`);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.5);
  const limit = limitOption('maxDetections', options.maxDetections);
  const order = selectCandidates(
    boxes,
    scores,
    numberOption('scoreThreshold', options.scoreThreshold, Number.NEGATIVE_INFINITY),
    limitOption('maxCandidates', options.maxCandidates),
  );
  const inclusive = comparator === '>=';
  if (!isClassAware(options.scope, classIds)) {
    const keep = new Uint32Array(Math.min(order.length, limit));
    let size = 0;
    greedyPlain(boxes, order, 0, order.length, threshold, inclusive, limit, (position) => {
      keep[size++] = order[position]!;
    });
    return keep.slice(0, size);
  }
  const { members, ranks, starts } = bucketByClass(order, classIds!);
  const kept = new Uint8Array(order.length);
  for (let b = 0; b + 1 < starts.length; b++) {
    greedyPlain(boxes, members, starts[b]!, starts[b + 1]!, threshold, inclusive, limit, (position) => {
      kept[ranks[position]!] = 1;
    });
  }
  return order.filter((_, rank) => kept[rank] === 1).slice(0, Math.min(limit, order.length));
}
