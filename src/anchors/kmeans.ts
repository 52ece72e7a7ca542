/** Anchor sizes from a dataset: clustering of box sizes. */
import { OptionError } from '../errors.ts';
import { checkCount, choiceOption } from '../options.ts';
import { checkSizes, sizeIou } from './fit.ts';
import { type Random, seededRandom } from './random.ts';

export interface KmeansOptions {
  /** How many anchors. Default 9. */
  readonly count?: number;
  /** `'iou'`: 1 − IoU of centred boxes (YOLOv2); `'euclidean'`: of sizes over their deviation (YOLOv5). Default `'iou'`. */
  readonly distance?: 'iou' | 'euclidean';
  /** Most rounds; it ends when no box changes its cluster. Default 300. */
  readonly iterations?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * `count` anchor sizes `w, h, …`, smallest area first, as means of clusters of the boxes' `sizes` `w, h, …`.
 *
 * Lloyd's algorithm from seeds drawn as in k-means++ (Arthur and Vassilvitskii 2007), spread further: by (1 − IoU)², or by
 * the fourth power of the Euclidean distance where k-means++ has the second. Sizes without area are left out;
 * there must be at least `count` different ones. An emptied cluster starts again at the box that is worst off.
 *
 * Source: Redmon and Farhadi, "YOLO9000", CVPR 2017, section 2; ultralytics/yolov5 `kmean_anchors`.
 */
export function kmeansAnchors(
  sizes: ArrayLike<number>,
  options: KmeansOptions = {},
): Float64Array<ArrayBuffer> {
  const { count = 9, distance = 'iou', iterations = 300, seed = 0 } = options;
  choiceOption('distance', distance, ['iou', 'euclidean']);
  checkCount('count', count);
  checkSizes('sizes', sizes);
  const boxes = usable(sizes);
  const got = differentSizes(boxes, count);
  if (got < count) {
    throw new OptionError(`expected at least ${count} different sizes with an area, got ${got}`, {
      expected: count,
      got,
    });
  }
  const [unitX, unitY] = distance === 'euclidean' ? deviations(boxes) : [1, 1];
  const away =
    distance === 'iou'
      ? (i: number, w: number, h: number) => 1 - sizeIou(boxes[i]!, boxes[i + 1]!, w, h)
      : (i: number, w: number, h: number) =>
          ((boxes[i]! - w) / unitX) ** 2 + ((boxes[i + 1]! - h) / unitY) ** 2;
  const anchors = spread(boxes, count, away, seededRandom(seed));
  const cluster = new Int32Array(boxes.length / 2).fill(-1);
  const nearest = new Float64Array(cluster.length);
  for (let round = 0; round < iterations; round++) {
    if (!assign(boxes, anchors, away, cluster, nearest)) break;
    recentre(boxes, anchors, cluster, nearest);
  }
  return byArea(anchors);
}

/** How many different sizes with an area there are, counted up to `enough`. */
export function differentSizes(sizes: ArrayLike<number>, enough: number): number {
  const different = new Set<string>();
  for (let i = 0; i < sizes.length && different.size < enough; i += 2) {
    if (sizes[i]! > 0 && sizes[i + 1]! > 0) different.add(`${sizes[i]},${sizes[i + 1]}`);
  }
  return different.size;
}

/** Sizes `w, h, …` by ascending area. */
export function byArea(anchors: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const order = Array.from({ length: anchors.length / 2 }, (_, k) => 2 * k);
  order.sort((a, b) => anchors[a]! * anchors[a + 1]! - anchors[b]! * anchors[b + 1]!);
  return Float64Array.from(order.flatMap((k) => [anchors[k]!, anchors[k + 1]!]));
}

type Away = (box: number, width: number, height: number) => number;

function usable(sizes: ArrayLike<number>): Float64Array {
  const kept: number[] = [];
  for (let i = 0; i < sizes.length; i += 2) {
    if (sizes[i]! > 0 && sizes[i + 1]! > 0) kept.push(sizes[i]!, sizes[i + 1]!);
  }
  return Float64Array.from(kept);
}

function deviations(boxes: Float64Array): readonly [number, number] {
  const n = boxes.length / 2;
  return [0, 1].map((axis) => {
    let sum = 0;
    let squares = 0;
    for (let i = axis; i < boxes.length; i += 2) {
      sum += boxes[i]!;
      squares += boxes[i]! ** 2;
    }
    return Math.sqrt(Math.max(squares / n - (sum / n) ** 2, 0)) || 1;
  }) as unknown as readonly [number, number];
}

/** First centres: each next one is drawn with a chance that grows with its distance to those there are. */
function spread(boxes: Float64Array, count: number, away: Away, random: Random): Float64Array {
  const anchors = new Float64Array(2 * count);
  const n = boxes.length / 2;
  const nearest = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  let chosen = random.below(n);
  for (let k = 0; k < count; k++) {
    anchors[2 * k] = boxes[2 * chosen]!;
    anchors[2 * k + 1] = boxes[2 * chosen + 1]!;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i]!, away(2 * i, anchors[2 * k]!, anchors[2 * k + 1]!) ** 2);
      sum += nearest[i]!;
    }
    let point = random.next() * sum;
    let last = chosen;
    for (let i = 0; i < n; i++) {
      if (nearest[i] === 0) continue;
      last = i;
      point -= nearest[i]!;
      if (point < 0) break;
    }
    chosen = last;
  }
  return anchors;
}

/** Puts each box into its nearest cluster; whether any moved. */
function assign(
  boxes: Float64Array,
  anchors: Float64Array,
  away: Away,
  cluster: Int32Array,
  nearest: Float64Array,
): boolean {
  let moved = false;
  for (let i = 0; i < cluster.length; i++) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let k = 0; k < anchors.length; k += 2) {
      const distance = away(2 * i, anchors[k]!, anchors[k + 1]!);
      if (distance < least) {
        least = distance;
        best = k / 2;
      }
    }
    nearest[i] = least;
    if (cluster[i] === best) continue;
    cluster[i] = best;
    moved = true;
  }
  return moved && boxes.length > 0;
}

function recentre(
  boxes: Float64Array,
  anchors: Float64Array,
  cluster: Int32Array,
  nearest: Float64Array,
): void {
  const counts = new Float64Array(anchors.length / 2);
  anchors.fill(0);
  for (let i = 0; i < cluster.length; i++) {
    const k = cluster[i]!;
    counts[k]!++;
    anchors[2 * k]! += boxes[2 * i]!;
    anchors[2 * k + 1]! += boxes[2 * i + 1]!;
  }
  for (let k = 0; k < counts.length; k++) {
    if (counts[k]! > 0) {
      anchors[2 * k]! /= counts[k]!;
      anchors[2 * k + 1]! /= counts[k]!;
      continue;
    }
    let worst = 0;
    for (let i = 1; i < nearest.length; i++) if (nearest[i]! > nearest[worst]!) worst = i;
    nearest[worst] = 0;
    anchors[2 * k] = boxes[2 * worst]!;
    anchors[2 * k + 1] = boxes[2 * worst + 1]!;
  }
}
