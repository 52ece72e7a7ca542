/** How well a set of anchor sizes suits a dataset, by ultralytics' measure: the ratio of sides, not IoU. */
import { OptionError, ShapeError } from '../errors.ts';

export interface AnchorFitOptions {
  /** A box and an anchor fit when their sides differ by less than this factor either way. Default 4 (`anchor_t`). */
  readonly ratio?: number;
}

export interface AnchorFit {
  /** Part of the boxes that some anchor fits: the recall training can reach at best. */
  readonly bestPossibleRecall: number;
  /** Mean number of anchors that fit a box. */
  readonly anchorsPerBox: number;
  /** Mean over boxes of the worst side ratio (0 … 1) with the best anchor, counted 0 where none fits. */
  readonly fitness: number;
  /** Mean over boxes of that ratio with the best anchor. */
  readonly meanBest: number;
  /** Mean over boxes of the IoU with the best anchor, both centred. */
  readonly meanIou: number;
}

/**
 * Report on anchors for boxes: `sizes` and `anchors` are `w, h, w, h, …` in one unit (pixels of the network's input).
 *
 * YOLOv5 calls anchors good enough above a best possible recall of 0.98. Without boxes everything is 0. Throws
 * {@link ShapeError} for odd lengths, {@link OptionError} for an anchor that is not above 0.
 *
 * Source: ultralytics/yolov5 `check_anchors`, `anchor_fitness`.
 */
export function anchorFit(
  sizes: ArrayLike<number>,
  anchors: ArrayLike<number>,
  { ratio = 4 }: AnchorFitOptions = {},
): AnchorFit {
  checkSizes('sizes', sizes);
  checkSizes('anchors', anchors);
  if (!(ratio > 1)) throw new OptionError(`ratio must be > 1, got ${ratio}`, { ratio });
  for (let k = 0; k < anchors.length; k++) {
    if (!(anchors[k]! > 0)) throw new OptionError(`anchors must be > 0, got ${anchors[k]}`, { index: k });
  }
  const least = 1 / ratio;
  const count = sizes.length / 2;
  let [recalled, fitting, fitness, total, iou] = [0, 0, 0, 0, 0];
  for (let i = 0; i < sizes.length; i += 2) {
    let best = 0;
    let bestIou = 0;
    for (let k = 0; k < anchors.length; k += 2) {
      const worst = worstRatio(sizes[i]!, sizes[i + 1]!, anchors[k]!, anchors[k + 1]!);
      if (worst > least) fitting++;
      if (worst > best) best = worst;
      bestIou = Math.max(bestIou, sizeIou(sizes[i]!, sizes[i + 1]!, anchors[k]!, anchors[k + 1]!));
    }
    total += best;
    iou += bestIou;
    if (best <= least) continue;
    recalled++;
    fitness += best;
  }
  const mean = (sum: number): number => (count === 0 ? 0 : sum / count);
  return {
    bestPossibleRecall: mean(recalled),
    anchorsPerBox: mean(fitting),
    fitness: mean(fitness),
    meanBest: mean(total),
    meanIou: mean(iou),
  };
}

/** The smaller of the two sides' ratios, each taken below 1. */
export function worstRatio(width: number, height: number, anchorWidth: number, anchorHeight: number): number {
  const wide = width < anchorWidth ? width / anchorWidth : anchorWidth / width;
  const tall = height < anchorHeight ? height / anchorHeight : anchorHeight / height;
  return wide < tall ? wide : tall;
}

/** IoU of two boxes about one centre. */
export function sizeIou(width: number, height: number, otherWidth: number, otherHeight: number): number {
  const intersection = Math.min(width, otherWidth) * Math.min(height, otherHeight);
  const union = width * height + otherWidth * otherHeight - intersection;
  return intersection > 0 ? intersection / union : 0;
}

/** Throws unless there are pairs of numbers that are finite and not below 0. */
export function checkSizes(name: string, sizes: ArrayLike<number>): void {
  if (sizes.length % 2 !== 0) {
    throw new ShapeError(`expected ${name} as w, h, w, h, …, got ${sizes.length} numbers`, {
      name,
      got: sizes.length,
    });
  }
  for (let k = 0; k < sizes.length; k++) {
    if (!(sizes[k]! >= 0 && sizes[k]! < Number.POSITIVE_INFINITY)) {
      throw new OptionError(`${name} must be finite and ≥ 0, got ${sizes[k]} at ${k}`, { name, index: k });
    }
  }
}
