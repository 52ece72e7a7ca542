/**
 * The area under a precision-recall curve, in the ways the field computes it from the same points.
 *
 * Source: Everingham et al., "The Pascal VOC Challenge", IJCV 2010 (11 points; area since 2010); Lin et al., COCO,
 * ECCV 2014 (101 points, step); Ultralytics `compute_ap` (101 points, linear).
 */
import { OptionError, ShapeError } from '../errors.ts';
import { linspace } from './types.ts';

/**
 * - `'all-point'`: the exact area under the envelope (VOC since 2010);
 * - `'11-point'`: mean over recalls 0, 0.1 … 1 of the best precision at or beyond it (VOC 2007);
 * - `'101-point'`: the same over 0, 0.01 … 1, a recall never reached counts 0 (COCO);
 * - `'ultralytics'`: trapezoids under the envelope, interpolated linearly at 101 recalls; past the last recall precision
 *   is 0, so that a perfect detector scores 0.995 (Ultralytics 8.4);
 * - `'ultralytics-8.3'`: the same, but precision falls linearly from the last recall to recall 1 (8.3 and YOLOv5).
 */
export type AveragePrecisionMethod =
  | 'all-point'
  | '11-point'
  | '101-point'
  | 'ultralytics'
  | 'ultralytics-8.3';

/**
 * Average precision of a curve: `recall` and `precision` after each detection, best score first, recall not falling.
 * An empty curve gives 0. Throws {@link ShapeError} when lengths differ.
 */
export function averagePrecision(
  recall: ArrayLike<number>,
  precision: ArrayLike<number>,
  method: AveragePrecisionMethod = 'all-point',
): number {
  const count = recall.length;
  if (precision.length !== count) {
    throw new ShapeError(`expected as many precisions as recalls (${count}), got ${precision.length}`, {
      recalls: count,
      precisions: precision.length,
    });
  }
  if (count === 0) return 0;
  const envelope = envelopeOf(precision);
  switch (method) {
    case 'all-point': {
      let area = 0;
      let before = 0;
      for (let i = 0; i < count; i++) {
        if (recall[i]! === before) continue;
        area += (recall[i]! - before) * envelope[i]!;
        before = recall[i]!;
      }
      return area;
    }
    case '11-point':
      return stepMean(recall, envelope, linspace(0, 1, 11));
    case '101-point':
      return stepMean(recall, envelope, linspace(0, 1, 101));
    case 'ultralytics':
      return trapezoids([0, ...Array.from(recall), recall[count - 1]!, 1], [1, ...envelope, 0, 0]);
    case 'ultralytics-8.3':
      return trapezoids([0, ...Array.from(recall), 1], [1, ...envelope, 0]);
    default:
      throw new OptionError(
        `method must be 'all-point', '11-point', '101-point', 'ultralytics' or 'ultralytics-8.3', got '${String(method)}'`,
        { method },
      );
  }
}

/** Best precision at or beyond each point. */
export function envelopeOf(precision: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const envelope = Float64Array.from(precision);
  for (let i = envelope.length - 1; i > 0; i--) {
    if (envelope[i]! > envelope[i - 1]!) envelope[i - 1] = envelope[i]!;
  }
  return envelope;
}

/** Mean over `recalls` (rising) of the envelope where each is first reached, 0 where it is not. */
export function stepMean(
  recall: ArrayLike<number>,
  envelope: ArrayLike<number>,
  recalls: readonly number[],
): number {
  let sum = 0;
  let i = 0;
  for (const wanted of recalls) {
    while (i < recall.length && recall[i]! < wanted) i++;
    if (i < recall.length) sum += envelope[i]!;
  }
  return sum / recalls.length;
}

function trapezoids(x: readonly number[], y: readonly number[]): number {
  let area = 0;
  let before = Number.NaN;
  for (let p = 0; p <= 100; p++) {
    const value = interpolate(p / 100, x, y);
    if (p > 0) area += (before + value) / 200;
    before = value;
  }
  return area;
}

/**
 * Linear interpolation in points of rising `x`, constant outside (numpy `interp`): where several share an x, the last
 * of them holds at it.
 */
export function interpolate(at: number, x: ArrayLike<number>, y: ArrayLike<number>): number {
  let low = 0;
  let high = x.length;
  // the first point beyond `at`
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return y[0]!;
  if (low === x.length) return y[x.length - 1]!;
  const [x0, x1, y0, y1] = [x[low - 1]!, x[low]!, y[low - 1]!, y[low]!];
  return x0 === at ? y0 : ((y1 - y0) / (x1 - x0)) * (at - x0) + y0;
}
