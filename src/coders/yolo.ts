/**
 * What YOLO heads regress: the centre within its cell and the size relative to an anchor.
 *
 * A prior is the anchor's box about the middle of its cell, as `yoloAnchors` makes them. The cell's side is not in the
 * box, so the coder is told: `stride`, one number or one a box.
 */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { type BoxCoder, coderOut } from './types.ts';

export interface YoloCoderOptions {
  /** Side of the cell in pixels: of all boxes, or one a box. */
  readonly stride: number | ArrayLike<number>;
  /**
   * `'v3'` (also v2, v4): xy = (σ(t)·k − (k − 1)/2 + cell)·stride, wh = anchor·eᵗ. `'v5'` (also v7, darknet
   * `new_coords`): xy = (2σ(t) − ½ + cell)·stride, wh = anchor·(2σ(t))². Default `'v5'`.
   */
  readonly version?: 'v3' | 'v5';
  /** k of `'v3'` (darknet `scale_x_y`; YOLOv4 1.2, 1.1, 1.05). Default 1. */
  readonly scaleXY?: number;
  /** Encoded numbers are logits, or have been through the sigmoid where one applies. Default `'logit'`. */
  readonly space?: 'logit' | 'activated';
  /** Keeps encoded probabilities within [eps, 1 − eps] (mmdetection 1e-6). Default 1e-6. */
  readonly eps?: number;
}

/** Sources: Redmon and Farhadi 2017, 2018; darknet; ultralytics/yolov5 `Detect`; mmdetection `YOLOBBoxCoder`. */
export function yoloCoder(options: YoloCoderOptions): BoxCoder {
  const { stride, version = 'v5', space = 'logit', eps = 1e-6 } = options;
  choiceOption('version', version, ['v3', 'v5']);
  const five = version === 'v5';
  // centre = σ·scale − shift, in cells
  const scale = five ? 2 : (options.scaleXY ?? 1);
  if (!(scale >= 1)) throw new OptionError(`scaleXY must be ≥ 1, got ${scale}`, { scaleXY: scale });
  const shift = (scale - 1) / 2;
  const logits = space === 'logit';
  const activate = (t: number): number => (logits ? 1 / (1 + Math.exp(-t)) : t);
  const invert = (p: number): number => {
    const inside = Math.min(Math.max(p, eps), 1 - eps);
    return logits ? Math.log(inside / (1 - inside)) : inside;
  };
  const slope = (p: number): number => (logits ? p * (1 - p) : 1);
  const strideOf = strides(stride);

  return {
    encode(boxes, priors, out) {
      const result = coderOut('yoloCoder.encode', boxes, priors, out);
      for (let i = 0; i < boxes.length; i += 4) {
        const cell = strideOf(i / 4, boxes.length / 4);
        for (let axis = 0; axis < 2; axis++) {
          const anchor = priors[i + axis + 2]! - priors[i + axis]!;
          const away =
            (boxes[i + axis]! + boxes[i + axis + 2]! - priors[i + axis]! - priors[i + axis + 2]!) / 2;
          const ratio = (boxes[i + axis + 2]! - boxes[i + axis]!) / anchor;
          result[i + axis] = invert((away / cell + 0.5 + shift) / scale);
          result[i + axis + 2] = five ? invert(Math.sqrt(ratio) / 2) : Math.log(Math.max(ratio, eps));
        }
      }
      return result;
    },
    decode(encoded, priors, out) {
      const result = coderOut('yoloCoder.decode', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        const cell = strideOf(i / 4, encoded.length / 4);
        for (let axis = 0; axis < 2; axis++) {
          const anchor = priors[i + axis + 2]! - priors[i + axis]!;
          const middle = (priors[i + axis]! + priors[i + axis + 2]!) / 2;
          const centre = middle + (activate(encoded[i + axis]!) * scale - shift - 0.5) * cell;
          const t = encoded[i + axis + 2]!;
          const half = (anchor * (five ? (2 * activate(t)) ** 2 : Math.exp(t))) / 2;
          result[i + axis] = centre - half;
          result[i + axis + 2] = centre + half;
        }
      }
      return result;
    },
    decodeGradient(boxGradient, encoded, priors, out) {
      const result = coderOut('yoloCoder.decodeGradient', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        const cell = strideOf(i / 4, encoded.length / 4);
        for (let axis = 0; axis < 2; axis++) {
          const low = boxGradient[i + axis]!;
          const high = boxGradient[i + axis + 2]!;
          const anchor = priors[i + axis + 2]! - priors[i + axis]!;
          const centre = activate(encoded[i + axis]!);
          const t = encoded[i + axis + 2]!;
          const growth = five ? 8 * activate(t) * slope(activate(t)) : Math.exp(t);
          result[i + axis] = (low + high) * scale * cell * slope(centre);
          result[i + axis + 2] = ((high - low) * anchor * growth) / 2;
        }
      }
      return result;
    },
  };
}

/** The stride of box i of n. */
function strides(stride: number | ArrayLike<number>): (i: number, n: number) => number {
  if (typeof stride === 'number') {
    if (!(stride > 0)) throw new OptionError(`stride must be > 0, got ${stride}`, { stride });
    return () => stride;
  }
  return (i, n) => {
    if (stride.length !== n) throw new ShapeError(`expected ${n} strides, one a box, got ${stride.length}`);
    return stride[i]!;
  };
}

/**
 * YOLOX: xy = (t + cell)·stride, wh = eᵗ·stride. Priors are squares of the stride's side about the cell's corner
 * (`pointPriors` with offset 0). Encoding adds 1e-8 to sizes, as YOLOX does.
 */
export function yoloxCoder(): BoxCoder {
  const size = (priors: BoxArray, i: number): number => priors[i + 2]! - priors[i]!;
  return {
    encode(boxes, priors, out) {
      const result = coderOut('yoloxCoder.encode', boxes, priors, out);
      for (let i = 0; i < boxes.length; i += 4) {
        for (let k = i; k < i + 2; k++) {
          const unit = size(priors, k);
          result[k] = (boxes[k]! + boxes[k + 2]! - priors[k]! - priors[k + 2]!) / 2 / unit;
          result[k + 2] = Math.log((boxes[k + 2]! - boxes[k]!) / unit + 1e-8);
        }
      }
      return result;
    },
    decode(encoded, priors, out) {
      const result = coderOut('yoloxCoder.decode', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        for (let k = i; k < i + 2; k++) {
          const unit = size(priors, k);
          const centre = (priors[k]! + priors[k + 2]!) / 2 + encoded[k]! * unit;
          const half = (Math.exp(encoded[k + 2]!) * unit) / 2;
          result[k] = centre - half;
          result[k + 2] = centre + half;
        }
      }
      return result;
    },
    decodeGradient(boxGradient, encoded, priors, out) {
      const result = coderOut('yoloxCoder.decodeGradient', encoded, priors, out);
      for (let i = 0; i < encoded.length; i += 4) {
        for (let k = i; k < i + 2; k++) {
          const unit = size(priors, k);
          const [low, high] = [boxGradient[k]!, boxGradient[k + 2]!];
          const half = (Math.exp(encoded[k + 2]!) * unit) / 2;
          result[k] = (low + high) * unit;
          result[k + 2] = (high - low) * half;
        }
      }
      return result;
    },
  };
}
