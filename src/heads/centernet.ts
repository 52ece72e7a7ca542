/**
 * CenterNet: a heat map `[N, C, H, W]`, sizes `[N, 2, H, W]` and centre offsets `[N, 2, H, W]`, at a quarter of the input.
 *
 * A centre is a cell that equals the maximum of its 3×3 neighbourhood in its class; the best 100 are kept, so no NMS
 * is needed. centre = (cell + offset)·s, or (cell + ½)·s without offsets.
 */
import { keepBest } from './detr.ts';
import { type Grid, readGrids, sigmoid } from './grids.ts';
import { layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/**
 * Detections of CenterNet, best first. Sizes and offsets are told by name (`wh`, `size`; `reg`, `off`), else sizes come
 * first. Heat maps are taken through the sigmoid already unless `activation: 'sigmoid'`; sizes count in cells.
 */
export function decodeCenterNet(
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions & { readonly topK?: number },
): Candidates {
  const grids = readGrids(outputs, options);
  const pairs = grids.filter(({ columns }) => columns === 2);
  const named = (pattern: RegExp) => pairs.find(({ name }) => pattern.test(name));
  const sizes = named(/wh|size/i) ?? pairs.find((grid) => !/reg|off/i.test(grid.name));
  const offsets = pairs.find((grid) => grid !== sizes);
  const heat =
    grids.find((grid) => grid !== sizes && grid !== offsets && grid.stride === sizes?.stride) ?? undefined;
  if (sizes === undefined || heat === undefined) {
    const layout = 'heat [N, classes, H, W], sizes [N, 2, H, W] and offsets [N, 2, H, W]';
    throw layoutError('centernet', layout, outputs, options.input);
  }
  const threshold = startPicks(options);
  scanPeaks(heat, threshold, options);
  keepBest(options.topK ?? 100);
  const { stride, across } = heat;
  return finishPicks(true, (row, boxes, at) => {
    for (let axis = 0; axis < 2; axis++) {
      const cell = axis === 0 ? row % across : Math.floor(row / across);
      const offset = offsets === undefined ? 0.5 : valueAt(offsets, row, axis);
      const half = valueAt(sizes, row, axis) / 2;
      boxes[at + axis] = (cell + offset - half) * stride;
      boxes[at + 2 + axis] = (cell + offset + half) * stride;
    }
  });
}

const valueAt = (grid: Grid, row: number, column: number) =>
  grid.data[row * grid.cellStep + column * grid.columnStep]!;

/** Picks the cells no neighbour of which is higher in the same class. */
function scanPeaks(heat: Grid, threshold: number, options: DecodeOptions & HeadOptions): void {
  const { across, rows } = heat;
  const down = rows / across;
  for (let row = 0; row < rows; row++) {
    if (Number.isNaN(valueAt(heat, row, 0))) picks.dropped++;
    for (let c = 0; c < (options.classCount ?? heat.columns); c++) {
      const raw = valueAt(heat, row, c);
      const score = Math.fround(options.activation === 'sigmoid' ? sigmoid(raw) : raw);
      if (score > threshold && isPeak(heat, row % across, Math.floor(row / across), down, c, raw))
        pick(row, c, score);
    }
  }
}

function isPeak(heat: Grid, x: number, y: number, down: number, c: number, value: number): boolean {
  for (let v = Math.max(0, y - 1); v <= Math.min(down - 1, y + 1); v++) {
    for (let u = Math.max(0, x - 1); u <= Math.min(heat.across - 1, x + 1); u++) {
      if (valueAt(heat, v * heat.across + u, c) > value) return false;
    }
  }
  return true;
}
