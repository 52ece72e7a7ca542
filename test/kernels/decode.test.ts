/** The best class of every anchor: SIMD and JavaScript pick the same, ties and NaN included. */
import { afterEach, describe, expect, it } from 'vitest';
import { decodeYolov8 } from '../../src/heads/index.ts';
import { setBackend } from '../../src/kernels/index.ts';

afterEach(() => setBackend('auto'));

function outputOf(anchors: number, classes: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: (4 + classes) * anchors }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (i < 4 * anchors) return (state >>> 8) / 2 ** 16;
    // Few values, so that classes tie; now and then no number.
    return state % 997 === 0 ? Number.NaN : Math.floor(state / 2 ** 28) / 16;
  });
}

describe('decodeYolov8', () => {
  it.each([
    [8400, 80],
    [2100, 80],
    [8401, 3],
    [70_001, 2],
    [525, 1],
  ])('%i anchors, %i classes', (anchors, classes) => {
    const data = outputOf(anchors, classes, anchors + classes);
    for (const [scoreThreshold, multiLabel] of [
      [0.25, false],
      [0.8, false],
      [0.9, true],
    ] as const) {
      const decode = (backend: 'simd' | 'javascript') => {
        setBackend(backend);
        return decodeYolov8(
          { output0: { data, dims: [1, 4 + classes, anchors], type: 'float32' } },
          { input: { width: 640, height: 640 }, scoreThreshold, multiLabel, classCount: classes },
        );
      };
      expect(decode('simd')).toEqual(decode('javascript'));
    }
  });
});
