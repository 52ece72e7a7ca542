/** What models get besides the picture: sizes, scales, masks; and what they cannot get. */
import { describe, expect, it } from 'vitest';
import { createDetector } from '../../src/detector/index.ts';
import { planDetector } from '../../src/detector/plan-model.ts';
import { ModelError } from '../../src/errors.ts';
import { type TestValue, writeOnnx } from '../support/onnx.ts';

const picture = { name: 'pixel_values', dims: ['batch', 3, 320, 640] };
const [float32, int64, bool] = [1, 7, 9];

function sidesOf(others: readonly TestValue[]) {
  const outputs = [
    { name: 'labels', dims: [1, 300], type: int64 },
    { name: 'boxes', dims: [1, 300, 4] },
    { name: 'scores', dims: [1, 300] },
  ];
  return planDetector(writeOnnx({ inputs: [picture, ...others], outputs }), {}).sides;
}

describe('inputs besides the picture', () => {
  it("the model input's size, width first in the DETR family, height first in PaddleDetection", () => {
    expect(sidesOf([{ name: 'orig_target_sizes', dims: ['batch', 2], type: int64 }])).toEqual([
      { name: 'orig_target_sizes', type: 'int64', dims: [2], values: [640, 320] },
    ]);
    const paddle = sidesOf([
      { name: 'im_shape', dims: ['batch', 2], type: float32 },
      { name: 'scale_factor', dims: ['batch', 2], type: float32 },
    ]);
    expect(paddle.map(({ values }) => values)).toEqual([
      [320, 640],
      [1, 1],
    ]);
  });

  it.each([
    [
      [64, 48],
      [64, 48],
    ],
    [
      ['height', 'width'],
      [64, 64],
    ],
  ])('a pixel mask [batch, %s] of ones', (declared, dims) => {
    const [mask] = sidesOf([{ name: 'pixel_mask', dims: ['batch', ...declared], type: int64 }]);
    expect(mask).toMatchObject({ name: 'pixel_mask', type: 'int64', dims });
    expect(mask!.values).toHaveLength(dims[0]! * dims[1]!);
    expect(new Set(mask!.values)).toEqual(new Set([1]));
  });

  it.each([
    ['another dims', { name: 'sizes', dims: ['batch', 3], type: int64 }],
    ['no name to go by', { name: 'extra', dims: ['batch', 64, 64], type: int64 }],
    ['another type', { name: 'pixel_mask', dims: ['batch', 64, 64], type: bool }],
  ])('%s: a ModelError that names the input', (_, input) => {
    expect(() => sidesOf([input])).toThrow(ModelError);
  });

  it('reach the session: a DETR with a pixel mask', async () => {
    const logits = Float32Array.of(2, -2, 0, -2, 3, 0, -3, -3, 4);
    const model = writeOnnx({
      inputs: [picture, { name: 'pixel_mask', dims: ['batch', 'height', 'width'] }],
      outputs: [
        { name: 'logits', dims: [1, 3, 3] },
        { name: 'pred_boxes', dims: [1, 3, 4] },
      ],
      initializers: [
        { name: 'l', dims: [1, 3, 3], data: logits },
        { name: 'b', dims: [1, 3, 4], data: new Float32Array(12).fill(0.5) },
      ],
      nodes: [
        { op: 'ReduceMean', inputs: ['pixel_mask'], outputs: ['whole'] },
        { op: 'Mul', inputs: ['l', 'whole'], outputs: ['logits'] },
        { op: 'Identity', inputs: ['b'], outputs: ['pred_boxes'] },
      ],
    });
    const detector = await createDetector({ model, head: 'detr-softmax', warmUp: false });
    const found = await detector.detect(
      { data: new Uint8Array(4), width: 1, height: 1 },
      { scoreThreshold: 0.1 },
    );
    detector.dispose();
    // softmax of (2, −2, 0) and (−2, 3, 0); the third query is "no object"
    const share = (row: readonly number[], k: number): number =>
      Math.exp(row[k]!) / row.reduce((sum, value) => sum + Math.exp(value), 0);
    expect([...found.classIds]).toEqual([1, 0]);
    expect(found.scores[0]).toBeCloseTo(share([-2, 3, 0], 1), 6);
    expect(found.scores[1]).toBeCloseTo(share([2, -2, 0], 0), 6);
  });
});
