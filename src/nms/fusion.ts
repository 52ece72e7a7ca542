/** What the box fusions share: several models' boxes in one list, clusters, and the result in columns. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { countBoxes, requireClassIds } from './input.ts';
import type { ScoreArray } from './types.ts';

/** One model's (or one tile's) boxes of an image. */
export interface ModelBoxes {
  /** 4·N as `x1,y1,x2,y2`; all models in one unit. */
  readonly boxes: BoxArray;
  readonly scores: ScoreArray;
  /** Default: all of class 0. */
  readonly classIds?: Int32Array;
}

/** Fused boxes by score, ties by lower first member. */
export interface Fusion {
  readonly boxes: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly scores: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly classIds: Int32Array<ArrayBuffer>;
  /** For every input box (models one after the other) the row of the result it went into, or -1. */
  readonly clusterIds: Int32Array<ArrayBuffer>;
}

/** An input box that takes part. Coordinates are sorted and, when asked, clipped to 0..1. */
export interface FusionBox {
  /** Place in the concatenated input. */
  readonly index: number;
  readonly model: number;
  readonly weight: number;
  readonly classId: number;
  /** Score times the model's weight. */
  readonly score: number;
  readonly corners: readonly [number, number, number, number];
}

export interface FusionCluster {
  corners: [number, number, number, number];
  score: number;
  readonly members: FusionBox[];
}

export interface FusionOptions {
  /** A weight a model. Default 1 each. */
  readonly weights?: readonly number[];
  /** A box joins a cluster above this IoU. Default 0.55. */
  readonly iouThreshold?: number;
  /** Boxes below this score do not take part. Default 0. */
  readonly skipBoxThreshold?: number;
  /** Clips to 0..1 first, as ensemble-boxes does with its normalised boxes. Default: any unit, no clipping. */
  readonly normalized?: boolean;
}

export interface FusionInput {
  readonly weights: readonly number[];
  /** Per class in order of first appearance, best score first, ties by lower index. */
  readonly classes: readonly (readonly FusionBox[])[];
  readonly total: number;
  readonly float32Boxes: boolean;
  readonly float32Scores: boolean;
}

/** Checks the models and collects their boxes; boxes without area or with a number that is not finite are left out. */
export function collectBoxes(
  models: readonly ModelBoxes[],
  options: FusionOptions,
  weightsOf: (weights: readonly number[]) => readonly number[] = (weights) => weights,
): FusionInput {
  const given = options.weights ?? models.map(() => 1);
  if (given.length !== models.length || !given.every((w) => Number.isFinite(w) && w > 0)) {
    throw new OptionError(`weights: expected ${models.length} numbers > 0, got ${given}`);
  }
  const weights = weightsOf(given);
  const skip = options.skipBoxThreshold ?? 0;
  const byClass = new Map<number, FusionBox[]>();
  let total = 0;
  models.forEach((own, model) => {
    const { boxes, scores, classIds } = own ?? {};
    const count = countBoxes(boxes, scores);
    requireClassIds(classIds, count);
    for (let i = 0; i < count; i++) {
      const corners = sortedCorners(boxes, 4 * i, options.normalized === true);
      const raw = scores[i]!;
      const area = (corners[2] - corners[0]) * (corners[3] - corners[1]);
      if (!(raw >= skip) || !Number.isFinite(raw) || !Number.isFinite(area) || area === 0) continue;
      const classId = classIds?.[i] ?? 0;
      const weight = weights[model]!;
      const box = { index: total + i, model, weight, classId, score: raw * weight, corners };
      const list = byClass.get(classId);
      if (list === undefined) byClass.set(classId, [box]);
      else list.push(box);
    }
    total += count;
  });
  for (const list of byClass.values()) list.sort((a, b) => b.score - a.score || a.index - b.index);
  return {
    weights,
    classes: [...byClass.values()],
    total,
    float32Boxes: models.every(({ boxes }) => boxes instanceof Float32Array),
    float32Scores: models.every(({ scores }) => scores instanceof Float32Array),
  };
}

function sortedCorners(boxes: BoxArray, at: number, clip: boolean): [number, number, number, number] {
  const [a, b, c, d] = [0, 1, 2, 3].map((k) => {
    const value = boxes[at + k]!;
    return clip ? Math.min(1, Math.max(0, value)) : value;
  }) as [number, number, number, number];
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
}

/** Plain IoU of two boxes in float64. */
export function cornersIou(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const width = Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!);
  const height = Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!);
  if (!(width > 0 && height > 0)) return 0;
  const intersection = width * height;
  const areas = (a[2]! - a[0]!) * (a[3]! - a[1]!) + (b[2]! - b[0]!) * (b[3]! - b[1]!);
  return intersection / (areas - intersection);
}

/** The cluster with the largest IoU above the threshold (ties: the older one), or undefined. */
export function bestCluster(
  clusters: readonly FusionCluster[],
  corners: ArrayLike<number>,
  threshold: number,
): FusionCluster | undefined {
  let best = threshold;
  let found: FusionCluster | undefined;
  for (const cluster of clusters) {
    const iou = cornersIou(cluster.corners, corners);
    if (iou > best) {
      best = iou;
      found = cluster;
    }
  }
  return found;
}

/** Orders clusters by score and lays them out in columns. */
export function finishFusion(clusters: FusionCluster[], input: FusionInput): Fusion {
  clusters.sort((a, b) => b.score - a.score || a.members[0]!.index - b.members[0]!.index);
  const count = clusters.length;
  const boxes = input.float32Boxes ? new Float32Array(4 * count) : new Float64Array(4 * count);
  const scores = input.float32Scores ? new Float32Array(count) : new Float64Array(count);
  const classIds = new Int32Array(count);
  const clusterIds = new Int32Array(input.total).fill(-1);
  clusters.forEach((cluster, row) => {
    boxes.set(cluster.corners, 4 * row);
    scores[row] = cluster.score;
    classIds[row] = cluster.members[0]!.classId;
    for (const member of cluster.members) clusterIds[member.index] = row;
  });
  return { boxes, scores, classIds, clusterIds };
}

/** Throws unless models come as an array. */
export function requireModels(models: unknown): asserts models is readonly ModelBoxes[] {
  if (!Array.isArray(models)) {
    throw new ShapeError('models: expected an array of { boxes, scores, classIds }');
  }
}
