/** Levels of a feature pyramid: which way their tensors lie, and where their cells are. */
import { describe, expect, test } from 'vitest';
import { decode, type HeadName, type ModelOutputs } from '../../src/heads/index.ts';

const pyramid = [8, 16, 32, 64, 128];

type Input = { readonly width: number; readonly height: number };

/** A tensor [1, down, across, K] in one of the layouts a level comes in; `at` names its number of a row and column. */
function level(
  input: Input,
  stride: number,
  columns: number,
  layout: 'first' | 'last' | 'rows',
  perCell = 1,
) {
  const [across, down] = [Math.ceil(input.width / stride), Math.ceil(input.height / stride)];
  const cells = across * down;
  const channels = perCell * columns;
  const data = new Float32Array(cells * channels);
  const dims = {
    first: [1, channels, down, across],
    last: [1, down, across, channels],
    rows: [1, cells * perCell, columns],
  }[layout];
  const at = (row: number, column: number) =>
    layout === 'first'
      ? ((row % perCell) * columns + column) * cells + Math.floor(row / perCell)
      : row * columns + column;
  return { tensor: { data, dims }, at, rows: cells * perCell };
}

describe('levels that can be read two ways', () => {
  // 5 classes at stride 128 are [1, 5, 3, 2]; stride 64 has 5 × 3 cells, of 2 columns then
  const input = { width: 192, height: 267 };

  test.each(['first', 'last', 'rows'] as const)('all levels are found, channels %s', (layout) => {
    const outputs: Record<string, ModelOutputs[string]> = {};
    for (const stride of pyramid) {
      const scores = level(input, stride, 5, layout);
      const distances = level(input, stride, 4, layout);
      scores.tensor.data[scores.at(scores.rows - 1, 4)] = 0.9;
      for (let side = 0; side < 4; side++) distances.tensor.data[distances.at(scores.rows - 1, side)] = 1;
      outputs[`cls${stride}`] = scores.tensor;
      outputs[`box${stride}`] = distances.tensor;
    }
    const found = decode('fcos', outputs, { input, activation: 'none' });
    expect([...found.classIds]).toEqual([4, 4, 4, 4, 4]);
    // the last cell's middle, a stride to every side
    const expected = pyramid.flatMap((stride) => {
      const [x, y] = [Math.ceil(192 / stride) - 0.5, Math.ceil(267 / stride) - 0.5];
      return [x - 1, y - 1, x + 1, y + 1].map((value) => value * stride);
    });
    expect([...found.boxes]).toEqual(expected);
  });
});

describe('nine anchors a cell', () => {
  /** Boxes of the last row of every level, deltas 0. */
  function lastBoxes(head: HeadName, input: Input, layout: 'first' | 'last' | 'rows', options = {}) {
    const outputs: Record<string, ModelOutputs[string]> = {};
    for (const stride of pyramid) {
      const scores = level(input, stride, 3, layout, 9);
      scores.tensor.data.fill(-9);
      scores.tensor.data[scores.at(scores.rows - 1, 1)] = 9;
      outputs[`cls${stride}`] = scores.tensor;
      outputs[`box${stride}`] = level(input, stride, 4, layout, 9).tensor;
    }
    const { boxes } = decode(head, outputs, { input, ...options });
    return Array.from({ length: boxes.length / 4 }, (_, i) => [...boxes.subarray(4 * i, 4 * i + 4)]);
  }
  const middles = (boxes: readonly number[][]) =>
    boxes.map(([x1, y1, x2, y2]) =>
      [(x1! + x2!) / 2, (y1! + y2!) / 2].map((value) => Math.round(value * 1e3) / 1e3),
    );

  test.each(['first', 'last', 'rows'] as const)('levels with channels %s are read alike', (layout) => {
    const input = { width: 256, height: 128 };
    const boxes = lastBoxes('efficientdet', input, layout);
    expect(middles(boxes)).toEqual(pyramid.map((s) => [256 - s / 2, 128 - s / 2]));
    expect(lastBoxes('retinanet', input, layout)).toEqual(lastBoxes('retinanet', input, 'first'));
  });

  // automl's anchors.py: stride = image / feature map, and the smallest anchor is 4 of them; EfficientDet-Lite0 has 320
  test('EfficientDet shares a picture that is no multiple of 128 evenly', () => {
    const boxes = lastBoxes('efficientdet', { width: 320, height: 448 }, 'first');
    const cells = pyramid.map(
      (stride) => [320 / Math.ceil(320 / stride), 448 / Math.ceil(448 / stride)] as const,
    );
    expect(cells.at(-1)).toEqual([320 / 3, 112]);
    // the last anchor: two thirds of an octave, 0.7 wide and 1.4 tall
    const [w, h] = [0.7, 1.4].map((aspect) => (4 * 2 ** (2 / 3) * aspect) / 2) as [number, number];
    for (const [i, [x, y]] of cells.entries()) {
      const [cx, cy] = [320 - x / 2, 448 - y / 2];
      const expected = [cx - w * x, cy - h * y, cx + w * x, cy + h * y];
      for (const [k, value] of expected.entries()) expect(boxes[i]![k]).toBeCloseTo(value, 3);
    }
  });

  // torchvision's AnchorGenerator: strides are image size // grid size; the others count in 8 … 128
  test('torchvision spreads the cells over a picture that is no multiple of 128', () => {
    const input = { width: 1088, height: 800 };
    const across = [136, 68, 34, 17, 9];
    const down = [100, 50, 25, 13, 7];
    expect(middles(lastBoxes('retinanet', input, 'first'))).toEqual(
      pyramid.map((_, i) => [
        (across[i]! - 1) * Math.floor(1088 / across[i]!),
        (down[i]! - 1) * Math.floor(800 / down[i]!),
      ]),
    );
    expect(middles(lastBoxes('retinanet', input, 'first', { anchorStyle: 'detectron2' })).at(-1)).toEqual([
      8 * 128,
      6 * 128,
    ]);
  });
});
