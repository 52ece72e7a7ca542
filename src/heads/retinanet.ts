/**
 * RetinaNet and EfficientDet: nine anchors a cell on strides 8 … 128, class logits, and deltas against the anchors.
 *
 * Levels come one by one (`[N, 9·C, H, W]`, `[N, H, W, 9·C]`, `[N, H·W·9, C]`) or joined (`[N, P, C]`). RetinaNet's delta is
 * (dx, dy, dw, dh) with dw, dh at most ln(1000/16); EfficientDet's is (ty, tx, th, tw).
 */
import { pyramidStrides } from '../anchors/grid.ts';
import { cellX, cellY, type Grid, locate, readGrids, rowStart, scanGrid, splitLevels } from './grids.ts';
import { findOutput, layoutError } from './layout.ts';
import { finishPicks, startPicks } from './picks.ts';
import { efficientDetAnchors, retinaNetAnchors } from './priors.ts';
import { readTable } from './tables.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

const perCell = 9;

interface Level {
  readonly rows: number;
  readonly scores: Grid;
  readonly deltas: Grid;
}

/**
 * Candidates of RetinaNet; `anchorStyle` says whose anchors (default torchvision's, rounded, ratio before size, cells as
 * far apart as the picture holds them: ⌊800 / 7⌋ pixels where a level of stride 128 has 7).
 */
export function decodeRetinaNet(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const style = options.anchorStyle ?? 'torchvision';
  const limit = Math.log(1000 / 16);
  return decodeAnchors(
    'retinanet',
    outputs,
    options,
    (stride) => retinaNetAnchors(stride, style),
    [0, 1, 2, 3],
    limit,
    style === 'torchvision' ? (side, cells) => Math.floor(side / cells) : (_side, _cells, stride) => stride,
  );
}

/**
 * Candidates of EfficientDet: scores and (ty, tx, th, tw) of nine anchors a cell, levels of stride 8 to 128, apart or joined.
 * Source: automl `efficientdet`, effdet.
 */
export function decodeEfficientDet(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  return decodeAnchors(
    'efficientdet',
    outputs,
    options,
    (_stride, cellWidth, cellHeight) => efficientDetAnchors(cellWidth, cellHeight),
    [1, 0, 3, 2],
    Number.POSITIVE_INFINITY,
    (side, cells) => side / cells,
  );
}

function decodeAnchors(
  head: string,
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
  anchorsOf: (stride: number, cellWidth: number, cellHeight: number) => Float32Array,
  order: readonly number[],
  limit: number,
  /** Pixels from cell to cell along a side of the input. */
  pitchOf: (side: number, cells: number, stride: number) => number,
): Candidates {
  const levels = readLevels(outputs, options);
  if (levels === null) {
    const layout = 'levels of scores [N, 9·classes, H, W] and deltas [N, 36, H, W], or both joined [N, P, …]';
    throw layoutError(head, layout, outputs, options.input);
  }
  const threshold = startPicks(options);
  const classCount = options.classCount ?? levels[0]!.scores.columns;
  let firstRow = 0;
  for (const { scores, rows } of levels) {
    const activation = options.activation ?? 'sigmoid';
    scanGrid(scores, firstRow, {
      threshold,
      multiLabel: options.multiLabel === true,
      classCount,
      activation,
    });
    firstRow += rows;
  }
  const { width, height } = options.input;
  const pitches = levels.map(({ rows, deltas: { across, stride } }) => [
    pitchOf(width, across, stride),
    pitchOf(height, rows / (across * perCell), stride),
  ]);
  const anchors = levels.map(({ deltas }, k) => anchorsOf(deltas.stride, pitches[k]![0]!, pitches[k]![1]!));
  return finishPicks(false, (index, boxes, at) => {
    const { level, row } = locate(levels, index);
    const grid = levels[level]!.deltas;
    const cell = [cellX(grid, row) * pitches[level]![0]!, cellY(grid, row) * pitches[level]![1]!];
    const start = rowStart(grid, row);
    const anchor = 4 * (row % perCell);
    for (let axis = 0; axis < 2; axis++) {
      const low = anchors[level]![anchor + axis]!;
      const high = anchors[level]![anchor + 2 + axis]!;
      const size = high - low;
      const shift = grid.data[start + order[axis]! * grid.columnStep]!;
      const growth = Math.min(limit, grid.data[start + order[2 + axis]! * grid.columnStep]!);
      const centre = cell[axis]! + (low + high) / 2 + shift * size;
      const half = (Math.exp(growth) * size) / 2;
      boxes[at + axis] = centre - half;
      boxes[at + 2 + axis] = centre + half;
    }
  });
}

/** Scores and deltas of every level, from outputs a level or from two joined tables. */
function readLevels(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Level[] | null {
  const { strides = pyramidStrides, input } = options;
  const joined = findOutput(
    outputs,
    (dims, name) => dims.length === 3 && dims[2] === 4 && !/cls|score|logit/i.test(name),
  );
  if (joined !== undefined) {
    const rows = joined.dims[1];
    const other = findOutput(
      outputs,
      (dims, name) => outputs[name] !== joined && dims.length === 3 && dims[1] === rows,
    );
    if (other === undefined) return null;
    const deltas = splitLevels(readTable(joined, options, 0).data, 4, input, strides, perCell);
    const scores = splitLevels(readTable(other, options, 1).data, other.dims[2]!, input, strides, perCell);
    if (deltas !== null && scores !== null)
      return scores.map((grid, level) => ({ rows: grid.rows, scores: grid, deltas: deltas[level]! }));
  }
  const grids = readGrids(outputs, { ...options, strides }, perCell);
  const levels: Level[] = [];
  for (const stride of new Set(grids.map((grid) => grid.stride))) {
    const pair = grids.filter((grid) => grid.stride === stride);
    const fours = pair.filter(({ columns }) => columns === 4);
    // four classes look like deltas: then the name decides, then the order (scores come first)
    const deltas =
      fours.length > 1 ? (fours.find(({ name }) => /box|reg|delta/i.test(name)) ?? fours[1]) : fours[0];
    const scores = pair.find((grid) => grid !== deltas);
    if (deltas === undefined || scores === undefined) return null;
    levels.push({ rows: scores.rows, scores, deltas });
  }
  return levels.length === 0 ? null : levels;
}
