/** Pose NMS: greedy suppression by object keypoint similarity between detections. */
import { OptionError, ShapeError } from '../errors.ts';
import { checkSigmas, cocoSigmas } from '../masks/oks.ts';
import { checkNumber } from '../options.ts';
import { nmsBySimilarity, type SimilarityNmsOptions } from './by-similarity.ts';
import type { ScoreArray } from './types.ts';

export interface OksNmsOptions extends SimilarityNmsOptions {
  /** N areas of the persons in pixels (box or segment); a pair is scaled by the mean of its two. */
  readonly areas: ArrayLike<number>;
  /** K constants σ. Default COCO's 17. */
  readonly sigmas?: ArrayLike<number>;
  /** Only keypoints with a visibility above this in both poses count. Default: all count. */
  readonly visibilityThreshold?: number;
}

/** Distance from 1 to the next float64, which the reference adds to the area. */
const spacing = 2 ** -52;

/**
 * {@link nms} of N poses: `poses` holds x, y, visibility of K keypoints each, 3·K·N numbers in pixels; the default threshold
 * is 0.9. Similarity of two poses: mean over keypoints of exp(−d² / (2·(2σ)²·mean area)), 0 where no keypoint counts.
 *
 * Source: `oks_nms` of simple-baselines, HRNet and mmpose. Throws {@link ShapeError} and {@link OptionError}.
 */
export function oksNms(
  poses: ArrayLike<number>,
  scores: ScoreArray,
  options: OksNmsOptions,
): Uint32Array<ArrayBuffer> {
  const { areas, sigmas = cocoSigmas, visibilityThreshold } = options;
  const keypoints = sigmas.length;
  if (keypoints === 0) throw new OptionError('sigmas: expected at least one');
  checkSigmas(sigmas);
  if (poses.length !== 3 * keypoints * scores.length) {
    throw new ShapeError(`poses: expected 3·${keypoints}·${scores.length} numbers, got ${poses.length}`);
  }
  if (areas?.length !== scores.length) {
    throw new ShapeError(`areas: expected ${scores.length} (one a pose), got ${areas?.length}`);
  }
  for (let i = 0; i < areas.length; i++) checkNumber('areas', areas[i]!, 0);
  const similarity = (index: number, kept: number): number => {
    const a = 3 * keypoints * index;
    const b = 3 * keypoints * kept;
    const area = (areas[index]! + areas[kept]!) / 2 + spacing;
    let sum = 0;
    let counted = 0;
    for (let k = 0; k < keypoints; k++) {
      if (
        visibilityThreshold !== undefined &&
        !(poses[a + 3 * k + 2]! > visibilityThreshold && poses[b + 3 * k + 2]! > visibilityThreshold)
      ) {
        continue;
      }
      const dx = poses[a + 3 * k]! - poses[b + 3 * k]!;
      const dy = poses[a + 3 * k + 1]! - poses[b + 3 * k + 1]!;
      sum += Math.exp(-(dx * dx + dy * dy) / (2 * sigmas[k]!) ** 2 / area / 2);
      counted++;
    }
    return counted === 0 ? 0 : sum / counted;
  };
  return nmsBySimilarity(scores, similarity, { ...options, iouThreshold: options.iouThreshold ?? 0.9 });
}
