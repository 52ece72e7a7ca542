/**
 * YOLOX: `[1, A, 5 + C]` with raw grid offsets: centre = (t + cell) · stride, size = exp(t) · stride; objectness and
 * class scores are already through the sigmoid. Cells are row-major within a stride, strides 8, 16, 32 one after the
 * other (YOLOX `demo_postprocess`).
 */
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, ModelOutputs } from './types.ts';
import { scanRowMajor } from './yolov5.ts';

export interface YoloxOptions extends DecodeOptions {
  /** True for models exported with `decode_in_inference`: boxes are `cx,cy,w,h` in input pixels. Default false. */
  readonly decoded?: boolean;
  /** Strides of the levels, in the order of the rows. Default `[8, 16, 32]`. */
  readonly strides?: readonly number[];
}

/**
 * Candidates of a YOLOX output, in row order (then class order with `multiLabel`).
 *
 * Reads the first output of dims `[N, A, 5 + C]` where A is the number of grid cells of the input over the strides
 * (3549 for 416×416); any other A is a `LayoutError`. Ties between classes go to the lower class id.
 *
 * @example
 * const candidates = decodeYolox({ output }, { input: { width: 416, height: 416 } });
 */
export function decodeYolox(outputs: ModelOutputs, options: YoloxOptions): Candidates {
  const { input, strides = [8, 16, 32], decoded = false } = options;
  const cells = strides.map((stride) => Math.ceil(input.width / stride) * Math.ceil(input.height / stride));
  const total = cells.reduce((sum, level) => sum + level, 0);
  const columnsNeeded = 5 + (options.classCount ?? 1);
  const tensor = findOutput(
    outputs,
    (dims) => dims.length === 3 && dims[1] === total && dims[2]! >= columnsNeeded,
  );
  if (tensor === undefined) {
    throw layoutError('yolox', `[N, ${total} grid cells of strides ${strides}, 5 + classes]`, outputs, input);
  }
  const [, rows, columns] = tensor.dims as [number, number, number];
  const data = readColumn(tensor, imageIndex(tensor, options) * rows * columns, rows * columns);
  const threshold = startPicks(options);
  scanRowMajor(
    data,
    rows,
    columns,
    options.classCount ?? columns - 5,
    threshold,
    options.multiLabel === true,
  );
  return finishPicks(false, (row, boxes, at) => {
    const from = row * columns;
    let centreX = data[from]!;
    let centreY = data[from + 1]!;
    let width = data[from + 2]!;
    let height = data[from + 3]!;
    if (!decoded) {
      let cell = row;
      let level = 0;
      while (cell >= cells[level]!) cell -= cells[level++]!;
      const across = Math.ceil(input.width / strides[level]!);
      const stride = strides[level]!;
      centreX = (centreX + (cell % across)) * stride;
      centreY = (centreY + Math.floor(cell / across)) * stride;
      width = Math.exp(width) * stride;
      height = Math.exp(height) * stride;
    }
    boxes[at] = centreX - width / 2;
    boxes[at + 1] = centreY - height / 2;
    boxes[at + 2] = centreX + width / 2;
    boxes[at + 3] = centreY + height / 2;
  });
}
