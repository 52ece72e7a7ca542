/** Vectors published by mmcv, ONNX and supervision (restated in the specification of the toolkits). */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { nms, onnxNms, pairwiseIou, softNms } from '../../src/index.ts';

const boxes = Float32Array.of(6, 3, 8, 7, 3, 6, 9, 11, 3, 7, 10, 12, 1, 4, 13, 7);
const scores = Float32Array.of(0.6, 0.9, 0.7, 0.2);

describe('mmcv', () => {
  it('nms', () => {
    expect([...nms(boxes, scores, { iouThreshold: 0.3 })]).toEqual([1, 0, 3]);
  });

  it.each([
    ['linear', [1, 0, 2, 3], [0.9, 0.6, 0.29024392, 0.2]],
    ['gaussian', [1, 0, 2, 3], [0.9, 0.59630775, 0.3527551, 0.18650459]],
    ['hard', [1, 0, 3], [0.9, 0.6, 0.2]],
  ] as const)('soft_nms %s', (method, indices, expected) => {
    const result = softNms(boxes, scores, {
      method,
      iouThreshold: 0.3,
      sigma: 0.5,
      scoreThreshold: 0.01,
      preset: 'mmdetection',
    });
    expect([...result.indices]).toEqual(indices);
    [...result.scores].forEach((score, i) => {
      expect(score).toBeCloseTo(expected[i]!, 6);
    });
  });
});

describe('supervision', () => {
  it('keeps two boxes at an IoU of exactly the threshold', () => {
    const half = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 5);
    expect([...nms(half, Float32Array.of(0.9, 0.8), { iouThreshold: 0.5 })]).toEqual([0, 1]);
  });

  it('IoU and IoS of two squares', () => {
    const a = Float64Array.of(100, 100, 200, 200);
    const b = Float64Array.of(150, 150, 250, 250);
    expect(pairwiseIou(a, b)[0]).toBeCloseTo(0.142857, 6);
    expect(pairwiseIou(a, b, { metric: 'ios' })[0]).toBeCloseTo(0.25, 12);
  });
});

describe('ONNX NonMaxSuppression', () => {
  const six = [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101];
  const six32 = Float32Array.from(six);
  const sixScores = Float32Array.of(0.9, 0.75, 0.6, 0.95, 0.5, 0.3);
  const one = { batches: 1, classes: 1, iouThreshold: 0.5, maxOutputBoxesPerClass: 3 };

  it('defaults return nothing', () => {
    expect([...onnxNms(six32, sixScores, { batches: 1, classes: 1 })]).toEqual([]);
    expect([...onnxNms(six32, sixScores, { ...one, maxOutputBoxesPerClass: -1 })]).toEqual([]);
  });

  it('compares with a float32 threshold, as the operator gets it: an IoU stored from 0.3 is not above 0.3', () => {
    // intersection 3, union 10; y1,x1,y2,x2
    const pair = Float32Array.of(0, 0, 6.5, 1, 3.5, 0, 10, 1);
    const threshold = { batches: 1, classes: 1, maxOutputBoxesPerClass: 2, iouThreshold: 0.3 };
    expect([...onnxNms(pair, Float32Array.of(0.9, 0.8), threshold)]).toEqual([0, 0, 0, 0, 0, 1]);
    expect([...onnxNms(Float64Array.from(pair), Float32Array.of(0.9, 0.8), threshold)]).toHaveLength(6);
    // torchvision compares the float32 IoU, a little more than 0.3, with the double
    expect([...nms(pair, Float32Array.of(0.9, 0.8), { iouThreshold: 0.3 })]).toEqual([0]);
  });

  it('filters by score, in rows of batch, class, box', () => {
    expect([...onnxNms(six32, sixScores, { ...one, scoreThreshold: 0 })]).toEqual([
      0, 0, 3, 0, 0, 0, 0, 0, 5,
    ]);
    expect([...onnxNms(six32, sixScores, { ...one, scoreThreshold: 0.4 })]).toEqual([0, 0, 3, 0, 0, 0]);
  });

  it('takes any two corners, and centres', () => {
    const flipped = six32.slice();
    for (let at = 0; at < flipped.length; at += 8) {
      [flipped[at], flipped[at + 2]] = [flipped[at + 2]!, flipped[at]!];
    }
    expect([...onnxNms(flipped, sixScores, one)]).toEqual([0, 0, 3, 0, 0, 0, 0, 0, 5]);
    const centres = Float32Array.from(
      [0.5, 0.5, 0.5, 0.6, 0.5, 0.4, 0.5, 10.5, 0.5, 10.6, 0.5, 100.5].flatMap((v, i) =>
        i % 2 === 0 ? [v] : [v, 1, 1],
      ),
    );
    expect([...onnxNms(centres, sixScores, { ...one, centerPointBox: 1 })]).toEqual([
      0, 0, 3, 0, 0, 0, 0, 0, 5,
    ]);
  });

  it('goes batch by batch, class by class', () => {
    const twice = Float32Array.from([...sixScores, ...sixScores]);
    const two = { ...one, maxOutputBoxesPerClass: 2 };
    expect([...onnxNms(six32, twice, { ...two, classes: 2 })]).toEqual([0, 0, 3, 0, 0, 0, 0, 1, 3, 0, 1, 0]);
    expect([...onnxNms(Float32Array.from([...six, ...six]), twice, { ...two, batches: 2 })]).toEqual([
      0, 0, 3, 0, 0, 0, 1, 0, 3, 1, 0, 0,
    ]);
  });

  it('refuses shapes and thresholds the operator refuses', () => {
    expect(() => onnxNms(six32, sixScores, { ...one, iouThreshold: 1.5 })).toThrow(OptionError);
    expect(() => onnxNms(six32, sixScores, { ...one, classes: 2 })).toThrow(ShapeError);
    expect(() => onnxNms(six32, sixScores, { ...one, batches: 5 })).toThrow(ShapeError);
    expect(onnxNms(new Float32Array(0), new Float32Array(0), { ...one, batches: 0 })).toHaveLength(0);
  });
});
