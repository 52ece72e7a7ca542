/**
 * The DETR family with its post-processing inside the model (RT-DETR, D-FINE, DEIM exports): `labels` int64 `[1, N]`,
 * `boxes` `[1, N, 4]` as x1,y1,x2,y2, `scores` `[1, N]`.
 *
 * Such a model takes a second input, `orig_target_sizes` int64 `[1, 2]` = (width, height), and scales its boxes by
 * it: give it the size of the model input, so that boxes come out in that frame like every other head's.
 */
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, ModelOutputs, TensorLike } from './types.ts';

/**
 * Detections of a decoded DETR-family model, in the model's order.
 *
 * Labels and scores are told apart by element type (labels are integers), then by name. Throws `LayoutError` where the
 * three outputs are not there.
 *
 * @example
 * const detections = decodeDetrDecoded({ labels, boxes, scores }, { input: { width: 320, height: 320 } });
 */
export function decodeDetrDecoded(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  const isRow = (dims: readonly number[]) => dims.length === 2;
  const labels =
    findOutput(outputs, (dims, name) => isRow(dims) && isInteger(outputs[name]!)) ??
    findOutput(outputs, (dims, name) => isRow(dims) && /label|class/i.test(name));
  const scores = findOutput(outputs, (dims, name) => isRow(dims) && outputs[name] !== labels);
  const rows = labels?.dims[1] ?? -1;
  const isBoxes = (dims: readonly number[]) => dims.length === 3 && dims[1] === rows && dims[2] === 4;
  const boxes =
    findOutput(outputs, (dims, name) => isBoxes(dims) && name === 'boxes') ?? findOutput(outputs, isBoxes);
  if (labels === undefined || scores === undefined || boxes === undefined || scores.dims[1] !== rows) {
    const expected = 'labels [N, rows] (integers), boxes [N, rows, 4] and scores [N, rows]';
    throw layoutError('detr-decoded', expected, outputs, options.input);
  }
  const image = imageIndex(boxes, options);
  const label = readColumn(labels, image * rows, rows, 0);
  const score = readColumn(scores, image * rows, rows, 1);
  const box = readColumn(boxes, image * rows * 4, rows * 4, 2);
  const threshold = startPicks(options);
  for (let row = 0; row < rows; row++) {
    if (score[row]! > threshold) pick(row, label[row]!, score[row]!);
    else if (Number.isNaN(score[row])) picks.dropped++;
  }
  return finishPicks(true, (row, out, at) => {
    for (let k = 0; k < 4; k++) out[at + k] = box[4 * row + k]!;
  });
}

function isInteger({ data, type }: TensorLike): boolean {
  return type !== undefined ? /int/.test(type) : data instanceof BigInt64Array || data instanceof Int32Array;
}
