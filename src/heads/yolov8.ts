/**
 * YOLOv8, 9, 11 and 12: `[1, 4 + C, A]`, one column an anchor point, boxes `cx,cy,w,h` in input pixels, class scores
 * already through the sigmoid.
 *
 * The tensor is class-major, so it is scanned a class row at a time: one sequential pass that keeps the best class of
 * every anchor in scratch (Ultralytics `ops.non_max_suppression` reads the same layout).
 */
import { bestClasses } from '../kernels/decode.ts';
import { fitsGrid, imageIndex, layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/**
 * Candidates of a YOLOv8-layout output, in anchor order (then class order with `multiLabel`).
 *
 * Reads the output of dims `[N, 4 + C, A]`; `classCount` limits C where more rows follow (mask coefficients, keypoints).
 * Ties between classes go to the lower class id. Throws `LayoutError` for other dims, and where several outputs have such
 * dims (YOLOv9 before its reparameterisation: an auxiliary branch, then the main one) unless `output` names one.
 *
 * @example
 * const candidates = decodeYolov8({ output0 }, { input: { width: 640, height: 640 }, scoreThreshold: 0.25 });
 */
export function decodeYolov8(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  return decodeColumns('yolov8', '[N, 4 + classes, anchors]', 0, outputs, options).candidates;
}

/** What the columns of a decoded output were, for the heads that read further rows of them. */
export interface Columns {
  readonly candidates: Candidates;
  readonly data: Float32Array;
  readonly anchors: number;
  readonly classCount: number;
}

/** Box and classes of `[N, 4 + C + extra, A]`; the caller reads the extra rows. */
export function decodeColumns(
  head: string,
  layout: string,
  extra: number,
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
): Columns {
  const fitting = Object.keys(outputs).filter(
    (name) => name === (options.output ?? name) && isYolov8Dims(outputs[name]!.dims, extra, options),
  );
  const tensor = outputs[fitting[0]!];
  if (tensor === undefined || fitting.length > 1) {
    const which = tensor && `, one of ${fitting} by the option output`;
    throw layoutError(head, `${layout}${which ?? ''}`, outputs, options.input);
  }
  const [, rows, anchors] = tensor.dims as [number, number, number];
  const classCount = options.classCount ?? rows - 4 - extra;
  const data = readColumn(tensor, imageIndex(tensor, options) * rows * anchors, rows * anchors);
  const threshold = startPicks(options);
  scanClassMajor(data, 4 * anchors, anchors, classCount, threshold, options.multiLabel === true);
  const candidates = finishPicks(false, (row, boxes, at) => {
    const halfWidth = data[row + 2 * anchors]! / 2;
    const halfHeight = data[row + 3 * anchors]! / 2;
    boxes[at] = data[row]! - halfWidth;
    boxes[at + 1] = data[row + anchors]! - halfHeight;
    boxes[at + 2] = data[row]! + halfWidth;
    boxes[at + 3] = data[row + anchors]! + halfHeight;
  });
  return { candidates, data, anchors, classCount };
}

/** Rank 3 with at least one class row, and the longer or grid-sized side last: not the transposed `[N, A, 4 + C]`. */
function isYolov8Dims(
  dims: readonly number[],
  extra: number,
  { classCount = 1, input }: DecodeOptions,
): boolean {
  const [, rows = 0, anchors = 0] = dims;
  if (dims.length !== 3 || rows < 4 + classCount + extra) return false;
  const fits = fitsGrid(anchors, input);
  const transposedFits = fitsGrid(rows, input) || fitsGrid(rows, input, 3);
  return fits === transposedFits ? anchors >= rows : fits;
}

/** Picks anchors from class-major scores: class c of anchor a lies at `start + c * anchors + a`. */
function scanClassMajor(
  data: Float32Array,
  start: number,
  anchors: number,
  classCount: number,
  threshold: number,
  multiLabel: boolean,
): void {
  const everyClass = (anchor: number): void => {
    for (let c = 0, i = start + anchor; c < classCount; c++, i += anchors) {
      if (data[i]! > threshold) pick(anchor, c, data[i]!);
    }
  };
  const found = multiLabel ? everyClass : pick;
  picks.dropped += bestClasses(data, start, anchors, classCount, threshold, found);
}
