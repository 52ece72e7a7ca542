/**
 * What every loss shares: options, result, how a sum becomes a value, and how bad input is reported.
 *
 * A loss sums in float64 whatever its input, and scales the gradient while it writes it, so there is one pass and one
 * buffer. `none`, `sum` and `mean` are torch's; `avgFactor` and `weights` are mmdetection's (`weight_reduce_loss`).
 */
import { expectLength as expectLengthOf } from '../boxes/check.ts';
import type { Preset } from '../boxes/types.ts';
import { NumericError, OptionError, ShapeError } from '../errors.ts';
import { checkCount, choiceOption } from '../options.ts';

/** Logits, boxes and gradients: the gradient is of the same kind as what it belongs to. */
export type FloatArray = Float32Array | Float64Array;

export type Reduction = 'none' | 'sum' | 'mean';

export interface LossOptions {
  /** `'mean'` divides the sum by the number of terms, or by `avgFactor`. Default `'mean'`. */
  readonly reduction?: Reduction;
  /** Divides the sum in place of the number of terms; only with `'mean'`. */
  readonly avgFactor?: number;
  /** A weight a sample, or one an element. */
  readonly weights?: ArrayLike<number>;
  /** Receives the gradient; as long as the prediction. */
  readonly out?: FloatArray;
  /** `'mmdetection'` adds 2⁻²³ to `avgFactor`, as mmdet does. */
  readonly preset?: Preset;
}

export interface LossResult {
  /** The reduced loss; with `reduction: 'none'` the sum. */
  readonly value: number;
  /** The terms, weighted but not divided; present with `reduction: 'none'`. */
  readonly perElement?: FloatArray;
  /** d value / d prediction, in the prediction's layout. */
  readonly gradient: FloatArray;
}

/** The buffers and factors of one call. */
export interface LossBuffers {
  readonly gradient: FloatArray;
  readonly terms: FloatArray | undefined;
  /** Factor on the sum and on the gradient. */
  readonly scale: number;
}

const mmdetectionEpsilon = 2 ** -23;

/** A zeroed or reused array of the type of `like`. */
export function sameType(like: FloatArray, length: number): FloatArray {
  return like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
}

/** Factor that turns a sum of `count` terms into the value; an empty mean is 0, not 0/0. */
function reductionScale(options: LossOptions, count: number): number {
  const reduction = choiceOption('reduction', options.reduction, ['mean', 'sum', 'none']);
  const { avgFactor } = options;
  if (avgFactor === undefined) return reduction === 'mean' ? (count === 0 ? 0 : 1 / count) : 1;
  if (!Number.isFinite(avgFactor) || avgFactor < 0) {
    throw new OptionError(`avgFactor must be a number ≥ 0, got ${avgFactor}`, { avgFactor });
  }
  if (reduction === 'sum') throw new OptionError(`avgFactor does not go with reduction: 'sum'`);
  if (reduction === 'none') return 1;
  const divisor = avgFactor + (options.preset === 'mmdetection' ? mmdetectionEpsilon : 0);
  if (divisor === 0) throw new OptionError('avgFactor must not be 0 (there is nothing to divide by)');
  return 1 / divisor;
}

/** Gradient buffer (`out` or a new one), terms where asked for, and the scale. */
export function openLoss(prediction: FloatArray, termCount: number, options: LossOptions): LossBuffers {
  const { out } = options;
  expectLength('out', out, prediction.length);
  return {
    gradient: out ?? sameType(prediction, prediction.length),
    terms: options.reduction === 'none' ? sameType(prediction, termCount) : undefined,
    scale: reductionScale(options, termCount),
  };
}

/**
 * The result of a call. A sum that is not finite comes from input that is not: the first such number is reported, and
 * nothing is spread silently. Losses in which such a number may leave the sum finite call {@link expectFinite} first.
 */
export function closeLoss(
  loss: string,
  sum: number,
  buffers: LossBuffers,
  ...inputs: readonly LossInput[]
): LossResult {
  if (!Number.isFinite(sum)) {
    expectFinite(loss, ...inputs);
    throw new NumericError(
      `${loss}: the sum is ${sum} though every input is finite: an option out of range, or an overflow`,
      { loss },
    );
  }
  const { terms, gradient, scale } = buffers;
  return { value: sum * scale, gradient, ...(terms === undefined ? {} : { perElement: terms }) };
}

/** An array a loss reads, by the name its user knows. */
export type LossInput = readonly [name: string, values: ArrayLike<number> | undefined];

/** NumericError that names the first number that is NaN or infinite. */
export function expectFinite(loss: string, ...inputs: readonly LossInput[]): void {
  for (const [name, values] of inputs) {
    if (values === undefined) continue;
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i]!)) {
        throw new NumericError(`${loss}: ${name}[${i}] is ${values[i]}`, { loss, input: name, index: i });
      }
    }
  }
}

/** N of an N×C array; ShapeError when C does not divide its length. */
export function sampleCount(name: string, length: number, columns: number): number {
  checkCount(`the number of columns of ${name}`, columns);
  if (length % columns !== 0) {
    throw new ShapeError(`expected ${name} of length ${columns}·N, got ${length}`, { name, got: length });
  }
  return length / columns;
}

/** ShapeError unless `values`, where given, holds `expected` numbers. */
export function expectLength(name: string, values: ArrayLike<number> | undefined, expected: number): void {
  if (values !== undefined) expectLengthOf(name, values.length, expected);
}

/** Throws unless there is a label a sample and each is a class, or `ignoreIndex` where one is given. */
export function checkLabels(
  labels: ArrayLike<number>,
  samples: number,
  classes: number,
  ignoreIndex?: number,
): void {
  expectLength('labels', labels, samples);
  for (let i = 0; i < samples; i++) {
    const label = labels[i]!;
    if (label !== ignoreIndex && !(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new OptionError(`labels[${i}] must be a class index from 0 to ${classes - 1}, got ${label}`, {
        index: i,
      });
    }
  }
}

/** How `weights` is laid out: 0 none, 1 a sample each, 2 an element each. */
export function weightStride(
  weights: ArrayLike<number> | undefined,
  samples: number,
  elements: number,
): 0 | 1 | 2 {
  if (weights === undefined) return 0;
  if (weights.length === samples) return 1;
  if (weights.length === elements) return 2;
  const got = weights.length;
  throw new ShapeError(`expected weights of length ${samples} or ${elements}, got ${got}`, {
    samples,
    elements,
    got,
  });
}

/**
 * Number a library divides a sum of focal terms by, to be passed as `avgFactor`: samples·classes (torchvision's mean),
 * samples (mmcv's kernels), positives but at least 1 (DETR, RetinaNet), positives + 1 (EfficientDet).
 */
export function lossNormalizer(
  convention: 'torchvision' | 'mmcv' | 'detr' | 'efficientdet' | 'retinanet',
  counts: { readonly samples: number; readonly classes: number; readonly positives: number },
): number {
  switch (convention) {
    case 'torchvision':
      return counts.samples * counts.classes; // reduction: 'mean' of sigmoid_focal_loss
    case 'mmcv':
      return counts.samples; // the CUDA focal losses divide by N, not by N·C
    case 'detr':
    case 'retinanet':
      return Math.max(1, counts.positives); // Σ / number of boxes
    case 'efficientdet':
      return counts.positives + 1;
  }
}
