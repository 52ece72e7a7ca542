/**
 * CenterFace: a heat map `[N, 1, H, W]` of faces, sizes and centre offsets `[N, 2, H, W]` and five landmarks
 * `[N, 10, H, W]`, at a quarter of the input, every pair as y, x.
 *
 * centre = (cell + offset + ½)·s, size = eᵗ·s, landmark = the box's corner + t·size. Neighbouring cells are candidates of
 * their own, so NMS is needed (Star-Clouds/CenterFace, `centerface.py`; it moves boxes into the picture first, here the
 * box stays as it is).
 */
import { type Grid, readGrids, scanGrid } from './grids.ts';
import { layoutError } from './layout.ts';
import { finishPicks, finiteRows, gatherColumn, startPicks } from './picks.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/**
 * Candidates of CenterFace, in cell order; faces are class 0. Sizes and offsets are told by name (`scale`, `size`; `off`),
 * else sizes come first. The heat map is taken through the sigmoid already unless `activation: 'sigmoid'`. Throws
 * `LayoutError` where one of the four maps is missing.
 */
export function decodeCenterFace(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const grids = readGrids(outputs, { ...options, strides: options.strides ?? [4] });
  const pairs = grids.filter(({ columns }) => columns === 2);
  const sizes =
    pairs.find(({ name }) => /scale|size|wh/i.test(name)) ?? pairs.find(({ name }) => !/off/i.test(name));
  const offsets = pairs.find((grid) => grid !== sizes);
  const heat = grids.find(({ columns }) => columns === 1);
  const landmarks = grids.find(({ columns }) => columns === 10);
  if (heat === undefined || sizes === undefined || offsets === undefined || landmarks === undefined) {
    const layout =
      'heat [N, 1, H, W], sizes [N, 2, H, W], offsets [N, 2, H, W] and landmarks [N, 10, H, W] at stride 4';
    throw layoutError('centerface', layout, outputs, options.input);
  }
  const threshold = startPicks(options);
  const activation = options.activation ?? 'none';
  scanGrid(heat, 0, { threshold, multiLabel: false, classCount: 1, activation });
  const { stride, across } = heat;
  const size = (row: number, axis: number) => Math.exp(valueAt(sizes, row, 1 - axis)) * stride;
  const corner = (row: number, axis: number) => {
    const cell = axis === 0 ? row % across : Math.floor(row / across);
    return (cell + valueAt(offsets, row, 1 - axis) + 0.5) * stride - size(row, axis) / 2;
  };
  const found = finishPicks(false, (row, boxes, at) => {
    for (let axis = 0; axis < 2; axis++) {
      boxes[at + axis] = corner(row, axis);
      boxes[at + 2 + axis] = corner(row, axis) + size(row, axis);
    }
  });
  const keypoints = gatherColumn(15, (row, column, at) => {
    for (let k = 0; k < 5; k++) {
      for (let axis = 0; axis < 2; axis++) {
        const share = valueAt(landmarks, row, 2 * k + 1 - axis);
        column[at + 3 * k + axis] = corner(row, axis) + share * size(row, axis);
      }
      column[at + 3 * k + 2] = 1;
    }
  });
  return finiteRows({ ...found, keypoints, keypointCount: 5 });
}

const valueAt = (grid: Grid, row: number, column: number) =>
  grid.data[row * grid.cellStep + column * grid.columnStep]!;
