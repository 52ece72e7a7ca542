/** Triplet loss over given triplets, or over those a batch offers. */
import { OptionError } from '../../errors.ts';
import { choiceOption } from '../../options.ts';
import { binaryCrossEntropy, sigmoid } from '../classification/logistic.ts';
import {
  closeLoss,
  expectFinite,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sampleCount,
} from '../common.ts';
import { expectLabels, type PairDistance, pairGradient, pairMatrix } from './pairs.ts';

export interface TripletOptions extends Omit<LossOptions, 'weights' | 'preset'> {
  /** Length d of a feature. */
  readonly dimensions: number;
  /** Default 0.2. */
  readonly margin?: number;
  /** `'squared'` as FaceNet, `'euclidean'`, or `'angle'` (the margin is then one of ArcFace's, on the angles). Default `'squared'`. */
  readonly distance?: Exclude<PairDistance, 'cosine'>;
  /** ln(1 + e^x) in place of max(0, x + margin). Default false. */
  readonly softMargin?: boolean;
  /** Takes d(p, n) in place of d(a, n) where it is smaller (anchor swap). Default false. */
  readonly swap?: boolean;
  /** Normalises the features first. Default false. */
  readonly normalise?: boolean;
  /** Which triplets of the batch. Default `'batch-all'`. */
  readonly mining?: 'batch-all' | 'batch-hard' | 'semi-hard';
  /** 3·T indices: anchor, positive, negative. Takes the place of mining; labels may then be null. */
  readonly triplets?: ArrayLike<number>;
  /** What a mean divides by: all triplets, or those that cost something. Default: `'nonzero'` for batch-all, else `'all'`. */
  readonly average?: 'all' | 'nonzero';
}

export interface TripletResult extends LossResult {
  /** Triplets considered, 3 indices each, in the order of `perElement`. */
  readonly triplets: Int32Array;
}

/**
 * max(0, d(a, p) − d(a, n) + margin), or ln(1 + e^(d(a,p) − d(a,n))) with a soft margin.
 *
 * Batch-all takes every valid triplet. Batch-hard takes, an anchor each, the farthest positive (distance 0 where it has
 * none) and the nearest negative. Semi-hard takes, a positive pair each, the nearest negative that is farther than the
 * positive, else the farthest negative. Ties go to the lower index; anchors without a negative are left out.
 *
 * Source: Schroff et al., "FaceNet", CVPR 2015, Eq. 3; Hermans et al., 2017 (batch-hard, soft margin); the semi-hard
 * rule is TensorFlow Addons'. The slope at a kink is 0. pytorch-metric-learning's `TripletMarginLoss` is
 * `{ distance: 'euclidean', normalise: true, average: 'nonzero', margin: 0.05 }`.
 */
export function tripletLoss(
  features: FloatArray,
  labels: ArrayLike<number> | null,
  options: TripletOptions,
): TripletResult {
  const {
    dimensions,
    margin = 0.2,
    distance = 'squared',
    softMargin = false,
    mining = 'batch-all',
  } = options;
  choiceOption('mining', mining, ['batch-all', 'batch-hard', 'semi-hard']);
  expectFinite('tripletLoss', ['features', features]);
  const pairs = pairMatrix(features, dimensions, distance, options.normalise ?? false);
  const { count, values } = pairs;
  const triplets =
    options.triplets === undefined ? mine(mining, values, count, labels) : given(options.triplets, count);
  const total = triplets.length / 3;
  const average = choiceOption(
    'average',
    options.average ?? (options.triplets === undefined && mining === 'batch-all' ? 'nonzero' : 'all'),
    ['all', 'nonzero'],
  );

  /** Where in the matrix the distance to the negative stands. */
  const away = (t: number): number => {
    const positive = triplets[3 * t + 1]!;
    const negative = triplets[3 * t + 2]!;
    const fromAnchor = triplets[3 * t]! * count + negative;
    if (options.swap !== true || positive < 0) return fromAnchor;
    const fromPositive = positive * count + negative;
    return values[fromPositive]! < values[fromAnchor]! ? fromPositive : fromAnchor;
  };

  let active = 0;
  const costs = new Float64Array(total);
  const slopes = new Float64Array(total);
  let sum = 0;
  for (let t = 0; t < total; t++) {
    const anchor = triplets[3 * t]! * count;
    const positive = triplets[3 * t + 1]!;
    const gap = (positive < 0 ? 0 : values[anchor + positive]!) - values[away(t)]!;
    const cost = softMargin
      ? binaryCrossEntropy(gap, 0) // ln(1 + e^gap)
      : Math.max(0, gap + margin);
    slopes[t] = softMargin ? sigmoid(gap) : cost > 0 ? 1 : 0;
    if (!(cost <= 1e-16)) active++;
    costs[t] = cost;
    sum += cost;
  }
  const buffers = openLoss(features, average === 'nonzero' ? active : total, options);
  const { gradient, scale } = buffers;
  const terms = options.reduction === 'none' ? costs : undefined;
  const H = new Float64Array(count * count);
  for (let t = 0; t < total; t++) {
    const slope = slopes[t]! * scale;
    const anchor = triplets[3 * t]! * count;
    if (triplets[3 * t + 1]! >= 0) H[anchor + triplets[3 * t + 1]!]! += slope;
    H[away(t)]! -= slope;
  }
  pairGradient(pairs, H, dimensions, gradient);
  return { ...closeLoss('tripletLoss', sum, { gradient, terms, scale }), triplets };
}

function given(triplets: ArrayLike<number>, count: number): Int32Array {
  sampleCount('triplets', triplets.length, 3);
  for (let i = 0; i < triplets.length; i++) {
    if (!(Number.isInteger(triplets[i]!) && triplets[i]! >= 0 && triplets[i]! < count)) {
      throw new OptionError(`triplets[${i}] must be an index below ${count}, got ${triplets[i]}`, {
        index: i,
      });
    }
  }
  return Int32Array.from(triplets);
}

function mine(
  mining: 'batch-all' | 'batch-hard' | 'semi-hard',
  values: Float64Array,
  count: number,
  labels: ArrayLike<number> | null,
): Int32Array {
  if (labels === null) throw new OptionError('labels are needed to mine triplets');
  expectLabels(labels, count);
  const found: number[] = [];
  for (let a = 0; a < count; a++) {
    const distance = (j: number): number => values[a * count + j]!;
    let farthestPositive = -1;
    let nearestNegative = -1;
    let farthestNegative = -1;
    for (let j = 0; j < count; j++) {
      if (j === a) continue;
      if (labels[j] === labels[a]) {
        if (farthestPositive < 0 || distance(j) > distance(farthestPositive)) farthestPositive = j;
      } else {
        if (nearestNegative < 0 || distance(j) < distance(nearestNegative)) nearestNegative = j;
        if (farthestNegative < 0 || distance(j) > distance(farthestNegative)) farthestNegative = j;
      }
    }
    if (nearestNegative < 0) continue;
    if (mining === 'batch-hard') {
      found.push(a, farthestPositive, nearestNegative);
      continue;
    }
    for (let p = 0; p < count; p++) {
      if (p === a || labels[p] !== labels[a]) continue;
      let semiHard = -1;
      for (let n = 0; n < count; n++) {
        if (labels[n] === labels[a]) continue;
        if (mining === 'batch-all') found.push(a, p, n);
        else if (distance(n) > distance(p) && (semiHard < 0 || distance(n) < distance(semiHard)))
          semiHard = n;
      }
      if (mining === 'semi-hard') found.push(a, p, semiHard < 0 ? farthestNegative : semiHard);
    }
  }
  return Int32Array.from(found);
}
