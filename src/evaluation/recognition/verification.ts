/**
 * Face verification as on LFW: pairs of embeddings, ten folds, the threshold chosen on nine of them and judged on the
 * tenth.
 */
import { OptionError, ShapeError } from '../../errors.ts';
import { checkOptionKinds, type OptionKinds } from '../../options.ts';

export interface VerificationOptions {
  /** Consecutive parts of the pairs. Default 10. */
  readonly folds?: number;
  /** A pair is accepted when its distance is below the threshold. Default 0, 0.01 … 3.99. */
  readonly thresholds?: ArrayLike<number>;
  /** False acceptance rate for `validationRate`. Default 0.001. */
  readonly falseAcceptanceRate?: number;
  /** Thresholds interpolated for `validationRate`. Default 0, 0.001 … 3.999. */
  readonly validationThresholds?: ArrayLike<number>;
}

export interface Verification {
  /** Mean over the folds, and their standard deviation. */
  readonly accuracy: number;
  readonly accuracyDeviation: number;
  readonly foldAccuracies: Float64Array;
  /** The threshold chosen on the other folds, the lowest of equals. */
  readonly foldThresholds: Float64Array;
  /** Mean share of genuine pairs accepted at `falseAcceptanceRate`, its deviation, and the rate really met. */
  readonly validationRate: number;
  readonly validationDeviation: number;
  readonly falseAcceptanceRate: number;
}

const kinds: OptionKinds<VerificationOptions> = {
  folds: 'number',
  thresholds: 'object',
  falseAcceptanceRate: 'number',
  validationThresholds: 'object',
};

/**
 * k-fold verification accuracy of P pairs: `distances` (squared Euclidean of normalised embeddings, 0 to 4; see
 * {@link pairDistances}) and `same` (truthy: one person). Folds are consecutive, the first ones longer where P does not
 * divide; a rate without pairs of its kind counts 0.
 *
 * Throws {@link ShapeError} when lengths differ, {@link OptionError} for fewer pairs than folds.
 *
 * Source: Huang et al., "Labeled Faces in the Wild", 2007; facenet and insightface `verification.py` (`calculate_roc`,
 * `calculate_val`).
 */
export function verificationAccuracy(
  distances: ArrayLike<number>,
  same: ArrayLike<number | boolean>,
  options: VerificationOptions = {},
): Verification {
  checkOptionKinds('options of verificationAccuracy', options, kinds);
  const { folds = 10, falseAcceptanceRate = 1e-3 } = options;
  const thresholds = options.thresholds ?? steps(400, 0.01);
  const fine = options.validationThresholds ?? steps(4000, 0.001);
  const pairs = distances.length;
  if (same.length !== pairs) {
    throw new ShapeError(`expected as many labels as distances (${pairs}), got ${same.length}`, {
      distances: pairs,
      labels: same.length,
    });
  }
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= pairs)) {
    throw new OptionError(`folds must be a whole number from 2 to the ${pairs} pairs, got ${folds}`, {
      folds,
    });
  }
  const whole = counter(distances, same, 0, pairs);
  const foldAccuracies = new Float64Array(folds);
  const foldThresholds = new Float64Array(folds);
  const rates = new Float64Array(folds);
  const met = new Float64Array(folds);
  let start = 0;
  for (let fold = 0; fold < folds; fold++) {
    const end = start + Math.floor(pairs / folds) + (fold < pairs % folds ? 1 : 0);
    const test = counter(distances, same, start, end);
    let best = -1;
    for (let i = 0; i < thresholds.length; i++) {
      const threshold = thresholds[i]!;
      const right = whole.right(threshold) - test.right(threshold);
      if (right <= best) continue;
      best = right;
      foldThresholds[fold] = threshold;
    }
    foldAccuracies[fold] = test.right(foldThresholds[fold]!) / (end - start);

    const impostors = whole.impostors - test.impostors;
    const trainRates = Float64Array.from(fine, (threshold) =>
      impostors === 0
        ? 0
        : (whole.acceptedImpostors(threshold) - test.acceptedImpostors(threshold)) / impostors,
    );
    const threshold = thresholdAt(trainRates, fine, falseAcceptanceRate);
    rates[fold] = test.genuine === 0 ? 0 : test.acceptedGenuine(threshold) / test.genuine;
    met[fold] = test.impostors === 0 ? 0 : test.acceptedImpostors(threshold) / test.impostors;
    start = end;
  }
  return {
    accuracy: mean(foldAccuracies),
    accuracyDeviation: deviation(foldAccuracies),
    foldAccuracies,
    foldThresholds,
    validationRate: mean(rates),
    validationDeviation: deviation(rates),
    falseAcceptanceRate: mean(met),
  };
}

/**
 * Squared Euclidean distance of each pair of rows, [P, dimensions] each, both normalised to length 1 first (insightface
 * compares so; a flipped copy of the picture is added to the embedding before). A row of zeros stays zeros.
 */
export function pairDistances(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  dimensions: number,
): Float64Array<ArrayBuffer> {
  if (
    !(Number.isInteger(dimensions) && dimensions > 0) ||
    a.length % dimensions !== 0 ||
    a.length !== b.length
  ) {
    throw new ShapeError(`expected two arrays of P·${dimensions} numbers, got ${a.length} and ${b.length}`, {
      dimensions,
      a: a.length,
      b: b.length,
    });
  }
  const norm = (rows: ArrayLike<number>, from: number): number => {
    let sum = 0;
    for (let c = from; c < from + dimensions; c++) sum += rows[c]! ** 2;
    return sum === 0 ? 1 : Math.sqrt(sum);
  };
  return Float64Array.from({ length: a.length / dimensions }, (_, pair) => {
    const from = pair * dimensions;
    const [na, nb] = [norm(a, from), norm(b, from)];
    let distance = 0;
    for (let c = from; c < from + dimensions; c++) distance += (a[c]! / na - b[c]! / nb) ** 2;
    return distance;
  });
}

const steps = (count: number, step: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => i * step);

interface Counter {
  readonly genuine: number;
  readonly impostors: number;
  /** Pairs below a threshold. */
  acceptedGenuine(threshold: number): number;
  acceptedImpostors(threshold: number): number;
  /** Pairs told right at a threshold. */
  right(threshold: number): number;
}

/** Counts pairs of a range below thresholds, from sorted distances. */
function counter(
  distances: ArrayLike<number>,
  same: ArrayLike<number | boolean>,
  start: number,
  end: number,
): Counter {
  const pick = (wanted: boolean): Float64Array => {
    const list: number[] = [];
    for (let i = start; i < end; i++) if (Boolean(same[i]) === wanted) list.push(distances[i]!);
    return Float64Array.from(list).sort();
  };
  const genuine = pick(true);
  const impostors = pick(false);
  const below = (sorted: Float64Array, threshold: number): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < threshold) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    genuine: genuine.length,
    impostors: impostors.length,
    acceptedGenuine: (threshold) => below(genuine, threshold),
    acceptedImpostors: (threshold) => below(impostors, threshold),
    right: (threshold) => below(genuine, threshold) + impostors.length - below(impostors, threshold),
  };
}

/** Threshold at a rate, linear between the last threshold that does not pass it and the next; 0 if it is never met. */
function thresholdAt(rates: Float64Array, thresholds: ArrayLike<number>, wanted: number): number {
  let last = -1;
  for (let i = 0; i < rates.length; i++) if (rates[i]! <= wanted) last = i;
  if (last < 0 || rates[rates.length - 1]! < wanted) return 0;
  if (last === rates.length - 1) return thresholds[last]!;
  const part = (wanted - rates[last]!) / (rates[last + 1]! - rates[last]!);
  return thresholds[last]! + part * (thresholds[last + 1]! - thresholds[last]!);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the population, as numpy's `std`. */
function deviation(values: Float64Array): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length);
}
