/**
 * Dense outputs as grids: which tensors belong to which stride, and how to step through them.
 *
 * The same level comes as `[N, A·K, H, W]`, `[N, H, W, A·K]`, `[N, A, H, W, K]`, `[N, H·W·A, K]` or without the batch;
 * a grid hides that behind three steps, so that a head reads column `k` of row `r` the same way everywhere. Rows run
 * over cells (row-major) and, within a cell, over its anchors.
 */
import { imageIndex } from './layout.ts';
import { pick, picks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Activation, CellPoint, DecodeOptions, ModelOutputs } from './types.ts';

export interface Grid {
  readonly name: string;
  readonly data: Float32Array;
  readonly stride: number;
  readonly across: number;
  /** Rows: cells · anchors a cell. */
  readonly rows: number;
  readonly perCell: number;
  readonly columns: number;
  readonly cellStep: number;
  readonly anchorStep: number;
  readonly columnStep: number;
}

const allStrides = [4, 8, 16, 32, 64, 128];

interface GridDims {
  readonly stride: number;
  readonly across: number;
  readonly cells: number;
  readonly columns: number;
  readonly cellStep: number;
  readonly anchorStep: number;
  readonly columnStep: number;
}

/** How dims are a grid of this input, or null. Rank 4 is read as `[N, K, H, W]` or, `last`, as `[N, H, W, K]`. */
function gridDims(
  dims: readonly number[],
  { width, height }: DecodeOptions['input'],
  perCell: number,
  strides: readonly number[],
  last: boolean,
): GridDims | null {
  for (const stride of strides) {
    const across = Math.ceil(width / stride);
    const down = Math.ceil(height / stride);
    const cells = across * down;
    const base = { stride, across, cells };
    const rank = dims.length;
    const row = dims[rank - 1]!;
    if (rank <= 3 && rank >= 2 && dims[rank - 2] === cells * perCell) {
      return { ...base, columns: row, cellStep: perCell * row, anchorStep: row, columnStep: 1 };
    }
    if (rank === 5 && dims[1] === perCell && dims[2] === down && dims[3] === across) {
      return { ...base, columns: row, cellStep: row, anchorStep: cells * row, columnStep: 1 };
    }
    const [h, channels] = last ? [1, row] : [2, dims[1]!];
    if (rank !== 4 || dims[h] !== down || dims[h + 1] !== across || channels % perCell !== 0) continue;
    const columns = channels / perCell;
    return last
      ? { ...base, columns, cellStep: channels, anchorStep: columns, columnStep: 1 }
      : { ...base, columns, cellStep: 1, anchorStep: columns * cells, columnStep: cells };
  }
  return null;
}

/**
 * Which of some dims are grids of this input, null for the others. By chance one tensor can be read both ways: 5 classes
 * on a coarse level may be the 5 rows of a finer one. So all are read the way that more of them allow.
 */
export function findGrids(
  list: readonly (readonly number[])[],
  input: DecodeOptions['input'],
  perCell: number,
  strides: readonly number[] = allStrides,
): (GridDims | null)[] {
  const read = (last: boolean) => list.map((dims) => gridDims(dims, input, perCell, strides, last));
  const count = (grids: readonly (GridDims | null)[]) => grids.filter((grid) => grid !== null).length;
  const [first, last] = [read(false), read(true)];
  const [own, other] = count(last) > count(first) ? [last, first] : [first, last];
  return own.map((grid, i) => grid ?? other[i]!);
}

/** Every output that is a grid of this input, ascending by stride, outputs of a stride in the model's order. */
export function readGrids(
  outputs: ModelOutputs,
  options: DecodeOptions & { readonly strides?: readonly number[] },
  perCell = 1,
): Grid[] {
  const grids: Grid[] = [];
  const names = Object.keys(outputs);
  const list = names.map((name) => outputs[name]!.dims);
  let slot = 0;
  for (const [i, found] of findGrids(list, options.input, perCell, options.strides).entries()) {
    if (found === null) continue;
    const name = names[i]!;
    const tensor = outputs[name]!;
    const size = found.cells * perCell * found.columns;
    const image = tensor.dims.length === 2 ? 0 : imageIndex(tensor, options);
    const data = readColumn(tensor, image * size, size, slot++);
    grids.push({ ...found, name, data, perCell, rows: found.cells * perCell });
  }
  return grids.sort((a, b) => a.stride - b.stride);
}

/** One tensor `[N, rows of all levels, columns]` cut into its levels; null where the rows do not add up. */
export function splitLevels(
  data: Float32Array,
  columns: number,
  { width, height }: DecodeOptions['input'],
  strides: readonly number[],
  perCell: readonly number[] | number = 1,
): Grid[] | null {
  const grids: Grid[] = [];
  let at = 0;
  strides.forEach((stride, level) => {
    const anchors = typeof perCell === 'number' ? perCell : perCell[level]!;
    const across = Math.ceil(width / stride);
    const rows = across * Math.ceil(height / stride) * anchors;
    grids.push({
      name: '',
      data: data.subarray(at, at + rows * columns),
      stride,
      across,
      rows,
      perCell: anchors,
      columns,
      cellStep: anchors * columns,
      anchorStep: columns,
      columnStep: 1,
    });
    at += rows * columns;
  });
  return at === data.length ? grids : null;
}

/** Index of column 0 of a row. */
export function rowStart(grid: Grid, row: number): number {
  const cell = Math.floor(row / grid.perCell);
  return cell * grid.cellStep + (row - cell * grid.perCell) * grid.anchorStep;
}

export function cellX(grid: Grid, row: number): number {
  return Math.floor(row / grid.perCell) % grid.across;
}

export function cellY(grid: Grid, row: number): number {
  return Math.floor(Math.floor(row / grid.perCell) / grid.across);
}

/** Pixels from a cell's corner to its point. */
export function pointOffset(stride: number, point: CellPoint): number {
  return point === 'corner' ? 0 : point === 'middle' ? stride / 2 : (stride - 1) / 2;
}

/** The level that row `row` of all levels lies in, and its number there. */
export function locate<Level extends { readonly rows: number }>(
  levels: readonly Level[],
  row: number,
): { readonly level: number; readonly row: number } {
  let level = 0;
  let rest = row;
  while (rest >= levels[level]!.rows) rest -= levels[level++]!.rows;
  return { level, row: rest };
}

/** A logit's probability. */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export interface ScanOptions {
  readonly threshold: number;
  readonly multiLabel: boolean;
  readonly classCount: number;
  /** Column of class 0. Default 0. */
  readonly firstColumn?: number;
  readonly activation?: Activation;
  /** Columns before class 0 that belong to the softmax and are no class (a background). Default 0. */
  readonly background?: number;
  /** Final score of a class score in a row; must grow with it. Default: the class score. */
  readonly combine?: (score: number, row: number) => number;
}

/** Picks the rows of one level whose best class (or every class) passes; `firstRow` numbers them over all levels. */
export function scanGrid(grid: Grid, firstRow: number, options: ScanOptions): void {
  const { threshold, multiLabel, classCount, firstColumn = 0, activation = 'none', combine } = options;
  const { data, columnStep, rows } = grid;
  const background = options.background ?? 0;
  // a sigmoid is monotone: logits well below the threshold's own need no exp
  const floor =
    activation === 'sigmoid' && combine === undefined && threshold > 0 && threshold < 1
      ? Math.log(threshold / (1 - threshold)) - 1e-3
      : Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    const first = rowStart(grid, row) + firstColumn * columnStep;
    if (Number.isNaN(data[first]!)) picks.dropped++;
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = 0, i = first; c < classCount; c++, i += columnStep) {
      if (data[i]! > highest) {
        highest = data[i]!;
        best = c;
      }
    }
    if (!(highest >= floor)) continue;
    let sum = 0;
    let shift = highest;
    if (activation === 'softmax') {
      const start = first - background * columnStep;
      for (let c = 0; c < background; c++) shift = Math.max(shift, data[start + c * columnStep]!);
      for (let c = 0; c < classCount + background; c++)
        sum += Math.exp(data[start + c * columnStep]! - shift);
    }
    for (let c = multiLabel ? 0 : best; c < (multiLabel ? classCount : best + 1); c++) {
      const raw = data[first + c * columnStep]!;
      const score =
        activation === 'none' ? raw : activation === 'sigmoid' ? sigmoid(raw) : Math.exp(raw - shift) / sum;
      const final = Math.fround(combine === undefined ? score : combine(score, row));
      if (final > threshold) pick(firstRow + row, c, final);
    }
  }
}
