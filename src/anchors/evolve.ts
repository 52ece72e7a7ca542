/** Anchor sizes bettered by random mutation, and YOLOv5's whole automatic choice. */
import { OptionError } from '../errors.ts';
import { type AnchorFit, type AnchorFitOptions, anchorFit, checkSizes, worstRatio } from './fit.ts';
import { byArea, differentSizes, kmeansAnchors } from './kmeans.ts';
import { type Random, seededRandom } from './random.ts';

export interface EvolveOptions extends AnchorFitOptions {
  /** Mutations tried. Default 1000. */
  readonly generations?: number;
  /** Chance that a number mutates. Default 0.9. */
  readonly probability?: number;
  /** Deviation of a mutation. Default 0.1. */
  readonly sigma?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Anchors `w, h, …` after so many mutations, each kept only if the {@link AnchorFit.fitness} grows: never worse than
 * before. Numbers are multiplied by 1 + chance·normal within 0.3 … 3 and stay at least 2 pixels. Smallest area first.
 *
 * Source: ultralytics/yolov5 `kmean_anchors`.
 */
export function evolveAnchors(
  sizes: ArrayLike<number>,
  anchors: ArrayLike<number>,
  options: EvolveOptions = {},
): Float64Array<ArrayBuffer> {
  const { generations = 1000, probability = 0.9, sigma = 0.1, ratio = 4, seed = 0 } = options;
  if (!(Number.isInteger(generations) && generations >= 0)) {
    throw new OptionError(`generations must be a whole number ≥ 0, got ${generations}`, { generations });
  }
  if (!(probability > 0 && probability <= 1 && sigma > 0)) {
    throw new OptionError(`expected 0 < probability ≤ 1 and sigma > 0, got ${probability} and ${sigma}`);
  }
  let { fitness } = anchorFit(sizes, anchors, { ratio });
  const random = seededRandom(seed);
  const boxes = Float64Array.from(sizes);
  let best = Float64Array.from(anchors);
  for (let generation = 0; generation < generations; generation++) {
    const mutant = mutate(best, probability, sigma, random);
    const reached = fitnessOf(boxes, mutant, ratio);
    if (!(reached > fitness)) continue;
    fitness = reached;
    best = mutant;
  }
  return byArea(best);
}

function mutate(
  anchors: Float64Array<ArrayBuffer>,
  probability: number,
  sigma: number,
  random: Random,
): Float64Array<ArrayBuffer> {
  let mutant = anchors;
  // again until a number changes, unless none ever will: no anchors, a tiny sigma
  for (let attempt = 0, changed = false; attempt < 1000 && !changed; attempt++) {
    const strength = random.next();
    mutant = anchors.map((side) => {
      if (random.next() >= probability) return side;
      const factor = Math.min(3, Math.max(0.3, 1 + strength * random.normal() * sigma));
      if (factor !== 1) changed = true;
      return Math.max(2, side * factor);
    });
  }
  return mutant;
}

/** Fitness alone: the inner loop of the evolution. */
function fitnessOf(boxes: Float64Array, anchors: Float64Array, ratio: number): number {
  let sum = 0;
  for (let i = 0; i < boxes.length; i += 2) {
    let best = 0;
    for (let k = 0; k < anchors.length; k += 2) {
      const worst = worstRatio(boxes[i]!, boxes[i + 1]!, anchors[k]!, anchors[k + 1]!);
      if (worst > best) best = worst;
    }
    if (best > 1 / ratio) sum += best;
  }
  return boxes.length === 0 ? 0 : sum / (boxes.length / 2);
}

export interface FitAnchorsOptions extends EvolveOptions {
  /** How many anchors. Default as many as `current` has, else 9. */
  readonly count?: number;
  /** Anchors in use: they stay if they are good enough, or if nothing better is found (as among too few boxes). */
  readonly current?: ArrayLike<number>;
  /** Best possible recall above which `current` is good enough. Default 0.98. */
  readonly sufficientRecall?: number;
  /** Boxes with both sides below this are left out of the search. Default 2 pixels. */
  readonly minimumSide?: number;
}

export interface FittedAnchors {
  /** `w, h, …`, smallest area first; `current` as it was where it stays. */
  readonly anchors: Float64Array<ArrayBuffer>;
  readonly fit: AnchorFit;
  /** Report on `current`, where there is one. */
  readonly currentFit: AnchorFit | null;
  /** Whether the anchors are new. */
  readonly changed: boolean;
}

/**
 * YOLOv5's automatic anchors: keep the current ones if their best possible recall is above 0.98; else cluster, evolve,
 * and keep the better of the two. `sizes` `w, h, …` of all boxes in pixels of the network's input.
 *
 * Source: ultralytics/yolov5 `check_anchors`.
 */
export function fitAnchors(sizes: ArrayLike<number>, options: FitAnchorsOptions = {}): FittedAnchors {
  const { current, sufficientRecall = 0.98, minimumSide = 2, seed = 0, ratio = 4 } = options;
  const { count = current === undefined ? 9 : current.length / 2 } = options;
  checkSizes('sizes', sizes);
  const currentFit = current === undefined ? null : anchorFit(sizes, current, { ratio });
  const kept: number[] = [];
  for (let i = 0; i < sizes.length; i += 2) {
    if (sizes[i]! >= minimumSide || sizes[i + 1]! >= minimumSide) kept.push(sizes[i]!, sizes[i + 1]!);
  }
  if (
    currentFit !== null &&
    (currentFit.bestPossibleRecall > sufficientRecall || differentSizes(kept, count) < count)
  ) {
    return { anchors: Float64Array.from(current!), fit: currentFit, currentFit, changed: false };
  }
  const anchors = evolveAnchors(kept, kmeansAnchors(kept, { count, distance: 'euclidean', seed }), options);
  const fit = anchorFit(sizes, anchors, { ratio });
  if (currentFit !== null && !(fit.bestPossibleRecall > currentFit.bestPossibleRecall)) {
    return { anchors: Float64Array.from(current!), fit: currentFit, currentFit, changed: false };
  }
  return { anchors, fit, currentFit, changed: true };
}
