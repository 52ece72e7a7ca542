/**
 * FastestDet: one grid `[N, 5 + C, H, W]`: objectness (sigmoid done), box, classes (softmax done).
 *
 * centre = (tanh t + cell) / W, size = σ(t) of the picture, score = objectness^0.6 · class^0.4.
 */
import { cellX, cellY, readGrids, rowStart, scanGrid, sigmoid } from './grids.ts';
import { layoutError } from './layout.ts';
import { finishPicks, startPicks } from './picks.ts';
import type { Candidates, DecodeOptions, ModelOutputs } from './types.ts';

/**
 * Candidates of FastestDet, in cell order. `multiLabel` has no meaning here: a softmax makes classes exclusive, and the
 * model's own decoder takes the best one.
 */
export function decodeFastestDet(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  const { input } = options;
  const grid = readGrids(outputs, options).find(({ columns }) => columns >= 5 + (options.classCount ?? 1));
  if (grid === undefined) throw layoutError('fastestdet', '[N, 5 + classes, H, W]', outputs, input);
  const { data, columnStep, rows, across } = grid;
  const down = rows / across;
  const threshold = startPicks(options);
  scanGrid(grid, 0, {
    threshold,
    multiLabel: false,
    classCount: options.classCount ?? grid.columns - 5,
    firstColumn: 5,
    combine: (score, row) => data[rowStart(grid, row)]! ** 0.6 * score ** 0.4,
  });
  return finishPicks(false, (row, boxes, at) => {
    const t = (k: number) => data[rowStart(grid, row) + (1 + k) * columnStep]!;
    const x = ((Math.tanh(t(0)) + cellX(grid, row)) / across) * input.width;
    const y = ((Math.tanh(t(1)) + cellY(grid, row)) / down) * input.height;
    const halfWidth = (sigmoid(t(2)) * input.width) / 2;
    const halfHeight = (sigmoid(t(3)) * input.height) / 2;
    boxes[at] = x - halfWidth;
    boxes[at + 1] = y - halfHeight;
    boxes[at + 2] = x + halfWidth;
    boxes[at + 3] = y + halfHeight;
  });
}
