/**
 * Face detectors with keypoints on a grid: SCRFD, YuNet and BlazeFace. Faces are class 0.
 */
import { pyramidStrides } from '../anchors/grid.ts';
import { cellX, cellY, type Grid, locate, readGrids, rowStart, scanGrid, splitLevels } from './grids.ts';
import { findOutput, layoutError } from './layout.ts';
import { finishPicks, finiteRows, gatherColumn, startPicks } from './picks.ts';
import { readTable } from './tables.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

interface FaceLevel {
  readonly rows: number;
  readonly scores: Grid;
  readonly boxes: Grid;
  readonly keypoints: Grid | undefined;
  /** A second score to be combined with the first. */
  readonly other: Grid | undefined;
}

function faceLevels(
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
  perCell: number,
): FaceLevel[] {
  const grids = readGrids(outputs, { ...options, strides: options.strides ?? pyramidStrides }, perCell);
  const levels: FaceLevel[] = [];
  for (const stride of new Set(grids.map((grid) => grid.stride))) {
    const level = grids.filter((grid) => grid.stride === stride);
    const [scores, other] = level.filter(({ columns }) => columns === 1);
    const boxes = level.find(({ columns }) => columns === 4);
    const keypoints = level.find(({ columns }) => columns >= 6 && columns % 2 === 0);
    if (scores !== undefined && boxes !== undefined)
      levels.push({ rows: scores.rows, scores, boxes, keypoints, other });
  }
  return levels;
}

/** Keypoints of every pick: `point(grid, row, raw, axis)` in pixels, confidence 1. */
function faceKeypoints(
  candidates: Candidates,
  levels: readonly FaceLevel[],
  point: (grid: Grid, row: number, raw: number, axis: number) => number,
): Candidates {
  const columns = levels[0]!.keypoints?.columns;
  if (columns === undefined) return candidates;
  const keypointCount = columns / 2;
  const keypoints = gatherColumn(3 * keypointCount, (index, column, at) => {
    const { level, row } = locate(levels, index);
    const grid = levels[level]!.keypoints!;
    const start = rowStart(grid, row);
    for (let k = 0; k < keypointCount; k++) {
      for (let axis = 0; axis < 2; axis++) {
        const raw = grid.data[start + (2 * k + axis) * grid.columnStep]!;
        column[at + 3 * k + axis] = point(grid, row, raw, axis);
      }
      column[at + 3 * k + 2] = 1;
    }
  });
  return finiteRows({ ...candidates, keypoints, keypointCount });
}

const cornerOf = (grid: Grid, row: number, axis: number) =>
  axis === 0 ? cellX(grid, row) : cellY(grid, row);

/**
 * Candidates of SCRFD: levels of scores (sigmoid done), distances and keypoints, two anchors a cell, as
 * `[cells·2, 1]`, `[cells·2, 4]`, `[cells·2, 10]` with or without a batch. Points lie at a cell's corner; distances and
 * keypoint offsets count in strides.
 */
export function decodeScrfd(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const levels = faceLevels(outputs, options, 2);
  if (levels.length === 0) {
    throw layoutError(
      'scrfd',
      'levels of [2·cells, 1], [2·cells, 4] and [2·cells, 10]',
      outputs,
      options.input,
    );
  }
  scanFaceLevels(levels, options);
  const found = finishPicks(false, (index, boxes, at) => {
    const { level, row } = locate(levels, index);
    const grid = levels[level]!.boxes;
    const start = rowStart(grid, row);
    for (let side = 0; side < 4; side++) {
      const distance = grid.data[start + side * grid.columnStep]!;
      boxes[at + side] = (cornerOf(grid, row, side % 2) + (side < 2 ? -distance : distance)) * grid.stride;
    }
  });
  return faceKeypoints(
    found,
    levels,
    (grid, row, raw, axis) => (cornerOf(grid, row, axis) + raw) * grid.stride,
  );
}

/**
 * Candidates of YuNet: levels of class and objectness scores, box and five keypoints; centre = (cell + t)·s, size =
 * eᵗ·s, score = √(class · objectness), each clamped to 0–1.
 */
export function decodeYuNet(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const levels = faceLevels(outputs, options, 1);
  if (levels.length === 0 || levels.some(({ other }) => other === undefined)) {
    const layout =
      'levels of class and objectness [N, cells, 1], box [N, cells, 4] and keypoints [N, cells, 10]';
    throw layoutError('yunet', layout, outputs, options.input);
  }
  scanFaceLevels(levels, options);
  const found = finishPicks(false, (index, boxes, at) => {
    const { level, row } = locate(levels, index);
    const grid = levels[level]!.boxes;
    const start = rowStart(grid, row);
    for (let axis = 0; axis < 2; axis++) {
      const centre = (cornerOf(grid, row, axis) + grid.data[start + axis * grid.columnStep]!) * grid.stride;
      const half = (Math.exp(grid.data[start + (2 + axis) * grid.columnStep]!) * grid.stride) / 2;
      boxes[at + axis] = centre - half;
      boxes[at + 2 + axis] = centre + half;
    }
  });
  return faceKeypoints(
    found,
    levels,
    (grid, row, raw, axis) => (cornerOf(grid, row, axis) + raw) * grid.stride,
  );
}

function scanFaceLevels(levels: readonly FaceLevel[], options: DecodeOptions & HeadOptions): void {
  const threshold = startPicks(options);
  const unit = (score: number) => Math.min(1, Math.max(0, score));
  let firstRow = 0;
  for (const { scores, other, rows } of levels) {
    const both = (score: number, row: number) =>
      Math.sqrt(unit(score) * unit(other!.data[rowStart(other!, row)]!));
    scanGrid(scores, firstRow, {
      threshold,
      multiLabel: false,
      classCount: 1,
      activation: options.activation ?? 'none',
      ...(other === undefined ? {} : { combine: both }),
    });
    firstRow += rows;
  }
}

/**
 * Candidates of BlazeFace: 896 anchors, as `[N, 512, 1]`, `[N, 384, 1]`, `[N, 512, 16]`, `[N, 384, 16]` or joined.
 *
 * Anchors are the middles of 16×16 cells (two each) and 8×8 cells (six each); box and six keypoints are offsets in
 * pixels from them, without exponentials; scores are logits, clamped to ±100.
 */
export function decodeBlazeFace(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const { width } = options.input;
  // a cell of the first level is a sixteenth of the picture, whatever the picture's size
  const strides = [width / 16, width / 8];
  const perCell = [2, 6];
  const levelsOf = (columns: number, slot: number): Grid[] | null => {
    const joined = findOutput(outputs, (dims) => dims.length === 3 && dims[1] === 896 && dims[2] === columns);
    if (joined !== undefined) {
      return splitLevels(readTable(joined, options, slot).data, columns, options.input, strides, perCell);
    }
    const parts = [512, 384].map((rows, level) => {
      const part = findOutput(
        outputs,
        (dims) => dims.length === 3 && dims[1] === rows && dims[2] === columns,
      );
      if (part === undefined) return null;
      const { data } = readTable(part, options, slot + level);
      return splitLevels(data, columns, options.input, [strides[level]!], perCell[level]!)?.[0] ?? null;
    });
    return parts.every((grid) => grid !== null) ? (parts as Grid[]) : null;
  };
  const scores = levelsOf(1, 0);
  const boxes = levelsOf(16, 2);
  if (scores === null || boxes === null) {
    throw layoutError(
      'blazeface',
      'scores [N, 512 + 384, 1] and boxes [N, 512 + 384, 16]',
      outputs,
      options.input,
    );
  }
  const threshold = startPicks(options);
  let firstRow = 0;
  for (const grid of scores) {
    const activation = options.activation ?? 'sigmoid';
    scanGrid(grid, firstRow, { threshold, multiLabel: false, classCount: 1, activation });
    firstRow += grid.rows;
  }
  const anchor = (grid: Grid, row: number, axis: number) => (cornerOf(grid, row, axis) + 0.5) * grid.stride;
  const found = finishPicks(false, (index, out, at) => {
    const { level, row } = locate(boxes, index);
    const grid = boxes[level]!;
    const start = rowStart(grid, row);
    for (let axis = 0; axis < 2; axis++) {
      const centre = anchor(grid, row, axis) + grid.data[start + axis]!;
      const half = grid.data[start + 2 + axis]! / 2;
      out[at + axis] = centre - half;
      out[at + 2 + axis] = centre + half;
    }
  });
  const keypoints = gatherColumn(18, (index, column, at) => {
    const { level, row } = locate(boxes, index);
    const grid = boxes[level]!;
    const start = rowStart(grid, row) + 4;
    for (let k = 0; k < 6; k++) {
      column[at + 3 * k] = anchor(grid, row, 0) + grid.data[start + 2 * k]!;
      column[at + 3 * k + 1] = anchor(grid, row, 1) + grid.data[start + 2 * k + 1]!;
      column[at + 3 * k + 2] = 1;
    }
  });
  return finiteRows({ ...found, keypoints, keypointCount: 6 });
}
