/**
 * YOLOv5-face (deepcam-cn) and its kin: `[N, A, 5 + 2K + C]`, one row an anchor: `cx,cy,w,h` in input pixels, objectness, K
 * landmarks x, y in input pixels, class scores. score = objectness · class score, as `non_max_suppression_face` has it.
 */
import { scanGrid } from './grids.ts';
import { findOutput, layoutError } from './layout.ts';
import { finishPicks, finiteRows, gatherColumn, startPicks } from './picks.ts';
import { readTable } from './tables.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/** Candidates in row order, with their landmarks. `classCount` (default 1) tells how many of the columns are landmarks. */
export function decodeYolov5Face(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const { classCount = 1, multiLabel = false } = options;
  const numbers = (columns: number) => columns - 5 - classCount;
  const tensor = findOutput(outputs, ({ length, 1: rows = 0, 2: columns = 0 }) => {
    return length === 3 && rows >= columns && numbers(columns) >= 2 && numbers(columns) % 2 === 0;
  });
  if (tensor === undefined) {
    const layout = `[N, anchors, 5 + 2·landmarks + ${classCount}]`;
    throw layoutError('yolov5-face', layout, outputs, options.input);
  }
  const table = readTable(tensor, options, 0);
  const { data, columns } = table;
  const firstColumn = columns - classCount;
  const combine = (score: number, row: number) => score * data[row * columns + 4]!;
  scanGrid(table, 0, { threshold: startPicks(options), multiLabel, classCount, firstColumn, combine });
  const found = finishPicks(false, (row, boxes, at) => {
    const from = row * columns;
    for (let axis = 0; axis < 2; axis++) {
      const half = data[from + 2 + axis]! / 2;
      boxes[at + axis] = data[from + axis]! - half;
      boxes[at + 2 + axis] = data[from + axis]! + half;
    }
  });
  const keypointCount = numbers(columns) / 2;
  const keypoints = gatherColumn(3 * keypointCount, (row, column, at) => {
    for (let k = 0; k < keypointCount; k++) {
      column[at + 3 * k] = data[row * columns + 5 + 2 * k]!;
      column[at + 3 * k + 1] = data[row * columns + 6 + 2 * k]!;
      column[at + 3 * k + 2] = 1;
    }
  });
  return finiteRows({ ...found, keypoints, keypointCount });
}
