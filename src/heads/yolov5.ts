/**
 * YOLOv5 and v7 as exported by their own tools: `[1, A, 5 + C]`, one row an anchor: `cx,cy,w,h` in input pixels,
 * objectness, class scores, all through the sigmoid. YOLOv6 is the same with objectness 1.
 *
 * score = objectness · class score. A row whose objectness is not above the threshold cannot pass and is skipped
 * after one load, as Ultralytics does.
 */
import { findOutput, fitsGrid, imageIndex, layoutError } from './layout.ts';
import { finishPicks, finiteRows, gatherColumn, pick, picks, startPicks } from './picks.ts';
import { readPrototypes } from './prototypes.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, ModelOutputs } from './types.ts';

/**
 * Candidates of a YOLOv5-layout output, in row order (then class order with `multiLabel`).
 *
 * Reads the first output of dims `[N, A, 5 + C]`. Ties between classes go to the lower class id. Throws `LayoutError`
 * for other dims, the YOLOv8 layout `[N, 4 + C, A]` among them.
 *
 * @example
 * const candidates = decodeYolov5({ output0 }, { input: { width: 640, height: 640 } });
 */
export function decodeYolov5(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  return decodeAnchorRows('yolov5', '[N, anchors, 5 + classes]', 0, outputs, options).candidates;
}

/** Candidates of YOLOv5-seg: `[N, A, 5 + C + M]` and prototypes `[N, M, h, w]`; see `decodeMask`. */
export function decodeYolov5Seg(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  const prototypes = readPrototypes(outputs, options);
  const layout = '[N, anchors, 5 + classes + masks] and prototypes [N, masks, h, w]';
  if (prototypes === null) throw layoutError('yolov5-seg', layout, outputs, options.input);
  const { channels } = prototypes;
  const { candidates, data, columns } = decodeAnchorRows('yolov5-seg', layout, channels, outputs, options);
  const maskCoefficients = gatherColumn(channels, (row, column, at) => {
    for (let m = 0; m < channels; m++) column[at + m] = data[(row + 1) * columns - channels + m]!;
  });
  return finiteRows({ ...candidates, maskCoefficients, prototypes });
}

/** Box, objectness and classes of `[N, A, 5 + C + extra]`; the caller reads the extra columns. */
function decodeAnchorRows(
  head: string,
  layout: string,
  extra: number,
  outputs: ModelOutputs,
  options: DecodeOptions,
): { candidates: Candidates; data: Float32Array; columns: number } {
  const tensor = findOutput(outputs, (dims) => isYolov5Dims(dims, extra, options));
  if (tensor === undefined) throw layoutError(head, layout, outputs, options.input);
  const [, anchors, columns] = tensor.dims as [number, number, number];
  const data = readColumn(tensor, imageIndex(tensor, options) * anchors * columns, anchors * columns);
  const threshold = startPicks(options);
  const classCount = options.classCount ?? columns - 5 - extra;
  scanRowMajor(data, anchors, columns, classCount, threshold, options.multiLabel === true);
  const candidates = finishPicks(false, (row, boxes, at) => {
    const from = row * columns;
    const halfWidth = data[from + 2]! / 2;
    const halfHeight = data[from + 3]! / 2;
    boxes[at] = data[from]! - halfWidth;
    boxes[at + 1] = data[from + 1]! - halfHeight;
    boxes[at + 2] = data[from]! + halfWidth;
    boxes[at + 3] = data[from + 1]! + halfHeight;
  });
  return { candidates, data, columns };
}

/** Rank 3 with at least one class column, and the longer or grid-sized side first: not the transposed `[N, 4 + C, A]`. */
function isYolov5Dims(
  dims: readonly number[],
  extra: number,
  { classCount = 1, input }: DecodeOptions,
): boolean {
  const [, anchors = 0, columns = 0] = dims;
  if (dims.length !== 3 || columns < 5 + classCount + extra) return false;
  const fits = fitsGrid(anchors, input) || fitsGrid(anchors, input, 3);
  const transposedFits = fitsGrid(columns, input);
  return fits === transposedFits ? anchors >= columns : fits;
}

/** Picks rows `…, objectness at column 4, classes from column 5` by objectness · class score in float32. */
export function scanRowMajor(
  data: Float32Array,
  rows: number,
  columns: number,
  classCount: number,
  threshold: number,
  multiLabel: boolean,
): void {
  for (let row = 0, from = 4; row < rows; row++, from += columns) {
    const objectness = data[from]!;
    if (!(objectness > threshold)) {
      if (Number.isNaN(objectness)) picks.dropped++;
      continue;
    }
    let best = threshold;
    let bestClass = -1;
    for (let c = 0; c < classCount; c++) {
      const score = Math.fround(objectness * data[from + 1 + c]!);
      if (!(score > best)) continue;
      if (multiLabel) pick(row, c, score);
      else {
        best = score;
        bestClass = c;
      }
    }
    if (bestClass >= 0) pick(row, bestClass, best);
  }
}
