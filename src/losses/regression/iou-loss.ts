/** Box regression by any IoU variant, in its three transforms, also through a box coder. */
import type { BoxArray, BoxFormat, Preset } from '../../boxes/types.ts';
import type { BoxCoder } from '../../coders/types.ts';
import { OptionError } from '../../errors.ts';
import { iouGradient } from '../../iou/gradient.ts';
import { summedIouGradient } from '../../iou/gradient-sum.ts';
import type { Metric } from '../../iou/types.ts';
import { choiceOption } from '../../options.ts';
import {
  closeLoss,
  expectFinite,
  type LossOptions,
  type LossResult,
  openLoss,
  weightStride,
} from '../common.ts';
import { practicalAspect } from './practical-aspect.ts';

export type IouTransform = 'linear' | 'log' | 'square';

export interface IouLossOptions extends LossOptions {
  /** Any variant or factory. Default `'iou'`. */
  readonly metric?: Metric;
  /** `'linear'` 1 − S, `'log'` −ln max(S, floor), `'square'` 1 − S². Default `'linear'`. */
  readonly transform?: IouTransform;
  /**
   * Floor of the logarithm; below it the gradient is 0. Default 1e-6 (mmdetection). With `preset: 'mmdetection'` and
   * `metric: 'iou'` it bounds the other transforms as well, as in `iou_loss`.
   */
  readonly floor?: number;
  /** Replaces the eps of the preset inside the similarity. */
  readonly eps?: number;
  /** Library whose conventions the similarity follows. Default torchvision. */
  readonly preset?: Preset;
  /** Format of both arrays and of the gradient. Default `'xyxy'`; with `through` always `'xyxy'`. */
  readonly format?: BoxFormat;
  /** 1 counts a box's last pixel. Default 0. */
  readonly pixelOffset?: 0 | 1;
  /** A weight a box, or four a box (their mean counts, as in mmdetection). */
  readonly weights?: ArrayLike<number>;
  /**
   * CIoU's practical gradient: 1/(w² + h²) in the aspect term is replaced by 1, which keeps it from exploding for small
   * boxes. Made for coordinates in 0–1; anything else is an OptionError. Only for `metric: 'ciou'`, xyxy. Default false.
   */
  readonly practicalGradient?: boolean;
  /**
   * The prediction is what this coder decodes (deltas, distances, or 4·bins·N logits of distances), and so is the
   * gradient.
   */
  readonly through?: Pick<BoxCoder, 'decode' | 'decodeGradient'>;
  /** 4·N priors of `through`, xyxy. */
  readonly priors?: BoxArray;
}

/**
 * Loss of N predicted boxes against N target boxes by any IoU variant, with its analytic gradient.
 *
 * 4·N and 4·N in; `gradient` is 4·N with respect to the prediction, in its format. Weights a paper detaches (CIoU's α)
 * are detached. `'mean'` divides by N. A coordinate that is not finite is a NumericError.
 *
 * Source: UnitBox (Yu et al., 2016) for −ln IoU; GIoU, DIoU, CIoU … as the variant's own file says; mmdetection
 * `iou_loss`, torchvision `generalized_box_iou_loss` and kin.
 *
 * @example
 * iouLoss(predicted, target, { metric: 'ciou' }).gradient;
 */
export function iouLoss(prediction: BoxArray, target: BoxArray, options: IouLossOptions = {}): LossResult {
  const { metric = 'iou', floor = 1e-6, weights, through, priors } = options;
  const format = through === undefined ? (options.format ?? 'xyxy') : 'xyxy';
  const transform = choiceOption('transform', options.transform, ['linear', 'log', 'square']);
  if ((through === undefined) !== (priors === undefined))
    throw new OptionError('through and priors go together');
  // a coder may clamp what is not finite
  if (through !== undefined) expectFinite('iouLoss', ['prediction', prediction], ['priors', priors]);
  const boxes = through === undefined ? prediction : through.decode(prediction, priors!);
  const count = boxes.length / 4;
  const buffers = openLoss(prediction, count, options);
  const { gradient, terms, scale } = buffers;
  // mmdetection clamps the IoU before any transform
  const bounded = transform === 'log' || (options.preset === 'mmdetection' && metric === 'iou');
  const whole =
    transform === 'linear' &&
    !bounded &&
    through === undefined &&
    weights === undefined &&
    terms === undefined &&
    format === 'xyxy' &&
    (options.pixelOffset ?? 0) === 0 &&
    options.practicalGradient !== true;
  const total = whole ? summedIouGradient(prediction, target, gradient, -scale, metric, options) : null;
  if (total !== null) {
    const sum = count - total;
    return closeLoss('iouLoss', sum, buffers, ['prediction', prediction], ['target', target]);
  }
  // The slopes of the similarity go where the gradient will stand, unless a coder has to carry them there.
  const hasRoom =
    through === undefined &&
    target.length === prediction.length &&
    target instanceof Float64Array === prediction instanceof Float64Array;
  const { values, gradient: slopes } = iouGradient(boxes, target, {
    ...options,
    format,
    out: hasRoom ? { values: valuesFor(prediction), gradient } : undefined,
  });
  if (options.practicalGradient === true) {
    if (metric !== 'ciou' || format !== 'xyxy') {
      throw new OptionError(`practicalGradient goes with metric 'ciou' and xyxy boxes`, {
        metric: String(metric),
        format,
      });
    }
    practicalAspect(boxes, target, slopes);
  }
  const perBox = weightsPerBox(weights, count);
  const boxGradient = through === undefined ? gradient : slopes;

  let sum = 0;
  const plain = transform === 'linear' && !bounded && perBox === undefined && terms === undefined;
  if (plain) {
    for (let i = 0; i < count; i++) sum += 1 - values[i]!;
    for (let k = 0; k < 4 * count; k++) boxGradient[k] = -scale * slopes[k]!;
  }
  for (let i = plain ? count : 0; i < count; i++) {
    const below = bounded && values[i]! < floor;
    const s = below ? floor : values[i]!;
    const weight = perBox === undefined ? 1 : perBox[i]!;
    let term: number;
    let slope: number;
    if (transform === 'linear') {
      term = 1 - s;
      slope = -1;
    } else if (transform === 'square') {
      term = 1 - s * s;
      slope = -2 * s;
    } else {
      term = -Math.log(s);
      slope = -1 / s;
    }
    sum += weight * term;
    if (terms !== undefined) terms[i] = weight * term;
    const factor = below ? 0 : weight * slope * scale;
    for (let k = 4 * i; k < 4 * i + 4; k++) boxGradient[k] = factor * slopes[k]!;
  }
  through?.decodeGradient(boxGradient, prediction, priors!, gradient);
  return closeLoss(
    'iouLoss',
    sum,
    buffers,
    ['prediction', prediction],
    ['target', target],
    ['weights', weights],
  );
}

/** Similarities are of no use after the call: their memory is kept for the next. */
let singles = new Float32Array(0);
let doubles = new Float64Array(0);

function valuesFor(boxes: BoxArray): BoxArray {
  const count = boxes.length / 4;
  if (boxes instanceof Float64Array) {
    if (doubles.length < count) doubles = new Float64Array(count);
    return doubles;
  }
  if (singles.length < count) singles = new Float32Array(count);
  return singles;
}

/** One weight a box; four a box become their mean. */
export function weightsPerBox(
  weights: ArrayLike<number> | undefined,
  count: number,
): ArrayLike<number> | undefined {
  if (weights === undefined || weightStride(weights, count, 4 * count) === 1) return weights;
  return Float64Array.from(
    { length: count },
    (_, i) => (weights[4 * i]! + weights[4 * i + 1]! + weights[4 * i + 2]! + weights[4 * i + 3]!) / 4,
  );
}
