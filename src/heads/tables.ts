/**
 * Boxes and class scores in two tensors of the same rows: YOLO-NAS and PP-YOLOE (decoded), and the exports that join them
 * into one: DETR's, and YOLOv8's with rows and columns swapped.
 */
import { type Grid, scanGrid } from './grids.ts';
import { findOutput, fitsGrid, imageIndex, layoutError } from './layout.ts';
import { finishPicks, finiteRows, gatherColumn, startPicks } from './picks.ts';
import { readPrototypes } from './prototypes.ts';
import { readColumn } from './tensor.ts';
import type {
  Activation,
  Candidates,
  DecodeOptions,
  HeadOptions,
  ModelOutputs,
  TensorLike,
} from './types.ts';

/** A rank-3 tensor (or rank-2 without batch) as rows: the whole tensor is one grid. */
export function readTable(
  tensor: TensorLike,
  options: DecodeOptions,
  slot: number,
  classMajor = false,
): Grid {
  const { dims } = tensor;
  const rank = dims.length;
  const [rows, columns] = classMajor
    ? [dims[rank - 1]!, dims[rank - 2]!]
    : [dims[rank - 2]!, dims[rank - 1]!];
  const image = rank === 2 ? 0 : imageIndex(tensor, options);
  return {
    name: '',
    data: readColumn(tensor, image * rows * columns, rows * columns, slot),
    stride: 1,
    across: rows,
    rows,
    perCell: 1,
    columns,
    cellStep: classMajor ? 1 : columns,
    anchorStep: 0,
    columnStep: classMajor ? rows : 1,
  };
}

/** Two outputs with the same number of rows: boxes of 4 columns, and another. */
export function findBoxTable(
  outputs: ModelOutputs,
  isScores: (dims: readonly number[], rows: number) => boolean,
): { boxes: TensorLike; scores: TensorLike } | null {
  const isBoxes = (dims: readonly number[]) => dims.length === 3 && dims[2] === 4;
  const boxes =
    findOutput(outputs, (dims, name) => isBoxes(dims) && /box|loc|reg/i.test(name)) ??
    findOutput(outputs, isBoxes);
  if (boxes === undefined) return null;
  const rows = boxes.dims[1]!;
  const scores = findOutput(
    outputs,
    (dims, name) => outputs[name] !== boxes && dims.length === 3 && isScores(dims, rows),
  );
  return scores === undefined ? null : { boxes, scores };
}

/**
 * Candidates of YOLO-NAS (and PP-YOLOE): boxes `[N, A, 4]` as x1,y1,x2,y2 in input pixels, scores `[N, A, C]` or
 * `[N, C, A]` already through the sigmoid.
 */
export function decodeYoloNas(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const found = findBoxTable(outputs, (dims, rows) => dims[1] === rows || dims[2] === rows);
  if (found === null) {
    throw layoutError(
      'yolo-nas',
      'boxes [N, anchors, 4] and scores [N, anchors, classes]',
      outputs,
      options.input,
    );
  }
  const boxes = readTable(found.boxes, options, 0);
  const scores = readTable(found.scores, options, 1, found.scores.dims[1] !== boxes.rows);
  scanTable(scores, options, options.activation ?? 'none');
  return finishPicks(false, (row, out, at) => {
    for (let k = 0; k < 4; k++) out[at + k] = boxes.data[4 * row + k]!;
  });
}

/**
 * Detections of Ultralytics' RT-DETR: `[N, Q, 4 + C]`, boxes normalised `cx,cy,w,h`, scores already through the
 * sigmoid. The model needs no NMS.
 */
export function decodeDetrConcatenated(
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
): Candidates {
  const { width, height } = options.input;
  // queries are few: rows by the thousand are a grid's, and columns by the thousand its transposed
  const fits = (rows: number, columns: number) => rows <= 1000 && columns <= 2000;
  return decodeBoxRows('detr-concatenated', fits, outputs, options, width, height, true).candidates;
}

/** Candidates of YOLOv8 exported with rows and columns swapped: `[N, A, 4 + C]`, boxes `cx,cy,w,h` in input pixels. */
export function decodeYolov8Rows(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  return decodeBoxRows('yolov8-rows', anchorsFirst(options), outputs, options, 1, 1, false).candidates;
}

/**
 * Candidates of YOLOv8-seg with rows and columns swapped: `[N, A, 4 + C + M]` and prototypes `[N, M, h, w]`; see `decodeMask`.
 */
export function decodeYolov8SegRows(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const prototypes = readPrototypes(outputs, options);
  const layout = '[N, rows, 4 + classes + masks] and prototypes [N, masks, h, w]';
  if (prototypes === null) throw layoutError('yolov8-seg-rows', layout, outputs, options.input);
  const { channels } = prototypes;
  const { candidates, table } = decodeBoxRows(
    'yolov8-seg-rows',
    anchorsFirst(options),
    outputs,
    options,
    1,
    1,
    false,
    channels,
  );
  const maskCoefficients = gatherColumn(channels, (row, column, at) => {
    for (let m = 0; m < channels; m++) column[at + m] = table.data[(row + 1) * table.columns - channels + m]!;
  });
  return finiteRows({ ...candidates, maskCoefficients, prototypes });
}

/** Whether the rows are the anchors: a grid's, or more than the columns. */
function anchorsFirst({ input }: DecodeOptions): (rows: number, columns: number) => boolean {
  return (rows, columns) => fitsGrid(rows, input) || (rows > columns && !fitsGrid(columns, input));
}

function decodeBoxRows(
  head: string,
  fits: (rows: number, columns: number) => boolean,
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
  scaleX: number,
  scaleY: number,
  nmsFree: boolean,
  masks = 0,
): { candidates: Candidates; table: Grid } {
  const least = 4 + (options.classCount ?? 1) + masks;
  const tensor = findOutput(
    outputs,
    ({ length, 1: rows, 2: columns }) => length === 3 && columns! >= least && fits(rows!, columns!),
  );
  if (tensor === undefined) {
    const layout = masks > 0 ? '[N, rows, 4 + classes + masks]' : '[N, rows, 4 + classes]';
    throw layoutError(head, layout, outputs, options.input);
  }
  const table = readTable(tensor, options, 0);
  const { data, columns } = table;
  scanTable(table, { classCount: columns - 4 - masks, ...options }, options.activation ?? 'none', 4);
  const candidates = finishPicks(nmsFree, (row, boxes, at) => {
    const from = row * columns;
    const halfWidth = data[from + 2]! / 2;
    const halfHeight = data[from + 3]! / 2;
    boxes[at] = (data[from]! - halfWidth) * scaleX;
    boxes[at + 1] = (data[from + 1]! - halfHeight) * scaleY;
    boxes[at + 2] = (data[from]! + halfWidth) * scaleX;
    boxes[at + 3] = (data[from + 1]! + halfHeight) * scaleY;
  });
  return { candidates, table };
}

/** Starts the picks and scans one table of scores. */
export function scanTable(
  table: Grid,
  options: DecodeOptions & HeadOptions,
  activation: Activation,
  firstColumn = 0,
  background = 0,
): void {
  const threshold = startPicks(options);
  scanGrid(table, 0, {
    threshold,
    multiLabel: options.multiLabel === true,
    classCount: options.classCount ?? table.columns - firstColumn,
    firstColumn,
    activation,
    background,
  });
}
