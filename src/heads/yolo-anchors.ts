/**
 * Anchor-based YOLOs before their decoding: one output a level, `[N, 3, H, W, 5 + C]` or `[N, 3·(5 + C), H, W]`, all
 * logits.
 *
 * YOLOv5 and v7: xy = (2σ − ½ + cell)·s, wh = (2σ)²·anchor. YOLOv2–v4: xy = (σ·k − (k − 1)/2 + cell)·s with k =
 * `scale_x_y`, wh = eᵗ·anchor. score = σ(objectness)·σ(class).
 */
import { yolov5Anchors, yolov7Anchors } from '../anchors/yolo-sizes.ts';
import { cellX, cellY, type Grid, locate, readGrids, rowStart, scanGrid, sigmoid } from './grids.ts';
import { layoutError } from './layout.ts';
import { finishPicks, startPicks } from './picks.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

export { yolov5Anchors, yolov7Anchors };

/** Candidates of raw YOLOv5/v7 levels; `anchors` default to YOLOv5's. Rows run level by level, cell by cell. */
export function decodeYolov5Raw(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const shift = (t: number) => 2 * sigmoid(t) - 0.5;
  return decodeAnchorLevels('yolov5-raw', outputs, options, shift, (t) => (2 * sigmoid(t)) ** 2);
}

/** Candidates of raw YOLOv2–v4 levels; `anchors` default to YOLOv3's, `scaleXY` to 1 (YOLOv4: 1.2, 1.1, 1.05). */
export function decodeYolov3(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const scale = options.scaleXY ?? 1;
  const shift = (t: number) => sigmoid(t) * scale - (scale - 1) / 2;
  return decodeAnchorLevels('yolov3', outputs, options, shift, Math.exp);
}

function decodeAnchorLevels(
  head: string,
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
  /** Centre from the cell's corner, in cells. */
  shift: (t: number) => number,
  /** Size in anchors. */
  growth: (t: number) => number,
): Candidates {
  const { anchors = yolov5Anchors } = options;
  const perCell = anchors[0]!.length / 2;
  const wanted = options.strides ?? [8, 16, 32, 64];
  const levels: Grid[] = readGrids(outputs, { ...options, strides: wanted }, perCell).filter(
    ({ columns }) => columns >= 5 + (options.classCount ?? 1),
  );
  const same = levels.every(({ columns }) => columns === levels[0]!.columns);
  if (levels.length === 0 || levels.length > anchors.length || !same) {
    const layout = `${anchors.length} levels [N, ${perCell}, H, W, 5 + classes] or [N, ${perCell}·(5 + classes), H, W]`;
    throw layoutError(head, layout, outputs, options.input);
  }
  const threshold = startPicks(options);
  const classCount = options.classCount ?? levels[0]!.columns - 5;
  let firstRow = 0;
  for (const grid of levels) {
    const { data, columnStep } = grid;
    scanGrid(grid, firstRow, {
      threshold,
      multiLabel: options.multiLabel === true,
      classCount,
      firstColumn: 5,
      activation: 'sigmoid',
      combine: (score, row) => score * sigmoid(data[rowStart(grid, row) + 4 * columnStep]!),
    });
    firstRow += grid.rows;
  }
  // the anchors of the strides that are there: YOLOv3-tiny leaves the first out
  const spare = options.strides === undefined && levels[0]!.stride > 8 ? Math.log2(levels[0]!.stride / 8) : 0;
  const offset = Math.min(spare, anchors.length - levels.length);
  return finishPicks(false, (index, boxes, at) => {
    const { level, row } = locate(levels, index);
    const { data, columnStep, stride } = levels[level]!;
    const start = rowStart(levels[level]!, row);
    const sizes = anchors[level + offset]!;
    for (let axis = 0; axis < 2; axis++) {
      const cell = axis === 0 ? cellX(levels[level]!, row) : cellY(levels[level]!, row);
      const centre = (shift(data[start + axis * columnStep]!) + cell) * stride;
      const half = (growth(data[start + (2 + axis) * columnStep]!) * sizes[2 * (row % perCell) + axis]!) / 2;
      boxes[at + axis] = centre - half;
      boxes[at + 2 + axis] = centre + half;
    }
  });
}
