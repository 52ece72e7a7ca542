/**
 * Anchor-free heads with distances to the four sides: FCOS, ATSS and VFNet exports, TOOD, RTMDet.
 *
 * A level is class scores, distances `l, t, r, b` and, in FCOS, a centreness; score = √(class · centreness), or their
 * product, or the class alone.
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
  sigmoid,
} from './grids.ts';
import { layoutError } from './layout.ts';
import { finishPicks, startPicks } from './picks.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

interface Level {
  readonly rows: number;
  readonly classes: Grid;
  readonly distances: Grid;
  readonly centreness: Grid | undefined;
}

/**
 * Candidates of FCOS-like levels `[N, C, H, W]`, `[N, 4, H, W]` and optionally `[N, 1, H, W]` (or `[N, cells, …]`).
 *
 * Defaults: logits (`activation: 'sigmoid'`), `scoring: 'sqrt'`, distances in strides (`distanceUnit`), points at the
 * middle of a cell (RTMDet: `cellPoint: 'corner'`, `distanceUnit: 'pixels'`). Where dims leave it open (one class, four
 * classes) names decide, then the order scores, distances, centreness.
 */
export function decodeFcos(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const { activation = 'sigmoid', scoring = 'sqrt', distanceUnit = 'stride', cellPoint = 'middle' } = options;
  const grids = readGrids(outputs, options);
  const levels: Level[] = [];
  for (const stride of new Set(grids.map((grid) => grid.stride))) {
    const level = pickRoles(grids.filter((grid) => grid.stride === stride));
    if (level !== null) levels.push(level);
  }
  if (levels.length === 0) {
    const layout = 'levels of scores [N, classes, H, W], distances [N, 4, H, W] and centreness [N, 1, H, W]';
    throw layoutError('fcos', layout, outputs, options.input);
  }
  const threshold = startPicks(options);
  const activate = activation === 'sigmoid' ? sigmoid : (x: number) => x;
  let firstRow = 0;
  for (const { classes, centreness, rows } of levels) {
    const centre = (row: number) => activate(centreness!.data[rowStart(centreness!, row)]!);
    const product = (score: number, row: number) => score * centre(row);
    scanGrid(classes, firstRow, {
      threshold,
      multiLabel: options.multiLabel === true,
      classCount: options.classCount ?? classes.columns,
      activation,
      ...(centreness === undefined
        ? {}
        : { combine: scoring === 'product' ? product : (score, row) => Math.sqrt(product(score, row)) }),
    });
    firstRow += rows;
  }
  return finishPicks(false, (index, boxes, at) => {
    const { level, row } = locate(levels, index);
    const grid = levels[level]!.distances;
    const unit = distanceUnit === 'stride' ? grid.stride : 1;
    const offset = pointOffset(grid.stride, cellPoint);
    const x = cellX(grid, row) * grid.stride + offset;
    const y = cellY(grid, row) * grid.stride + offset;
    const start = rowStart(grid, row);
    for (let side = 0; side < 4; side++) {
      const distance = grid.data[start + side * grid.columnStep]! * unit;
      const from = side % 2 === 0 ? x : y;
      boxes[at + side] = side < 2 ? from - distance : from + distance;
    }
  });
}

function pickRoles(grids: readonly Grid[]): Level | null {
  const named = (pattern: RegExp, list: readonly Grid[]) => list.find(({ name }) => pattern.test(name));
  const fours = grids.filter(({ columns }) => columns === 4);
  const ones = grids.filter(({ columns }) => columns === 1);
  const distances = named(/box|reg|dist|ltrb/i, fours) ?? (fours.length > 1 ? fours[1] : fours[0]);
  const rest = grids.filter((grid) => grid !== distances);
  const centreness =
    rest.length < 2
      ? undefined
      : (named(/cent|ctr|obj|iou/i, ones) ?? ones.filter((grid) => grid !== distances).at(-1));
  const classes = rest.find((grid) => grid !== centreness);
  if (distances === undefined || classes === undefined) return null;
  return { rows: classes.rows, classes, distances, centreness };
}
