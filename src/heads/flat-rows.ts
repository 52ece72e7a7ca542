/**
 * Rows of seven numbers from models that suppress inside: YOLO-NAS's flat export and AutoML's EfficientDet. YOLOv7's have the
 * class before the score; see `decodeYolov7EndToEnd`.
 */
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/**
 * Detections of YOLO-NAS's flat export, all pictures together: rows `[R, 7]` of image, x1, y1, x2, y2 in input pixels, score,
 * class (super-gradients `DetectionOutputFormatMode.FLAT_FORMAT`).
 */
export function decodeYoloNasFlat(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  const tensor = findOutput(outputs, (dims) => dims.length === 2 && dims[1] === 7);
  if (tensor === undefined) throw layoutError('yolo-nas-flat', '[detections, 7]', outputs, options.input);
  const rows = tensor.dims[0]!;
  const data = readColumn(tensor, 0, 7 * rows);
  scanRows(data, 7 * rows, options, 0, options.image ?? 0);
  return finishPicks(true, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = data[7 * row + 1 + k]!;
  });
}

/**
 * Detections of EfficientDet as google/automl exports it: rows `[N, R, 7]` of image id, y1, x1, y2, x2 in input pixels, score,
 * class. Ids are given as the model gives them (AutoML counts from 1), less `classOffset`.
 */
export function decodeEfficientDetRows(
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
): Candidates {
  const tensor = findOutput(outputs, (dims) => dims.length === 3 && dims[2] === 7);
  if (tensor === undefined)
    throw layoutError('efficientdet-rows', '[N, detections, 7]', outputs, options.input);
  const length = 7 * tensor.dims[1]!;
  const data = readColumn(tensor, imageIndex(tensor, options) * length, length);
  scanRows(data, length, options, options.classOffset ?? 0);
  return finishPicks(true, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = data[7 * row + 1 + (k ^ 1)]!;
  });
}

/** Picks rows by the score in column 5, class in column 6; of all, or of those whose first column is `image`. */
function scanRows(
  data: Float32Array,
  length: number,
  options: DecodeOptions,
  offset: number,
  image?: number,
): void {
  const threshold = startPicks(options);
  for (let from = 0; from < length; from += 7) {
    if (image !== undefined && data[from] !== image) continue;
    const score = data[from + 5]!;
    if (score > threshold) pick(from / 7, Math.round(data[from + 6]!) - offset, score);
    else if (Number.isNaN(score)) picks.dropped++;
  }
}
