/**
 * YOLOv4 as pytorch-YOLOv4 (Tianxiaomo) exports Darknet's models: `boxes` `[N, A, 1, 4]` of x1, y1, x2, y2 as fractions of the
 * picture, `confs` `[N, A, C]` of objectness · class score, both decoded. Its early versions repeat the boxes a class
 * (`[N, A, C, 4]`) and read the first.
 */
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks } from './picks.ts';
import { readTable, scanTable } from './tables.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/** Candidates of pytorch-YOLOv4's export, in anchor order (then class order with `multiLabel`). */
export function decodeYolov4(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const boxes = findOutput(outputs, ({ length, 3: columns }) => length === 4 && columns === 4);
  const [, rows = 0, copies = 0] = boxes?.dims ?? [];
  const confs = findOutput(outputs, (dims) => dims.length === 3 && dims[1] === rows);
  if (boxes === undefined || confs === undefined) {
    const layout = 'boxes [N, anchors, 1, 4] and confs [N, anchors, classes]';
    throw layoutError('yolov4', layout, outputs, options.input);
  }
  const step = 4 * copies;
  const data = readColumn(boxes, imageIndex(boxes, options) * rows * step, rows * step, 1);
  scanTable(readTable(confs, options, 0), options, options.activation ?? 'none');
  const { width, height } = options.input;
  return finishPicks(false, (row, out, at) => {
    for (let k = 0; k < 4; k++) out[at + k] = data[step * row + k]! * (k % 2 === 0 ? width : height);
  });
}
