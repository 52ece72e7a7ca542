/**
 * Instance masks from prototypes (YOLACT, YOLOv5/8/11/26-seg): a detection's mask is the sum of low-resolution
 * prototypes weighted by its coefficients, positive where the object is, inside its box only.
 *
 * Nothing is computed until a mask is asked for, and then only for the pixels of its box: interpolating the weighted
 * sum is the same as weighting interpolated prototypes, at a thirty-second of the work.
 */
import { findOutput, imageIndex } from './layout.ts';
import { readColumn } from './tensor.ts';
import type { DecodeOptions, MaskPrototypes, ModelOutputs } from './types.ts';

/** The rank-4 output of prototypes, or null. */
export function readPrototypes(outputs: ModelOutputs, options: DecodeOptions): MaskPrototypes | null {
  const tensor = findOutput(outputs, (dims) => dims.length === 4);
  if (tensor === undefined) return null;
  const [, channels, height, width] = tensor.dims as [number, number, number, number];
  const size = channels * height * width;
  const image = imageIndex(tensor, options);
  const data = readColumn(tensor, image * size, size, 3);
  // converted tensors lie in scratch that the next call overwrites
  return { data: tensor.data instanceof Float32Array ? data : data.slice(), channels, height, width };
}

/** A mask inside its box: 1 where the object is. */
export interface BoxMask {
  /** Left and top of the mask in pixels of the model input. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** width·height of 0 or 1, row-major. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * Mask of one candidate over the pixels of the model input that its box covers.
 *
 * The weighted sum is interpolated bilinearly with pixel centres aligned (torch `interpolate(align_corners=False)`, as
 * Ultralytics' `process_mask(upsample=True)`) and compared with 0, the logit of one half. A pixel belongs to the box
 * when its index lies in [x1, x2) × [y1, y2).
 *
 * @example
 * const found = decodeYolov8Seg(outputs, { input });
 * const mask = decodeMask(found.prototypes!, found.maskCoefficients!.subarray(0, 32), found.boxes.subarray(0, 4), input);
 */
export function decodeMask(
  prototypes: MaskPrototypes,
  coefficients: ArrayLike<number>,
  box: ArrayLike<number>,
  input: DecodeOptions['input'],
): BoxMask {
  const limit = (value: number, size: number) => Math.min(size, Math.max(0, Math.ceil(value)));
  const x = limit(box[0]!, input.width);
  const y = limit(box[1]!, input.height);
  const width = Math.max(0, limit(box[2]!, input.width) - x);
  const height = Math.max(0, limit(box[3]!, input.height) - y);
  const data = new Uint8Array(width * height);
  if (data.length === 0) return { x, y, width, height, data };
  const across = samples(x, width, input.width, prototypes.width);
  const down = samples(y, height, input.height, prototypes.height);
  // the patch of prototype cells under the box, summed once
  const left = across.low[0]!;
  const top = down.low[0]!;
  const patchWidth = across.high[width - 1]! - left + 1;
  const patchHeight = down.high[height - 1]! - top + 1;
  const patch = new Float32Array(patchWidth * patchHeight);
  sumPrototypes(prototypes, coefficients, left, top, patchWidth, patch);
  for (let row = 0; row < height; row++) {
    const above = (down.low[row]! - top) * patchWidth;
    const below = (down.high[row]! - top) * patchWidth;
    const v = down.weight[row]!;
    for (let i = 0; i < width; i++) {
      const a = across.low[i]! - left;
      const b = across.high[i]! - left;
      const u = across.weight[i]!;
      const upper = patch[above + a]! + u * (patch[above + b]! - patch[above + a]!);
      const lower = patch[below + a]! + u * (patch[below + b]! - patch[below + a]!);
      if (upper + v * (lower - upper) > 0) data[row * width + i] = 1;
    }
  }
  return { x, y, width, height, data };
}

/** The prototypes' weighted sum over a patch of cells, added to `patch` (zeros), `width` cells a row. */
export function sumPrototypes(
  prototypes: MaskPrototypes,
  coefficients: ArrayLike<number>,
  left: number,
  top: number,
  width: number,
  patch: Float32Array,
): void {
  const { data, channels } = prototypes;
  const height = patch.length / width;
  for (let channel = 0; channel < channels; channel++) {
    const weight = coefficients[channel]!;
    // one mask a detection is a sum with one weight
    if (weight === 0) continue;
    const plane = channel * prototypes.width * prototypes.height;
    for (let row = 0; row < height; row++) {
      const from = plane + (top + row) * prototypes.width + left;
      const to = row * width;
      for (let i = 0; i < width; i++) patch[to + i] = patch[to + i]! + weight * data[from + i]!;
    }
  }
}

/** For each output pixel from `start` on: the two source cells and the weight of the second. */
function samples(start: number, count: number, outputSize: number, sourceSize: number) {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const weight = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = Math.max(0, ((start + i + 0.5) * sourceSize) / outputSize - 0.5);
    low[i] = Math.min(sourceSize - 1, Math.floor(at));
    high[i] = Math.min(sourceSize - 1, low[i]! + 1);
    weight[i] = at - low[i]!;
  }
  return { low, high, weight };
}
