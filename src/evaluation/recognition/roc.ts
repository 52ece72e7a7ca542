/**
 * Receiver operating characteristic of a verification system: how many genuine pairs it accepts for how many impostors,
 * and the numbers read off the curve.
 */
import { OptionError, ShapeError } from '../../errors.ts';
import { orderByScore } from '../../nms/order.ts';
import { checkOptionKinds, type OptionKinds } from '../../options.ts';

export interface RocCurve {
  /** False positive rate, rising from 0 to 1. */
  readonly falsePositiveRate: Float64Array;
  /** True positive rate, rising from 0 to 1. */
  readonly truePositiveRate: Float64Array;
  /** Scores from which a pair is accepted, falling; the first is Infinity, which accepts none. */
  readonly thresholds: Float64Array;
}

export interface RocOptions {
  /** True leaves out points on a straight line between their neighbours. Default true, as scikit-learn has it. */
  readonly dropIntermediate?: boolean;
}

const kinds: OptionKinds<RocOptions> = {
  dropIntermediate: 'boolean',
};

/**
 * ROC of scores with their labels (truthy: genuine), one point a distinct score. A rate without pairs of its kind is
 * NaN. Throws {@link ShapeError} when lengths differ, {@link OptionError} for a score that is NaN.
 *
 * Source: Fawcett, "An introduction to ROC analysis", 2006; scikit-learn `roc_curve`.
 */
export function rocCurve(
  labels: ArrayLike<number | boolean>,
  scores: ArrayLike<number>,
  options: RocOptions = {},
): RocCurve {
  checkOptionKinds('options of rocCurve', options, kinds);
  const count = scores.length;
  if (labels.length !== count) {
    throw new ShapeError(`expected as many labels as scores (${count}), got ${labels.length}`, {
      scores: count,
      labels: labels.length,
    });
  }
  const sorted = Float64Array.from(scores);
  if (sorted.some(Number.isNaN)) throw new OptionError('scores must be numbers, got NaN', {});
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const order = count === 0 ? all : orderByScore(sorted, all);
  const accepted: [impostors: number, genuine: number, threshold: number][] = [];
  let genuine = 0;
  let impostors = 0;
  order.forEach((i, n) => {
    if (labels[i]) genuine++;
    else impostors++;
    if (n + 1 === count || sorted[order[n + 1]!] !== sorted[i]) {
      accepted.push([impostors, genuine, sorted[i]!]);
    }
  });
  const kept =
    (options.dropIntermediate ?? true)
      ? accepted.filter(([x, y], n) => {
          const before = accepted[n - 1];
          const after = accepted[n + 1];
          if (before === undefined || after === undefined) return true;
          return after[0] - x !== x - before[0] || after[1] - y !== y - before[1];
        })
      : accepted;
  const points: typeof accepted = [[0, 0, Infinity], ...kept];
  return {
    falsePositiveRate: Float64Array.from(points, ([x]) => (impostors === 0 ? Number.NaN : x / impostors)),
    truePositiveRate: Float64Array.from(points, ([, y]) => (genuine === 0 ? Number.NaN : y / genuine)),
    thresholds: Float64Array.from(points, ([, , threshold]) => threshold),
  };
}

/** Area under the curve by trapezoids (scikit-learn `auc`). */
export function rocAuc({ falsePositiveRate: x, truePositiveRate: y }: RocCurve): number {
  let area = 0;
  for (let i = 1; i < x.length; i++) area += ((x[i]! - x[i - 1]!) * (y[i]! + y[i - 1]!)) / 2;
  return area;
}

/**
 * True acceptance rate at each false acceptance rate asked for, at the point of the curve nearest to it (of equally near
 * ones the one that accepts most); nothing is interpolated.
 *
 * Source: insightface `eval_ijbc.py`, which reads them off scikit-learn's curve without intermediate points.
 */
export function trueAcceptanceRates(
  curve: RocCurve,
  falseAcceptanceRates: ArrayLike<number>,
): Float64Array<ArrayBuffer> {
  const { falsePositiveRate: x, truePositiveRate: y } = curve;
  return Float64Array.from(falseAcceptanceRates, (wanted) => {
    let nearest = Infinity;
    let rate = 0;
    for (let i = x.length - 1; i >= 0; i--) {
      const distance = Math.abs(x[i]! - wanted);
      if (distance < nearest) {
        nearest = distance;
        rate = y[i]!;
      }
    }
    return rate;
  });
}

export interface EqualError {
  /** Where as many impostors are accepted as genuine pairs refused. */
  readonly rate: number;
  /** The score there, interpolated like the rate. */
  readonly threshold: number;
}

/** Equal error rate of a `rocCurve`: where the curve, interpolated linearly, crosses `1 − TPR = FPR`. */
export function equalErrorRate(curve: RocCurve): EqualError {
  const { falsePositiveRate: x, truePositiveRate: y, thresholds } = curve;
  for (let i = 1; i < x.length; i++) {
    const before = x[i - 1]! + y[i - 1]! - 1;
    const after = x[i]! + y[i]! - 1;
    if (after < 0) continue;
    const part = after === before ? 0 : -before / (after - before);
    const from = thresholds[i - 1]!;
    const to = thresholds[i]!;
    return {
      rate: x[i - 1]! + part * (x[i]! - x[i - 1]!),
      threshold: Number.isFinite(from) ? from + part * (to - from) : to,
    };
  }
  return { rate: Number.NaN, threshold: Number.NaN };
}
