/**
 * End-to-end models (YOLOv10, YOLO26): `[1, N, 6]`, one row a detection: `x1,y1,x2,y2` in input pixels, score, class.
 * Suppression was learnt or done inside the model, so none is needed.
 */
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, ModelOutputs } from './types.ts';

/**
 * Detections of an end-to-end output, in row order (the models sort by score). `multiLabel` has no meaning here: the
 * model itself gives a row for every label.
 *
 * Reads the first output of dims `[N, rows, 6]`; other dims are a `LayoutError`.
 *
 * @example
 * const { boxes, scores, classIds } = decodeEndToEnd({ output0 }, { input: { width: 640, height: 640 } });
 */
export function decodeEndToEnd(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  const tensor = findOutput(outputs, (dims) => dims.length === 3 && dims[2] === 6);
  if (tensor === undefined) throw layoutError('end-to-end', '[N, detections, 6]', outputs, options.input);
  const rows = tensor.dims[1]!;
  const data = readColumn(tensor, imageIndex(tensor, options) * rows * 6, rows * 6);
  const threshold = startPicks(options);
  for (let row = 0, from = 0; row < rows; row++, from += 6) {
    const score = data[from + 4]!;
    if (score > threshold) pick(row, Math.round(data[from + 5]!), score);
    else if (Number.isNaN(score)) picks.dropped++;
  }
  return finishPicks(true, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = data[6 * row + k]!;
  });
}
