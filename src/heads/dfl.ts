/**
 * Heads that regress distributions over distances (generalised focal loss): GFL, NanoDet, NanoDet-Plus, PicoDet, and
 * YOLOv8 before its decoding.
 *
 * Every side of the box is a softmax over bins 0 … n − 1; its expectation times the stride is the distance from the
 * cell's point to that side. The families differ in where that point lies and in how tensors are cut.
 */
import {
  cellX,
  cellY,
  type Grid,
  locate,
  pointOffset,
  readGrids,
  rowStart,
  scanGrid,
  splitLevels,
} from './grids.ts';
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Activation, Candidates, CellPoint, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/** One level: where class scores and distances lie. */
interface DflLevel {
  readonly rows: number;
  readonly classes: Grid;
  readonly firstClass: number;
  readonly distances: Grid;
  readonly firstBin: number;
}

/**
 * Candidates of NanoDet, GFL or PicoDet: a level is scores `[N, cells, C]` and distributions `[N, cells, 4·bins]`.
 *
 * `cellPoint` is `'pixel'` (NanoDet) unless told: PicoDet and GFL say `'middle'`. Scores are taken as they are unless
 * `activation` says otherwise. `bins` is told from the columns, or by name where both tensors could be distributions.
 */
export function decodeNanoDet(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const grids = readGrids(outputs, options);
  const levels: DflLevel[] = [];
  for (const stride of new Set(grids.map((grid) => grid.stride))) {
    const pair = grids.filter((grid) => grid.stride === stride);
    const distances = pickDistances(pair, options.bins);
    const classes = pair.find((grid) => grid !== distances);
    if (distances === undefined || classes === undefined) continue;
    levels.push({ rows: classes.rows, classes, firstClass: 0, distances, firstBin: 0 });
  }
  if (levels.length === 0) {
    throw layoutError(
      'nanodet',
      'levels of [N, cells, classes] and [N, cells, 4·bins]',
      outputs,
      options.input,
    );
  }
  const bins = levels[0]!.distances.columns / 4;
  const classCount = options.classCount ?? levels[0]!.classes.columns;
  return decodeDfl(
    levels,
    bins,
    classCount,
    options,
    options.cellPoint ?? 'pixel',
    options.activation ?? 'none',
  );
}

/** Of two tensors of a level the one with distributions: the usual numbers of bins, then the name. */
function pickDistances(pair: readonly Grid[], bins?: number): Grid | undefined {
  const fits = pair.filter(({ columns }) =>
    bins === undefined ? [8, 16, 17, 33].includes(columns / 4) : columns === 4 * bins,
  );
  return fits.length > 1 ? (fits.find(({ name }) => /dis|reg|box|dfl/i.test(name)) ?? fits[1]) : fits[0];
}

/**
 * Candidates of NanoDet-Plus: one output `[N, cells of strides 8, 16, 32, 64, C + 4·8]`, scores first and already
 * through the sigmoid; cells count from their corner.
 */
export function decodeNanoDetPlus(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const { input, strides = [8, 16, 32, 64], bins = 8 } = options;
  const tensor = findOutput(outputs, (dims) => dims.length === 3 && dims[2]! > 4 * bins);
  const layout = `[N, cells of strides ${strides}, classes + ${4 * bins}]`;
  if (tensor === undefined) throw layoutError('nanodet-plus', layout, outputs, input);
  const [, rows, columns] = tensor.dims as [number, number, number];
  const data = readColumn(tensor, imageIndex(tensor, options) * rows * columns, rows * columns);
  const grids = splitLevels(data, columns, input, strides);
  if (grids === null) throw layoutError('nanodet-plus', layout, outputs, input);
  const firstBin = columns - 4 * bins;
  const levels = grids.map((grid) => ({
    rows: grid.rows,
    classes: grid,
    firstClass: 0,
    distances: grid,
    firstBin,
  }));
  const classCount = options.classCount ?? firstBin;
  return decodeDfl(
    levels,
    bins,
    classCount,
    options,
    options.cellPoint ?? 'corner',
    options.activation ?? 'none',
  );
}

/** Candidates of YOLOv8 cut before its decoding: levels `[N, 4·16 + C, H, W]`, distributions first, all logits. */
export function decodeYolov8Raw(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const { bins = 16 } = options;
  const grids = readGrids(outputs, options).filter(({ columns }) => columns > 4 * bins);
  if (grids.length === 0) {
    throw layoutError('yolov8-raw', `levels [N, ${4 * bins} + classes, H, W]`, outputs, options.input);
  }
  const levels = grids.map((grid) => ({
    rows: grid.rows,
    classes: grid,
    firstClass: 4 * bins,
    distances: grid,
    firstBin: 0,
  }));
  const classCount = options.classCount ?? grids[0]!.columns - 4 * bins;
  return decodeDfl(
    levels,
    bins,
    classCount,
    options,
    options.cellPoint ?? 'middle',
    options.activation ?? 'sigmoid',
  );
}

function decodeDfl(
  levels: readonly DflLevel[],
  bins: number,
  classCount: number,
  options: DecodeOptions,
  point: CellPoint,
  activation: Activation,
): Candidates {
  const threshold = startPicks(options);
  let firstRow = 0;
  for (const { classes, firstClass, rows } of levels) {
    const multiLabel = options.multiLabel === true;
    scanGrid(classes, firstRow, { threshold, multiLabel, classCount, firstColumn: firstClass, activation });
    firstRow += rows;
  }
  return finishPicks(false, (index, boxes, at) => {
    const { level, row } = locate(levels, index);
    const { distances: grid, firstBin } = levels[level]!;
    const offset = pointOffset(grid.stride, point);
    const x = cellX(grid, row) * grid.stride + offset;
    const y = cellY(grid, row) * grid.stride + offset;
    const start = rowStart(grid, row) + firstBin * grid.columnStep;
    for (let side = 0; side < 4; side++) {
      const distance =
        expectation(grid.data, start + side * bins * grid.columnStep, grid.columnStep, bins) * grid.stride;
      const from = side % 2 === 0 ? x : y;
      boxes[at + side] = side < 2 ? from - distance : from + distance;
    }
  });
}

/** Mean bin of a softmax over logits. */
function expectation(data: Float32Array, start: number, step: number, bins: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let b = 0; b < bins; b++) highest = Math.max(highest, data[start + b * step]!);
  let sum = 0;
  let mean = 0;
  for (let b = 0; b < bins; b++) {
    const weight = Math.exp(data[start + b * step]! - highest);
    sum += weight;
    mean += b * weight;
  }
  return mean / sum;
}
