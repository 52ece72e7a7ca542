/** Which priors of an assignment take part in the loss. All choices are seeded: the same seed gives the same sample. */
import { type Random, seededRandom } from '../../anchors/random.ts';
import type { Assignment } from '../types.ts';
import {
  checkLength,
  choose,
  greatest,
  negativesOf,
  positivesOf,
  wantedNegatives,
  wantedPositives,
} from './select.ts';
import type { Sample, Sampled, SampleOptions } from './types.ts';

/**
 * Random positives up to a part of the count, random negatives for the rest: RPN, R-CNN.
 *
 * Sources: torchvision `BalancedPositiveNegativeSampler`, detectron2 `subsample_labels`, mmdetection `RandomSampler`.
 */
export function randomSampler(assignment: Sampled, options: SampleOptions = {}): Sample {
  const random = seededRandom(options.seed ?? 0);
  const positives = choose(positivesOf(assignment), wantedPositives(options), random);
  const negatives = choose(negativesOf(assignment), wantedNegatives(options, positives.length), random);
  return { positives, negatives };
}

/** Everything that is not ignored (mmdetection `PseudoSampler`): focal losses need no sampling. */
export function pseudoSampler(assignment: Sampled): Sample {
  return { positives: positivesOf(assignment), negatives: negativesOf(assignment) };
}

export interface OhemOptions extends SampleOptions {
  /** Loss of each prior. */
  readonly losses: ArrayLike<number>;
}

/**
 * Positives and negatives of greatest loss, as many as {@link randomSampler} would take.
 *
 * Sources: Shrivastava et al., "Online hard example mining", CVPR 2016; mmdetection `OHEMSampler`.
 */
export function ohemSampler(assignment: Sampled, options: OhemOptions): Sample {
  const { losses } = options;
  checkLength('losses', losses, assignment);
  const positives = greatest(positivesOf(assignment), losses, wantedPositives(options));
  const negatives = greatest(negativesOf(assignment), losses, wantedNegatives(options, positives.length));
  return { positives, negatives };
}

export interface HardNegativeOptions {
  /** Loss of each prior as background (SSD: its cross-entropy). */
  readonly losses: ArrayLike<number>;
  /** Negatives a positive. Default 3. */
  readonly ratio?: number;
  /** Negatives of an image without positives. Default 0. */
  readonly minimumNegatives?: number;
}

/**
 * All positives, and for each three negatives of greatest loss.
 *
 * Sources: Liu et al., "SSD", ECCV 2016; torchvision and mmdetection SSD.
 */
export function hardNegativeSampler(assignment: Sampled, options: HardNegativeOptions): Sample {
  const { losses, ratio = 3, minimumNegatives = 0 } = options;
  checkLength('losses', losses, assignment);
  const positives = positivesOf(assignment);
  const wanted = Math.max(minimumNegatives, Math.trunc(ratio * positives.length));
  return { positives, negatives: greatest(negativesOf(assignment), losses, wanted) };
}

export interface IouBalancedOptions extends SampleOptions {
  /** Negatives below this overlap are one bin of their own (0: those without any); below 0: none are. Default −1. */
  readonly floorThreshold?: number;
  /** Part of the negatives taken from that bin. Default 0. */
  readonly floorFraction?: number;
  /** Bins of equal width from there to the greatest overlap of all priors, positive ones too. Default 3. */
  readonly bins?: number;
}

/**
 * Random positives; negatives spread evenly over bins of overlap, so that those near objects are not drowned by easy
 * ones. What a bin lacks is filled at random.
 *
 * The bin of greatest overlap includes its upper end, which the reference leaves out.
 *
 * Sources: Pang et al., "Libra R-CNN", CVPR 2019; mmdetection `IoUBalancedNegSampler`.
 */
export function iouBalancedSampler(
  assignment: Pick<Assignment, 'gtIndices' | 'overlaps'>,
  options: IouBalancedOptions = {},
): Sample {
  const { floorThreshold = -1, floorFraction = 0, bins = 3 } = options;
  checkLength('overlaps', assignment.overlaps, assignment);
  const random = seededRandom(options.seed ?? 0);
  const positives = choose(positivesOf(assignment), wantedPositives(options), random);
  const all = negativesOf(assignment);
  const wanted = wantedNegatives(options, positives.length);
  if (all.length <= wanted) return { positives, negatives: all };
  const { overlaps } = assignment;
  const low = Math.max(0, floorThreshold);
  const isFloor = (j: number): boolean =>
    floorThreshold === 0 ? overlaps[j] === 0 : overlaps[j]! < floorThreshold;
  const floor = all.filter(isFloor);
  const above = all.filter((j) => !isFloor(j));
  const fromBins = Math.trunc(wanted * (1 - floorFraction));
  const spread =
    above.length <= fromBins ? above : chooseEvenly(above, overlaps, low, fromBins, bins, random);
  const negatives = merge(spread, choose(floor, wanted - spread.length, random));
  return { positives, negatives: fill(negatives, all, wanted, random) };
}

function chooseEvenly(
  indices: Int32Array<ArrayBuffer>,
  overlaps: Float32Array,
  low: number,
  count: number,
  bins: number,
  random: Random,
): Int32Array<ArrayBuffer> {
  let high = low;
  for (const overlap of overlaps) if (overlap > high) high = overlap;
  const width = (high - low) / bins;
  const each = Math.trunc(count / bins);
  let chosen = new Int32Array(0);
  for (let bin = 0; bin < bins; bin++) {
    const members = indices.filter((j) => {
      const own = width > 0 ? Math.min(bins - 1, Math.floor((overlaps[j]! - low) / width)) : 0;
      return own === bin;
    });
    chosen = merge(chosen, choose(members, each, random));
  }
  return fill(chosen, indices, count, random);
}

/** Adds others at random until there are `count`. */
function fill(
  chosen: Int32Array<ArrayBuffer>,
  all: Int32Array,
  count: number,
  random: Random,
): Int32Array<ArrayBuffer> {
  if (chosen.length >= count) return chosen;
  const taken = new Set(chosen);
  const others = Int32Array.from(all.filter((j) => !taken.has(j)));
  return merge(chosen, choose(others, count - chosen.length, random));
}

function merge(a: Int32Array, b: Int32Array): Int32Array<ArrayBuffer> {
  const all = new Int32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all.sort();
}
