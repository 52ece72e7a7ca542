import { describe, expect, test } from 'vitest';
import type { BoxFormat } from '../../src/index.ts';
import {
  areFinite,
  boxArea,
  boxFormats,
  boxHull,
  clipBoxes,
  convertBoxes,
  OptionError,
  removeSmallBoxes,
  ShapeError,
  scaleBoxes,
  validBoxes,
} from '../../src/index.ts';
import golden from '../golden/boxes/boxes.json' with { type: 'json' };
import { goldenBoxes } from '../golden/boxes/sequence.ts';

const inputs = () => Float64Array.from(goldenBoxes(1, golden.count));

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected[i])),
    );
  }
}

describe('convertBoxes', () => {
  for (const [pair, expected] of Object.entries(golden.convert)) {
    const [from, to] = pair.split('-') as [BoxFormat, BoxFormat];
    test(`equals torchvision box_convert, ${from} to ${to}`, () => {
      const given = Float64Array.from(Float32Array.from(convertBoxes(inputs(), 'xyxy', from)));
      expectClose(convertBoxes(given, from, to), expected);
    });
  }

  test("torchvision's own test table", () => {
    const table = {
      xyxy: [0, 0, 100, 100, 0, 0, 0, 0, 10, 15, 30, 35, 23, 35, 93, 95],
      xywh: [0, 0, 100, 100, 0, 0, 0, 0, 10, 15, 20, 20, 23, 35, 70, 60],
      cxcywh: [50, 50, 100, 100, 0, 0, 0, 0, 20, 25, 20, 20, 58, 65, 70, 60],
      yxyx: [0, 0, 100, 100, 0, 0, 0, 0, 15, 10, 35, 30, 35, 23, 95, 93],
    } as const;
    for (const [from, boxes] of Object.entries(table)) {
      for (const [to, expected] of Object.entries(table)) {
        const result = convertBoxes(new Float32Array(boxes), from as BoxFormat, to as BoxFormat);
        expect([...result]).toEqual([...expected]);
      }
    }
  });

  test('normalised formats divide x by the width and y by the height', () => {
    const box = new Float64Array([64, 48, 320, 240]);
    const size = { width: 640, height: 480 };
    expect([...convertBoxes(box, 'xyxy', 'xyxyn', size)]).toEqual([0.1, 0.1, 0.5, 0.5]);
    expect([...convertBoxes(box, 'xyxy', 'yxyxn', { width: 640, height: 240 })]).toEqual([0.2, 0.1, 1, 0.5]);
    expectClose(convertBoxes(box, 'xyxy', 'cxcywhn', size), [0.3, 0.3, 0.4, 0.4]);
    expectClose(
      convertBoxes(new Float64Array([0.3, 0.3, 0.4, 0.4]), 'cxcywhn', 'xywh', size),
      [64, 48, 256, 192],
    );
    // both sides normalised: no size is needed
    expectClose(
      convertBoxes(new Float64Array([0.3, 0.3, 0.4, 0.4]), 'cxcywhn', 'xyxyn'),
      [0.1, 0.1, 0.5, 0.5],
    );
  });

  test('keeps the element type, copies when the format stays, writes into out and in place', () => {
    const boxes = new Float32Array([10, 20, 30, 60]);
    expect(convertBoxes(boxes, 'xyxy', 'xywh')).toBeInstanceOf(Float32Array);
    expect(convertBoxes(inputs(), 'xyxy', 'xywh')).toBeInstanceOf(Float64Array);
    const copy = convertBoxes(boxes, 'xyxy', 'xyxy');
    expect(copy).not.toBe(boxes);
    expect(copy).toEqual(boxes);
    expect(convertBoxes(boxes, 'xyxy', 'cxcywh', { out: boxes })).toBe(boxes);
    expect([...boxes]).toEqual([20, 40, 20, 40]);
    expect(convertBoxes(new Float32Array(0), 'xyxy', 'xywh')).toHaveLength(0);
  });

  test('infinite and NaN coordinates stay where they are', () => {
    const box = new Float32Array([1, 2, Number.POSITIVE_INFINITY, Number.NaN]);
    expect([...convertBoxes(box, 'xyxy', 'yxyx')]).toEqual([2, 1, Number.NaN, Number.POSITIVE_INFINITY]);
    expect([...convertBoxes(box, 'xyxy', 'xywh')]).toEqual([1, 2, Number.POSITIVE_INFINITY, Number.NaN]);
  });

  test('bad input is a typed error that names what came', () => {
    expect(() => convertBoxes(new Float32Array(5), 'xyxy', 'xywh')).toThrow(ShapeError);
    expect(() => convertBoxes(new Float32Array(5), 'xyxy', 'xywh')).toThrow(
      'expected boxes of length 4·N, got 5',
    );
    expect(() => convertBoxes(new Float32Array(4), 'xyxyn', 'xywh')).toThrow(OptionError);
    expect(() => convertBoxes(new Float32Array(4), 'xyxyn', 'xywh', { width: 9 })).toThrow(
      'width and height',
    );
    expect(() => convertBoxes(new Float32Array(4), 'xyxyn', 'xywh', { width: 9, height: 0 })).toThrow(
      OptionError,
    );
    expect(() => convertBoxes(new Float32Array(4), 'toString' as BoxFormat, 'xywh')).toThrow(OptionError);
    expect(() => convertBoxes(new Float32Array(4), 'xyxy', 'xywh', { out: new Float32Array(8) })).toThrow(
      'expected out of length 4, got 8',
    );
  });
});

describe('area, clip, scale, hull', () => {
  test('boxArea equals torchvision box_area', () => {
    expectClose(boxArea(inputs()), golden.area);
  });

  test('area is the same in every format, negative for one flipped side', () => {
    const boxes = goldenBoxes(2, 20);
    const size = { width: 640, height: 480 };
    const areas = boxArea(boxes);
    for (const format of boxFormats) {
      const scale = format.endsWith('n') ? 640 * 480 : 1;
      const own = boxArea(convertBoxes(Float64Array.from(boxes), 'xyxy', format, size), { format });
      for (let i = 0; i < 20; i++) expect(own[i] * scale).toBeCloseTo(areas[i], 1);
    }
    expect([...boxArea(new Float32Array([5, 0, 0, 5, 5, 5, 0, 0]))]).toEqual([-25, 25]);
    expect([...boxArea(new Float32Array([0, 0, 9, 9]), { pixelOffset: 1 })]).toEqual([100]);
  });

  test('clipBoxes equals torchvision clip_boxes_to_image', () => {
    expectClose(clipBoxes(inputs(), { width: 640, height: 480 }), golden.clip);
  });

  test('clipping in another format is clipping in xyxy', () => {
    const size = { width: 640, height: 480 };
    for (const format of boxFormats) {
      const given = convertBoxes(inputs(), 'xyxy', format, size);
      const clipped = clipBoxes(given, size, { format });
      expectClose(convertBoxes(clipped, format, 'xyxy', size), golden.clip, 1e-9);
    }
    expect(() => clipBoxes(inputs(), { width: Number.NaN, height: 4 })).toThrow(OptionError);
  });

  test('scaleBoxes about the origin and about centres', () => {
    const box = new Float32Array([10, 10, 30, 20]);
    expect([...scaleBoxes(box, { x: 2 })]).toEqual([20, 20, 60, 40]);
    expect([...scaleBoxes(box, { x: 2, y: 1 })]).toEqual([20, 10, 60, 20]);
    expect([...scaleBoxes(box, { x: 2, y: 1, format: 'yxyx' })]).toEqual([10, 20, 30, 40]);
    expect([...scaleBoxes(box, { x: 2, about: 'centre' })]).toEqual([0, 5, 40, 25]);
    expect(() => scaleBoxes(box, { x: Number.NaN })).toThrow(OptionError);
  });

  test('boxHull surrounds what is a number', () => {
    expect(boxHull(new Float32Array(0))).toBeNull();
    expect([...boxHull(new Float32Array([0, 0, 10, 10, Number.NaN, 0, 99, 99, 5, -5, 20, 8]))!]).toEqual([
      0, -5, 20, 10,
    ]);
  });
});

describe('validity', () => {
  for (const [size, expected] of Object.entries(golden.small)) {
    test(`removeSmallBoxes equals torchvision remove_small_boxes at ${size}`, () => {
      expect([...removeSmallBoxes(inputs(), { minSize: Number(size) })]).toEqual(expected);
    });
  }

  test('a side of exactly minSize is kept by >= and not by >; non-finite boxes never are', () => {
    const boxes = new Float32Array([
      0,
      0,
      2,
      2,
      0,
      0,
      Number.NaN,
      2,
      0,
      0,
      Number.POSITIVE_INFINITY,
      5,
      3,
      3,
      1,
      1,
    ]);
    expect([...validBoxes(boxes, { minSize: 2 })]).toEqual([1, 0, 0, 0]);
    expect([...validBoxes(boxes, { minSize: 2, comparator: '>' })]).toEqual([0, 0, 0, 0]);
    expect([...validBoxes(boxes)]).toEqual([1, 0, 0, 0]);
    expect([...validBoxes(new Float32Array([5, 5, 2, 2]), { minSize: 2, format: 'cxcywh' })]).toEqual([1]);
    expect(areFinite(boxes)).toBe(false);
    expect(areFinite(boxes.subarray(0, 4))).toBe(true);
    expect(() => validBoxes(boxes, { minSize: Number.NaN })).toThrow(OptionError);
  });
});
