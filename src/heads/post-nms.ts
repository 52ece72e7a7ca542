/**
 * Models that suppress inside: TensorFlow's detection API, torchvision, TensorRT's EfficientNMS, the end-to-end exports of
 * mmdeploy, PaddleDetection and YOLOv7. Only a threshold and a box format are left to do.
 */
import { findOutput, layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs, TensorLike } from './types.ts';

type Options = DecodeOptions & HeadOptions;

interface Detected {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Float32Array;
  readonly rows: number;
}

/**
 * Detections of a TensorFlow model: boxes `[N, R, 4]` normalised y1,x1,y2,x2, scores `[N, R]`, classes `[N, R]`, and a
 * count `[N]`. Ids are given as the model gives them, less `classOffset` (the detection API counts from 1).
 */
export function decodeTfDetections(outputs: ModelOutputs, options: Options): Candidates {
  const found = readDetected('tf-detections', outputs, options);
  const { width, height } = options.input;
  scan(found, options);
  return finishPicks(true, (row, boxes, at) => {
    boxes[at] = found.boxes[4 * row + 1]! * width;
    boxes[at + 1] = found.boxes[4 * row]! * height;
    boxes[at + 2] = found.boxes[4 * row + 3]! * width;
    boxes[at + 3] = found.boxes[4 * row + 2]! * height;
  });
}

/** Detections of EfficientNMS: count `[N, 1]`, boxes `[N, R, 4]` in input pixels, scores `[N, R]`, classes `[N, R]`. */
export function decodeEfficientNms(outputs: ModelOutputs, options: Options): Candidates {
  const found = readDetected('efficient-nms', outputs, options);
  scan(found, options);
  return finishPicks(true, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = found.boxes[4 * row + k]!;
  });
}

/**
 * Detections of mmdeploy's end-to-end export: rows `[N, R, 5]` of x1, y1, x2, y2 in input pixels and score, labels int64
 * `[N, R]`. Rows that fill a batch up have score 0.
 */
export function decodeMmdeploy(outputs: ModelOutputs, options: Options): Candidates {
  const table = findOutput(outputs, (dims) => dims.length === 3 && dims[2] === 5);
  const rows = table?.dims[1] ?? 0;
  const labels = findOutput(outputs, (dims) => dims.length === 2 && dims[1] === rows);
  if (table === undefined || labels === undefined) {
    throw layoutError('mmdeploy', 'dets [N, R, 5] and labels [N, R]', outputs, options.input);
  }
  const image = options.image ?? 0;
  const boxes = readColumn(table, image * rows * 5, rows * 5, 0);
  const scores = Float32Array.from({ length: rows }, (_, row) => boxes[5 * row + 4]!);
  scan({ rows, boxes, scores, classes: readColumn(labels, image * rows, rows, 1) }, options);
  return finishPicks(true, (row, out, at) => {
    for (let k = 0; k < 4; k++) out[at + k] = boxes[5 * row + k]!;
  });
}

/** Detections of torchvision's exports, one image: boxes `[R, 4]` in input pixels, labels int64 `[R]`, scores `[R]`. */
export function decodeTorchvision(outputs: ModelOutputs, options: Options): Candidates {
  const boxes = findOutput(outputs, (dims) => dims.length === 2 && dims[1] === 4);
  const columns = Object.entries(outputs).filter(
    ([, tensor]) => tensor.dims.length === 1 && tensor !== boxes,
  );
  const labels =
    columns.find(([name]) => /label|class/i.test(name)) ?? columns.find(([, tensor]) => isInteger(tensor));
  const scores = columns.find((column) => column !== labels);
  if (
    boxes === undefined ||
    labels === undefined ||
    scores === undefined ||
    scores[1].dims[0] !== boxes.dims[0]
  ) {
    throw layoutError('torchvision', 'boxes [R, 4], labels [R] and scores [R]', outputs, options.input);
  }
  const rows = boxes.dims[0]!;
  const found: Detected = {
    rows,
    boxes: readColumn(boxes, 0, 4 * rows, 0),
    scores: readColumn(scores[1], 0, rows, 1),
    classes: readColumn(labels[1], 0, rows, 2),
  };
  scan(found, options);
  return finishPicks(true, (row, out, at) => {
    for (let k = 0; k < 4; k++) out[at + k] = found.boxes[4 * row + k]!;
  });
}

/** Detections of YOLOv7's end-to-end export: rows `[R, 7]` of image, x1, y1, x2, y2, class, score. */
export function decodeYolov7EndToEnd(outputs: ModelOutputs, options: Options): Candidates {
  const tensor = findOutput(outputs, (dims) => dims.length === 2 && dims[1] === 7);
  if (tensor === undefined) throw layoutError('yolov7-end-to-end', '[detections, 7]', outputs, options.input);
  const rows = tensor.dims[0]!;
  const data = readColumn(tensor, 0, 7 * rows);
  const threshold = startPicks(options);
  for (let row = 0, from = 0; row < rows; row++, from += 7) {
    if (data[from] !== (options.image ?? 0)) continue;
    if (data[from + 6]! > threshold) pick(row, Math.round(data[from + 5]!), data[from + 6]!);
    else if (Number.isNaN(data[from + 6])) picks.dropped++;
  }
  return finishPicks(true, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = data[7 * row + 1 + k]!;
  });
}

/**
 * Detections of PaddleDetection: rows `[R, 6]` of class, score, x1, y1, x2, y2, and how many of them each picture has,
 * int32 `[N]`, one picture after the other. Boxes are in input pixels where `scale_factor` was 1. A picture without any may
 * have a row of class −1.
 */
export function decodePaddleDetection(outputs: ModelOutputs, options: Options): Candidates {
  const table = findOutput(outputs, (dims) => dims.length === 2 && dims[1] === 6);
  if (table === undefined) {
    throw layoutError('paddle-detection', 'rows [R, 6] and counts [N]', outputs, options.input);
  }
  const total = table.dims[0]!;
  const image = options.image ?? 0;
  const counts = findOutput(outputs, (dims) => dims.length === 1 && dims[0]! > image);
  let first = 0;
  let rows = total;
  if (counts !== undefined) {
    const all = readColumn(counts, 0, image + 1, 1);
    first = all.subarray(0, image).reduce((sum, count) => sum + count, 0);
    rows = Math.max(0, Math.min(all[image]!, total - first));
  }
  const data = readColumn(table, 6 * first, 6 * rows);
  const threshold = startPicks(options);
  for (let row = 0, from = 0; row < rows; row++, from += 6) {
    if (data[from + 1]! > threshold && data[from]! >= 0) pick(row, Math.round(data[from]!), data[from + 1]!);
    else if (Number.isNaN(data[from + 1])) picks.dropped++;
  }
  return finishPicks(true, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = data[6 * row + 2 + k]!;
  });
}

function isInteger({ data, type }: TensorLike): boolean {
  return type !== undefined ? /int/.test(type) : data instanceof BigInt64Array || data instanceof Int32Array;
}

/** Boxes, scores, classes and count of a batch; scores and classes are told by name, then by type, then by values. */
function readDetected(head: string, outputs: ModelOutputs, options: Options): Detected {
  const boxes = findOutput(outputs, (dims) => dims.length === 3 && dims[2] === 4);
  const rows = boxes?.dims[1] ?? 0;
  const columns = Object.entries(outputs).filter(([, { dims }]) => dims.length === 2 && dims[1] === rows);
  const scores =
    columns.find(([name]) => /score|conf/i.test(name)) ??
    columns.find(([, tensor]) => !isInteger(tensor) && !isWhole(tensor, rows));
  const classes =
    columns.find(([name]) => /class|label|cls/i.test(name)) ?? columns.find((column) => column !== scores);
  if (boxes === undefined || scores === undefined || classes === undefined || scores === classes) {
    throw layoutError(head, 'boxes [N, R, 4], scores [N, R] and classes [N, R]', outputs, options.input);
  }
  const image = options.image ?? 0;
  const count = findOutput(
    outputs,
    (dims, name) =>
      outputs[name] !== scores[1] &&
      outputs[name] !== classes[1] &&
      dims.reduce((n, dim) => n * dim, 1) === boxes.dims[0],
  );
  const limit = count === undefined ? rows : readColumn(count, image, 1, 3)[0]!;
  return {
    rows: Math.min(rows, Math.max(0, limit)),
    boxes: readColumn(boxes, image * rows * 4, rows * 4, 0),
    scores: readColumn(scores[1], image * rows, rows, 1),
    classes: readColumn(classes[1], image * rows, rows, 2),
  };
}

/** Class ids are whole numbers, scores hardly ever are. */
function isWhole(tensor: TensorLike, rows: number): boolean {
  return readColumn(tensor, 0, rows, 4).every((value) => Number.isInteger(value));
}

function scan({ rows, scores, classes }: Detected, options: Options): void {
  const threshold = startPicks(options);
  const offset = options.classOffset ?? 0;
  for (let row = 0; row < rows; row++) {
    if (scores[row]! > threshold) pick(row, Math.round(classes[row]!) - offset, scores[row]!);
    else if (Number.isNaN(scores[row])) picks.dropped++;
  }
}
