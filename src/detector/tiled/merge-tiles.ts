/** One list of detections from those of overlapping tiles. */
import { Detections } from '../../boxes/detections.ts';
import { OptionError, UnsupportedError } from '../../errors.ts';
import type { Metric } from '../../iou/types.ts';
import { limitOption } from '../../nms/input.ts';
import { nms } from '../../nms/nms.ts';
import { nonMaximumMerge } from '../../nms/non-maximum-merge.ts';
import { rotatedNms } from '../../nms/rotated-nms.ts';
import type { NmsOptions } from '../../nms/types.ts';
import { weightedBoxesFusion } from '../../nms/weighted-boxes-fusion.ts';
import { checkOptionKinds, choiceOption, type OptionKinds } from '../../options.ts';
import { joinSeams } from './seams.ts';
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
   * for cut, and `'nms'` ranks it behind those that are not, whatever its score. Two parts of one object, cut at opposite
   * borders and alike (IoU above 0.8 and above `mergeThreshold`) where both tiles look, become one, whatever they overlap;
   * not if rotated.
   * Default: none is taken for cut.
   */
  readonly tiles?: readonly Tile[];
}

const mergeKinds: OptionKinds<MergeTilesOptions> = {
  merge: 'any',
  mergeMetric: 'any',
  mergeThreshold: 'number',
  mergeScope: 'any',
  maxDetections: 'any',
  tiles: 'object',
};

/**
 * Merges detections of tiles, all in pixels of the whole picture; best first.
 *
 * Throws {@link UnsupportedError} where `merge` cannot keep a column, {@link OptionError} for a metric that `'wbf'` or
 * rotated boxes do not know.
 */
export function mergeTiles(parts: readonly Detections[], options: MergeTilesOptions = {}): Detections {
  if (!Array.isArray(parts) || parts.some((part) => typeof part?.count !== 'number')) {
    throw new OptionError('parts: expected an array of Detections');
  }
  checkOptionKinds('options of mergeTiles', options, mergeKinds);
  const all = joined(parts);
  const { boxes, scores, classIds, angles } = all;
  const more = furtherColumns(all);
  const { merge = more.length > 0 ? 'nms' : 'greedy-nmm', mergeScope: scope = 'class' } = options;
  const metric = options.mergeMetric ?? (angles || merge === 'wbf' ? 'iou' : 'ios');
  const { mergeThreshold: iouThreshold = 0.5 } = options;
  choiceOption('mergeScope', scope, ['class', 'agnostic']);
  const limit = limitOption('maxDetections', options.maxDetections);
  if (merge !== 'nms' && more.length > 0) {
    throw new UnsupportedError(`merge '${merge}' cannot keep ${more.join(', ')}; 'nms' does`, {
      merge,
      columns: more,
    });
  }
  const shared = { iouThreshold, classIds, scope };
  const tileOf = tilesOf(parts, options.tiles);
  const join = ({ found, members }: Merged): Detections => {
    const whole =
      tileOf === undefined || angles !== undefined
        ? found
        : joinSeams(
            found,
            Array.from(members, (i) => tileOf[i]),
            Math.max(0.8, iouThreshold),
            scope,
            merge !== 'nms',
          );
    return whole.count > limit ? whole.filter((i) => i < limit) : whole;
  };
  switch (merge) {
    case 'nms':
      if (angles !== undefined && metric !== 'iou') {
        throw new OptionError(`mergeMetric: rotated boxes merge by their IoU, got ${String(metric)}`);
      }
      return join(suppress(all, wholeFirst(parts, tileOf, scores), metric, shared));
    case 'greedy-nmm':
    case 'nmm': {
      const rows = nonMaximumMerge(boxes, scores, {
        ...shared,
        metric,
        rules: 'sahi',
        transitive: merge === 'nmm',
      });
      return join({ found: withRows(all, rows), members: rows.indices });
    }
    case 'wbf': {
      if (metric !== 'iou') {
        throw new OptionError(`mergeMetric: weighted boxes fusion compares by IoU, got ${String(metric)}`);
      }
      const models = [{ boxes, scores, ...(scope === 'class' ? { classIds } : {}) }];
      const fused = weightedBoxesFusion(models, { iouThreshold, confType: 'max' });
      // each fused box has the class of its best member, also where classes were merged
      const best = new Int32Array(fused.scores.length).fill(-1);
      fused.clusterIds.forEach((row, i) => {
        if (row >= 0 && (best[row] < 0 || scores[i] > scores[best[row]])) best[row] = i;
      });
      const rows = { ...fused, classIds: best.map((i) => classIds[i]) };
      return join({ found: withRows(all, rows), members: best });
    }
    default:
      throw new OptionError(`merge: expected 'greedy-nmm', 'nmm', 'nms' or 'wbf', got ${String(merge)}`, {
        merge,
      });
  }
}

/** All parts, one after the other. Where nothing was found, the columns are there all the same. */
function joined(parts: readonly Detections[]): Detections {
  const all = Detections.merge(...parts);
  if (all.count > 0) return all;
  const { classNames, imageSize } = all;
  const shaped = parts.find((part) => furtherColumns(part).length > 0);
  return shaped?.with({ classNames, imageSize }) ?? all;
}

/** The columns besides boxes, scores and classes. */
function furtherColumns({ maskSize, keypoints, angles, trackIds }: Detections): string[] {
  return [maskSize && 'masks', keypoints && 'keypoints', angles && 'angles', trackIds && 'track ids'].filter(
    (name) => name !== undefined,
  );
}

/** What is left, best first, and the best member of each. */
interface Merged {
  readonly found: Detections;
  readonly members: ArrayLike<number>;
}

/** The tile of every detection of all parts, one part after the other. */
function tilesOf(parts: readonly Detections[], tiles: readonly Tile[] | undefined): Tile[] | undefined {
  if (tiles === undefined) return undefined;
  if (tiles.length !== parts.length) {
    throw new OptionError(`tiles: expected one a part, ${parts.length}, got ${tiles.length}`);
  }
  return parts.flatMap(({ count }, part) => new Array<Tile>(count).fill(tiles[part]));
}

/** NMS in the order of `ranks`; what is kept by score. */
function suppress(
  all: Detections,
  ranks: Float32Array,
  metric: Metric,
  shared: Omit<NmsOptions, 'metric'>,
): Merged {
  const { boxes, scores, angles } = all;
  const kept =
    angles === undefined
      ? nms(boxes, ranks, { ...shared, metric })
      : rotatedNms(boxes, angles, ranks, shared);
  kept.sort((a, b) => scores[b] - scores[a] || a - b);
  return { found: all.select(kept), members: kept };
}

/** Scores, less 1 where a tile's border cuts the box. */
function wholeFirst(
  parts: readonly Detections[],
  tileOf: readonly Tile[] | undefined,
  scores: Float32Array,
): Float32Array {
  if (tileOf === undefined) return scores;
  const ranks = scores.slice();
  let row = 0;
  for (const part of parts) {
    const { count, imageSize } = part;
    const boxes = uprightBoxes(part);
    for (let i = 0; i < count; i++, row++) {
      const { x, y, width, height } = tileOf[row];
      const marginX = width / 100;
      const marginY = height / 100;
      const right = imageSize !== undefined && x + width < imageSize.width;
      const bottom = imageSize !== undefined && y + height < imageSize.height;
      const cut =
        (x > 0 && boxes[4 * i] < x + marginX) ||
        (y > 0 && boxes[4 * i + 1] < y + marginY) ||
        (right && boxes[4 * i + 2] > x + width - marginX) ||
        (bottom && boxes[4 * i + 3] > y + height - marginY);
      if (cut) ranks[row] -= 1;
    }
  }
  return ranks;
}

/** The boxes; where they are rotated, the upright ones around them. */
function uprightBoxes({ boxes, angles }: Detections): Float32Array {
  if (angles === undefined) return boxes;
  const upright = new Float32Array(boxes.length);
  angles.forEach((angle, i) => {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    const [width, height] = [x2 - x1, y2 - y1];
    const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
    const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const [reachX, reachY] = [(width * cos + height * sin) / 2, (width * sin + height * cos) / 2];
    upright.set([x - reachX, y - reachY, x + reachX, y + reachY], 4 * i);
  });
  return upright;
}

interface Rows {
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly classIds: ArrayLike<number>;
}

function withRows({ classNames, imageSize }: Detections, { boxes, scores, classIds }: Rows): Detections {
  return Detections.from({ boxes, scores, classIds, classNames, imageSize });
}
