/** Weighted boxes fusion: clusters of several models' boxes become their score-weighted means. */

import { choiceOption } from '../options.ts';
import {
  bestCluster,
  collectBoxes,
  type Fusion,
  type FusionCluster,
  type FusionInput,
  type FusionOptions,
  finishFusion,
  type ModelBoxes,
  requireModels,
} from './fusion.ts';
import { numberOption } from './input.ts';

export interface WeightedBoxesFusionOptions extends FusionOptions {
  /** How a cluster's score follows from its members'. Default `'avg'`. */
  readonly confType?: 'avg' | 'max' | 'box_and_model_avg' | 'absent_model_aware_avg';
  /** Lets an average exceed 1 when a model gives several boxes to a cluster. Default false. */
  readonly allowsOverflow?: boolean;
}

/**
 * Goes through all boxes of a class by weighted score; each joins the cluster whose fused box it overlaps most, above the
 * threshold, and the fused box moves to the members' score-weighted mean; or it starts a cluster.
 *
 * Every model's `boxes` 4·N as `x1,y1,x2,y2` in one unit. Returns fused boxes, scores, classes, by score, and for every
 * input box its cluster. Ties: lower index first (ensemble-boxes takes the later one). Boxes without area are left out.
 * Source: Solovyev, Wang and Gabruseva, Image and Vision Computing 2021; ensemble-boxes `weighted_boxes_fusion`.
 *
 * @example
 * weightedBoxesFusion([{ boxes: a, scores: sa }, { boxes: b, scores: sb }], { weights: [2, 1], iouThreshold: 0.55 });
 */
export function weightedBoxesFusion(
  models: readonly ModelBoxes[],
  options: WeightedBoxesFusionOptions = {},
): Fusion {
  requireModels(models);
  const confType = choiceOption('confType', options.confType, [
    'avg',
    'max',
    'box_and_model_avg',
    'absent_model_aware_avg',
  ]);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.55);
  const input = collectBoxes(models, options);
  const all: FusionCluster[] = [];
  for (const boxes of input.classes) {
    const clusters: FusionCluster[] = [];
    for (const box of boxes) {
      const cluster = bestCluster(clusters, box.corners, threshold);
      if (cluster === undefined) {
        clusters.push({ corners: [...box.corners], score: box.score, members: [box] });
      } else {
        cluster.members.push(box);
        moveToMean(cluster, input.float32Boxes);
      }
    }
    for (const cluster of clusters)
      cluster.score = fusedScore(cluster, confType, options.allowsOverflow === true, input);
    all.push(...clusters);
  }
  return finishFusion(all, input);
}

/** float32 boxes are summed in float32 as the reference does, so that later overlaps fall on the same side. */
function moveToMean({ corners, members }: FusionCluster, float32: boolean): void {
  const round = float32 ? Math.fround : (value: number) => value;
  const total = members.reduce((sum, member) => sum + member.score, 0);
  if (!(total > 0)) return;
  for (let c = 0; c < 4; c++) {
    let sum = 0;
    for (const member of members) sum = round(sum + member.score * member.corners[c]!);
    corners[c] = round(sum / total);
  }
}

function fusedScore(
  { members }: FusionCluster,
  confType: NonNullable<WeightedBoxesFusionOptions['confType']>,
  allowsOverflow: boolean,
  { weights }: FusionInput,
): number {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const count = members.length;
  if (confType === 'max') return Math.max(...members.map(({ score }) => score)) / Math.max(...weights);
  const average = sum(members.map(({ score }) => score)) / count;
  const memberWeights = sum(members.map(({ weight }) => weight));
  const present = new Set(members.map(({ model }) => model));
  const presentWeights = sum(weights.filter((_, model) => present.has(model)));
  const all = sum(weights);
  switch (confType) {
    case 'box_and_model_avg':
      return (((average * count) / memberWeights) * presentWeights) / all;
    case 'absent_model_aware_avg':
      return (average * count) / (memberWeights + all - presentWeights);
    default:
      return (average * (allowsOverflow ? count : Math.min(weights.length, count))) / all;
  }
}
