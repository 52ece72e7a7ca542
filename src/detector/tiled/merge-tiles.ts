/** One list of detections from those of overlapping tiles. */
import { Detections } from '../../boxes/detections.ts';
import { OptionError, UnsupportedError } from '../../errors.ts';
import type { Metric } from '../../iou/types.ts';
import { nms } from '../../nms/nms.ts';
import { nonMaximumMerge } from '../../nms/non-maximum-merge.ts';
import { rotatedNms } from '../../nms/rotated-nms.ts';
import { weightedBoxesFusion } from '../../nms/weighted-boxes-fusion.ts';

export interface MergeTilesOptions {
  /**
   * `'greedy-nmm'`: what overlaps the best box joins it, the result is their union; `'nmm'`: so does what overlaps those
   * (SAHI's GREEDYNMM and NMM). `'nms'`: the best box stays as it is. `'wbf'`: the score-weighted mean. Default
   * `'greedy-nmm'`, and `'nms'` where there are masks, keypoints or angles, which only `'nms'` can keep.
   */
  readonly merge?: 'greedy-nmm' | 'nmm' | 'nms' | 'wbf';
  /** How boxes are compared. Default `'ios'`, intersection over the smaller, which sees a cut part in its whole. */
  readonly mergeMetric?: Metric;
  /** Default 0.5. */
  readonly mergeThreshold?: number;
  /** Whether boxes of different classes merge. Default `'class'`. */
  readonly mergeScope?: 'class' | 'agnostic';
  /** At most this many come out, the best. Default all. */
  readonly maxDetections?: number;
}

/**
 * Merges detections of tiles, all in pixels of the whole picture; best first.
 *
 * Throws {@link UnsupportedError} where `merge` cannot keep a column, {@link OptionError} for a metric that `'wbf'` or
 * rotated boxes do not know.
 */
export function mergeTiles(parts: readonly Detections[], options: MergeTilesOptions = {}): Detections {
  const all = Detections.merge(...parts);
  const { boxes, scores, classIds, angles } = all;
  const more = [
    all.maskSize && 'masks',
    all.keypoints && 'keypoints',
    angles && 'angles',
    all.trackIds && 'track ids',
  ].filter((name) => name !== undefined);
  const { merge = more.length > 0 ? 'nms' : 'greedy-nmm', mergeScope: scope = 'class' } = options;
  const metric = options.mergeMetric ?? (angles || merge === 'wbf' ? 'iou' : 'ios');
  const { mergeThreshold: iouThreshold = 0.5, maxDetections } = options;
  if (merge !== 'nms' && more.length > 0) {
    throw new UnsupportedError(`merge '${merge}' cannot keep ${more.join(', ')}; 'nms' does`, {
      merge,
      columns: more,
    });
  }
  const shared = { iouThreshold, classIds, scope, ...(maxDetections === undefined ? {} : { maxDetections }) };
  switch (merge) {
    case 'nms':
      if (angles === undefined) return all.select(nms(boxes, scores, { ...shared, metric }));
      if (metric !== 'iou') {
        throw new OptionError(`mergeMetric: rotated boxes merge by their IoU, got ${String(metric)}`);
      }
      return all.select(rotatedNms(boxes, angles, scores, shared));
    case 'greedy-nmm':
    case 'nmm':
      return withRows(
        all,
        nonMaximumMerge(boxes, scores, { ...shared, metric, rules: 'sahi', transitive: merge === 'nmm' }),
      );
    case 'wbf': {
      if (metric !== 'iou') {
        throw new OptionError(`mergeMetric: weighted boxes fusion compares by IoU, got ${String(metric)}`);
      }
      const models = [{ boxes, scores, ...(scope === 'class' ? { classIds } : {}) }];
      const fused = weightedBoxesFusion(models, { iouThreshold, confType: 'max' });
      if (scope === 'class') return withRows(all, fused, maxDetections);
      // boxes of any class merged: each fused box has the class of its best member
      const best = new Int32Array(fused.scores.length).fill(-1);
      fused.clusterIds.forEach((row, i) => {
        if (row >= 0 && (best[row] < 0 || scores[i] > scores[best[row]])) best[row] = i;
      });
      return withRows(all, { ...fused, classIds: best.map((i) => classIds[i]) }, maxDetections);
    }
    default:
      throw new OptionError(`merge: expected 'greedy-nmm', 'nmm', 'nms' or 'wbf', got ${String(merge)}`, {
        merge,
      });
  }
}

interface Rows {
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly classIds: ArrayLike<number>;
}

function withRows(
  { classNames, imageSize }: Detections,
  rows: Rows,
  limit = Number.POSITIVE_INFINITY,
): Detections {
  const { boxes, scores, classIds } = rows;
  const found = Detections.from({ boxes, scores, classIds, classNames, imageSize });
  return found.count > limit ? found.filter((i) => i < limit) : found;
}
