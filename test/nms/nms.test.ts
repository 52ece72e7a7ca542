/** Rules of greedy suppression that a golden file does not show: ties, bad numbers, classes, limits, errors. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { nms } from '../../src/nms/index.ts';

const boxes = Float32Array.of(0, 0, 10, 10, 1, 0, 10, 10, 20, 0, 30, 10);
const scores = Float32Array.of(0.9, 0.8, 0.7);

describe.each(['javascript', 'simd'] as const)('nms: %s', (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend('auto'));

  it('keeps the best of each group, score-descending', () => {
    expect([...nms(boxes, scores)]).toEqual([0, 2]);
    expect([...nms(boxes, Float32Array.of(0.1, 0.8, 0.7))]).toEqual([1, 2]);
    expect([...nms(boxes, Float64Array.of(0.1, 0.8, 0.9))]).toEqual([2, 1]);
    expect([...nms(new Float64Array(boxes), scores)]).toEqual([0, 2]);
  });

  it('resolves ties to the lower index, -0 and 0 included', () => {
    const three = Float32Array.of(0, 0, 1, 1, 2, 0, 3, 1, 4, 0, 5, 1);
    expect([...nms(three, Float32Array.of(0.5, 0.5, 0.5))]).toEqual([0, 1, 2]);
    expect([...nms(three, Float32Array.of(-0, 0, -1))]).toEqual([0, 1, 2]);
    expect([...nms(three, Float64Array.of(-3, -0, 0))]).toEqual([1, 2, 0]);
    expect([...nms(Float32Array.of(0, 0, 1, 1, 0, 0, 1, 1), Float32Array.of(0.5, 0.5))]).toEqual([0]);
  });

  it('below a threshold of 0 one box stays, also where areas overflow float32 without an overlap to divide', () => {
    const far = Float32Array.of(0, 0, 3e38, 10, 0, 20, 3e38, 30, 50, 0, 60, 10, 5, 5, 5, 5);
    for (const options of [{ iouThreshold: -0.1 }, { iouThreshold: 0, comparator: '>=' } as const]) {
      expect([...nms(far, Float32Array.of(0.9, 0.8, 0.7, 0.6), options)]).toEqual([0]);
    }
  });

  it('reads no class beyond its own: runs of one to nine boxes', () => {
    const classIds = Int32Array.from({ length: 45 }, (_, i) => Math.floor((Math.sqrt(8 * i + 1) - 1) / 2));
    const equal = Float32Array.from({ length: 180 }, (_, k) => [3, 4, 9, 8][k & 3]!);
    const falling = Float32Array.from(classIds, (_, i) => 1 - i / 64);
    expect([...nms(equal, falling, { classIds })]).toEqual([0, 1, 3, 6, 10, 15, 21, 28, 36]);
  });

  it('keeps a box exactly at the threshold with > and drops it with >=', () => {
    const half = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 5);
    expect([...nms(half, scores.slice(0, 2), { iouThreshold: 0.5 })]).toEqual([0, 1]);
    expect([...nms(half, scores.slice(0, 2), { iouThreshold: 0.5, comparator: '>=' })]).toEqual([0]);
  });

  it('never keeps a NaN or infinite score or coordinate', () => {
    const bad = Float32Array.of(
      0,
      0,
      1,
      1,
      Number.NaN,
      0,
      3,
      1,
      4,
      0,
      Number.POSITIVE_INFINITY,
      1,
      6,
      0,
      7,
      1,
    );
    expect([...nms(bad, Float32Array.of(Number.NaN, 0.9, 0.8, 0.5))]).toEqual([3]);
    expect([
      ...nms(bad, Float32Array.of(Number.POSITIVE_INFINITY, 0.9, 0.8, Number.NEGATIVE_INFINITY)),
    ]).toEqual([]);
  });

  it('gives two boxes without area an IoU of 0', () => {
    const points = new Float32Array(8);
    expect([...nms(points, scores.slice(0, 2), { iouThreshold: 0 })]).toEqual([0, 1]);
    expect([...nms(points, scores.slice(0, 2), { iouThreshold: -0.1 })]).toEqual([0]);
    expect([...nms(points, scores.slice(0, 2), { iouThreshold: 0, comparator: '>=' })]).toEqual([0]);
  });

  it('is exact per class for any int32 id and negative coordinates', () => {
    const same = Float32Array.of(-9, -9, -1, -1, -9, -9, -1, -1, -9, -9, -1, -1);
    const classIds = Int32Array.of(2147483647, -2147483648, 2147483647);
    expect([...nms(same, scores, { classIds })]).toEqual([0, 1]);
    expect([...nms(same, scores, { classIds, scope: 'agnostic' })]).toEqual([0]);
    expect([...nms(same, scores, { classIds, maxDetections: 1 })]).toEqual([0]);
  });

  it('applies the score threshold strictly, in the precision of the scores', () => {
    const far = Float32Array.of(0, 0, 1, 1, 2, 0, 3, 1, 4, 0, 5, 1);
    expect([...nms(far, Float32Array.of(0.3, 0.31, 0.2), { scoreThreshold: 0.3 })]).toEqual([1]);
    expect([...nms(far, Float64Array.of(0.3, 0.31, 0.2), { scoreThreshold: 0.3 })]).toEqual([1]);
  });

  it('sorts scores that crowd together in the last bits, ties by lower index', () => {
    for (const count of [3, 150, 1000, 5000]) {
      const apart = Float32Array.from({ length: 4 * count }, (_, i) => 2 * (i >> 2) + (i & 2 ? 1 : 0));
      const crowded = Float32Array.from({ length: count }, (_, i) => 0.5 + ((i * 7919) % 97) * 2 ** -24);
      // far from the rest, so that they share all leading bits
      crowded[count >> 1] = 1e-30;
      crowded[0] = 1e30;
      const expected = [...crowded.keys()].sort((a, b) => crowded[b]! - crowded[a]! || a - b);
      expect([...nms(apart, crowded)]).toEqual(expected);
      const some = expected.filter((i) => crowded[i]! > Math.fround(0.500001));
      expect([...nms(apart, crowded, { scoreThreshold: 0.500001 })]).toEqual(some);
      const classIds = Int32Array.from(crowded, (_, i) => (i % 5) * 1e8 - 2e8);
      expect([...nms(apart, crowded, { classIds })]).toEqual(expected);
    }
  });

  it('cuts candidates before and detections after', () => {
    expect([...nms(boxes, scores, { maxCandidates: 2 })]).toEqual([0]);
    expect([...nms(boxes, scores, { maxDetections: 1 })]).toEqual([0]);
    expect([...nms(boxes, scores, { maxDetections: 0 })]).toEqual([]);
    expect([...nms(new Float32Array(0), new Float32Array(0))]).toEqual([]);
  });

  it('throws typed errors naming what came and what was expected', () => {
    expect(() => nms(new Float32Array(7), scores)).toThrow(ShapeError);
    expect(() => nms(boxes, new Float32Array(2))).toThrow(/scores of length 3, got 2/);
    expect(() => nms([0, 0, 1, 1] as unknown as Float32Array, scores)).toThrow(/Float32Array.*Array/);
    expect(() => nms(boxes, scores, { classIds: new Int32Array(2) })).toThrow(ShapeError);
    expect(() => nms(boxes, scores, { scope: 'class' })).toThrow(OptionError);
    expect(() => nms(boxes, scores, { iouThreshold: Number.NaN })).toThrow(OptionError);
    expect(() => nms(boxes, scores, { maxDetections: -1 })).toThrow(OptionError);
    expect(() => nms(boxes, scores, { comparator: '<' as '>' })).toThrow(OptionError);
    expect(() => nms(boxes, scores, { metric: 'nonsense' as 'iou' })).toThrow(OptionError);
    expect(() => nms(boxes, scores, { pixelOffset: 2 as 1 })).toThrow(/pixelOffset must be 0 or 1, got 2/);
  });
});
