/** One list of detections from those of overlapping tiles. */
import { Detections } from '../../boxes/detections.ts';
import { OptionError, UnsupportedError } from '../../errors.ts';
import type { Metric } from '../../iou/types.ts';
import { nms } from '../../nms/nms.ts';
import { nonMaximumMerge } from '../../nms/non-maximum-merge.ts';
import { rotatedNms } from '../../nms/rotated-nms.ts';
import type { NmsOptions } from '../../nms/types.ts';
import { weightedBoxesFusion } from '../../nms/weighted-boxes-fusion.ts';
import type { Tile } from './tile-grid.ts';

export interface MergeTilesOptions {
  /**
   * `'greedy-nmm'`: what overlaps the best box joins it, the result is their union; `'nmm'`: so does what overlaps those
   * (SAHI's GREEDYNMM and NMM). `'nms'`: the best box stays as it is, one that a tile's border cuts only where there is no
   * other (see `tiles`). `'wbf'`: the score-weighted mean. Default
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
  /**
   * The tile of each part. A box that reaches a border of its tile inside the picture (to 1 % of the tile's side) is taken
   * for cut, and `'nms'` ranks it behind those that are not, whatever its score. Default: none is taken for cut.
   */
  readonly tiles?: readonly Tile[];
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
  const shared = { iouThreshold, classIds, scope };
  const limited = { ...shared, ...(maxDetections === undefined ? {} : { maxDetections }) };
  switch (merge) {
    case 'nms':
      if (angles !== undefined && metric !== 'iou') {
        throw new OptionError(`mergeMetric: rotated boxes merge by their IoU, got ${String(metric)}`);
      }
      return suppress(all, wholeFirst(parts, options.tiles, scores), metric, shared, maxDetections);
    case 'greedy-nmm':
    case 'nmm':
      return withRows(
        all,
        nonMaximumMerge(boxes, scores, { ...limited, metric, rules: 'sahi', transitive: merge === 'nmm' }),
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

/** NMS in the order of `ranks`; what is kept by score. */
function suppress(
  all: Detections,
  ranks: Float32Array,
  metric: Metric,
  shared: Omit<NmsOptions, 'metric'>,
  limit = Number.POSITIVE_INFINITY,
): Detections {
  const { boxes, scores, angles } = all;
  const kept =
    angles === undefined
      ? nms(boxes, ranks, { ...shared, metric })
      : rotatedNms(boxes, angles, ranks, shared);
  kept.sort((a, b) => scores[b] - scores[a] || a - b);
  return all.select(kept.subarray(0, Math.min(kept.length, limit)));
}

/** Scores, less 1 where a tile's border cuts the box. */
function wholeFirst(
  parts: readonly Detections[],
  tiles: readonly Tile[] | undefined,
  scores: Float32Array,
): Float32Array {
  if (tiles === undefined) return scores;
  if (tiles.length !== parts.length) {
    throw new OptionError(`tiles: expected one a part, ${parts.length}, got ${tiles.length}`);
  }
  const ranks = scores.slice();
  let row = 0;
  parts.forEach(({ boxes, count, imageSize }, part) => {
    const { x, y, width, height } = tiles[part];
    const marginX = width / 100;
    const marginY = height / 100;
    const right = imageSize !== undefined && x + width < imageSize.width;
    const bottom = imageSize !== undefined && y + height < imageSize.height;
    for (let i = 0; i < count; i++, row++) {
      const cut =
        (x > 0 && boxes[4 * i] < x + marginX) ||
        (y > 0 && boxes[4 * i + 1] < y + marginY) ||
        (right && boxes[4 * i + 2] > x + width - marginX) ||
        (bottom && boxes[4 * i + 3] > y + height - marginY);
      if (cut) ranks[row] -= 1;
    }
  });
  return ranks;
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
