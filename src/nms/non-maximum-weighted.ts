/** Non-maximum weighted: clusters around the best boxes become means weighted by score and overlap with the best. */

import {
  bestCluster,
  collectBoxes,
  cornersIou,
  type Fusion,
  type FusionCluster,
  type FusionOptions,
  finishFusion,
  type ModelBoxes,
  requireModels,
} from './fusion.ts';
import { numberOption } from './input.ts';

/**
 * A box joins the cluster whose first (best) box it overlaps most, above the threshold; a cluster's box is the mean of its
 * members weighted by score · IoU with the best, its score the best's.
 *
 * Input and result as {@link weightedBoxesFusion}; weights are divided by the largest.
 * Source: Zhou et al., CAD, ICCV Workshops 2017; ensemble-boxes `non_maximum_weighted`.
 */
export function nonMaximumWeighted(models: readonly ModelBoxes[], options: FusionOptions = {}): Fusion {
  requireModels(models);
  const threshold = numberOption('iouThreshold', options.iouThreshold, 0.55);
  const input = collectBoxes(models, options, (weights) => weights.map((w) => w / Math.max(...weights)));
  const all: FusionCluster[] = [];
  for (const boxes of input.classes) {
    const clusters: FusionCluster[] = [];
    for (const box of boxes) {
      const cluster = bestCluster(clusters, box.corners, threshold);
      if (cluster === undefined)
        clusters.push({ corners: [...box.corners], score: box.score, members: [box] });
      else cluster.members.push(box);
    }
    for (const cluster of clusters) {
      const { corners, members } = cluster;
      const best = members[0]!;
      const weights = members.map(({ score, corners: c }) => score * cornersIou(c, best.corners));
      const total = weights.reduce((a, b) => a + b, 0);
      if (!(total > 0)) continue;
      for (let c = 0; c < 4; c++) {
        corners[c] = members.reduce((sum, member, m) => sum + weights[m]! * member.corners[c]!, 0) / total;
      }
    }
    all.push(...clusters);
  }
  return finishFusion(all, input);
}
