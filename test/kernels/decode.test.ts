/** The best class of every anchor: SIMD and JavaScript pick the same, ties and NaN included. */
import { afterEach, describe, expect, it } from 'vitest';
import { decodeYolov8 } from '../../src/heads/index.ts';
import { bestClasses } from '../../src/kernels/decode.ts';
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

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** The same, restated: anchor by anchor. */
function plainly(
  data: Float32Array,
  anchors: number,
  classes: number,
  threshold: number,
  multiLabel: boolean,
) {
  const floor = Math.fround(threshold);
  const classIds: number[] = [];
  const scores: number[] = [];
  let dropped = 0;
  for (let a = 0; a < anchors; a++) {
    if (Number.isNaN(data[4 * anchors + a])) dropped++;
    let best = -1;
    for (let c = 0; c < classes; c++) {
      const score = data[(4 + c) * anchors + a]!;
      if (!(score > (best < 0 || multiLabel ? floor : data[(4 + best) * anchors + a]!))) continue;
      best = c;
      if (multiLabel) {
        classIds.push(c);
        scores.push(score);
      }
    }
    if (best < 0 || multiLabel) continue;
    classIds.push(best);
    scores.push(data[(4 + best) * anchors + a]!);
  }
  return {
    classIds: Int32Array.from(classIds),
    scores: Float32Array.from(scores),
    dropped,
    count: scores.length,
  };
}

describe('decodeYolov8', () => {
  it.each([
    [8400, 80],
    [2100, 80],
    [8401, 3],
    [70_001, 2],
    [4099, 7],
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
      const [found, twin] = [decode('simd'), decode('javascript')];
      const expected = plainly(data, anchors, classes, scoreThreshold, multiLabel);
      for (const name of ['boxes', 'scores', 'classIds'] as const) {
        expect(bytesOf(found[name]).equals(bytesOf(twin[name])), name).toBe(true);
        if (name !== 'boxes') expect(bytesOf(found[name]).equals(bytesOf(expected[name])), name).toBe(true);
      }
      expect([found.count, found.dropped]).toEqual([expected.count, expected.dropped]);
      expect(twin.dropped).toBe(expected.dropped);
    }
  });
});

describe('bestClasses', () => {
  it.each([
    [33, 512],
    [35, 500],
    [31, 600],
    [3, 6000],
  ])('%i anchors, %i classes', (anchors, classes) => {
    const data = outputOf(anchors, classes, anchors);
    const { classIds, scores, dropped } = plainly(data, anchors, classes, 0.8, false);
    for (const backend of ['simd', 'javascript'] as const) {
      setBackend(backend);
      const found: number[][] = [];
      const broken = bestClasses(data, 4 * anchors, anchors, classes, Math.fround(0.8), (_, ...rest) => {
        found.push(rest);
      });
      expect(found).toEqual([...classIds].map((classId, i) => [classId, scores[i]]));
      expect(broken).toBe(dropped);
    }
  });
});
