/** What heads promise besides their formula: element types, batches, NaN, wrong layouts, filters, reuse of scratch. */
import { describe, expect, test } from 'vitest';
import { LayoutError, OptionError, ShapeError } from '../../src/errors.ts';
import {
  decode,
  decodeDetr,
  decodeDetrDecoded,
  decodeEndToEnd,
  decodeYolov5,
  decodeYolov8,
  decodeYolox,
  type HeadName,
  heads,
  type TensorLike,
} from '../../src/heads/index.ts';
import { readColumn } from '../../src/heads/tensor.ts';
import { toHalf } from './tensors.ts';

const input = { width: 64, height: 64 };
/** 64×64 has 64 + 16 + 4 cells. */
const cells = 84;

function tensor(dims: readonly number[], data?: ArrayLike<number>): TensorLike & { data: Float32Array } {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return { dims, data: data === undefined ? new Float32Array(count) : Float32Array.from(data) };
}

/** A YOLOv8 output of two classes with one box a given anchor. */
function yolov8Output(
  found: readonly { anchor: number; box: readonly number[]; scores: readonly number[] }[],
) {
  const output = tensor([1, 6, cells]);
  for (const { anchor, box, scores } of found) {
    [...box, ...scores].forEach((value, row) => {
      output.data[row * cells + anchor] = value;
    });
  }
  return { output0: output };
}

function layoutErrorOf(run: () => unknown): LayoutError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(LayoutError);
    return error as LayoutError;
  }
  throw new Error('expected a LayoutError');
}

describe('element types', () => {
  test('every float16 bit pattern is read as the number it stands for', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const column = readColumn({ dims: [65536], data: bits }, 0, 65536);
    expect([column[0x3c00], column[0xc000], column[0x7bff], column[1], column[0x0400]]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      2 ** -14,
    ]);
    expect([column[0x7c00], column[0xfc00]]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(column[0x7e00]).toBeNaN();
    for (let i = 0; i < 0x7c00; i++) expect(toHalf(column[i]!)).toBe(i);
  });

  test('float16 as a Float16Array-like view of two bytes an element', () => {
    // Node 20 has no Float16Array: any typed array of numbers is read by value
    const values = Float64Array.from([0.5, -2, 300]);
    expect(Array.from(readColumn({ dims: [3], data: values, type: 'float16' }, 0, 3))).toEqual([
      0.5, -2, 300,
    ]);
  });

  test('int64 beyond 32 bits and below zero, int32, and a part of a tensor', () => {
    const data = BigInt64Array.from([7n, -1n, 1n << 40n, -(1n << 33n) - 5n]);
    expect(Array.from(readColumn({ dims: [4], data }, 1, 3))).toEqual(
      [-1, 2 ** 40, -(2 ** 33) - 5].map(Math.fround),
    );
    expect(Array.from(readColumn({ dims: [2, 2], data: Int32Array.from([1, 2, 3, 4]) }, 2, 2))).toEqual([
      3, 4,
    ]);
  });

  test('data shorter than the dims is a ShapeError, strings are a LayoutError', () => {
    expect(() => readColumn({ dims: [1, 6, 84], data: new Float32Array(5) }, 0, 5)).toThrow(ShapeError);
    expect(() => readColumn({ dims: [-1, 2], data: new Float32Array(2) }, 0, 2)).toThrow(ShapeError);
    const strings = { dims: [1], data: ['a'], type: 'string' };
    expect(() => readColumn(strings, 0, 1)).toThrow(LayoutError);
  });

  test('labels may be int64, int32 or, with names, float32', () => {
    const boxes = tensor([1, 2, 4], [0, 0, 8, 8, 1, 1, 9, 9]);
    const scores = tensor([1, 2], [0.9, 0.4]);
    for (const data of [BigInt64Array.from([3n, 5n]), Int32Array.from([3, 5]), Float32Array.from([3, 5])]) {
      const { classIds } = decodeDetrDecoded({ labels: { dims: [1, 2], data }, boxes, scores }, { input });
      expect(Array.from(classIds)).toEqual([3, 5]);
    }
  });
});

describe('numbers that are not finite', () => {
  const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

  test.each(bad)('a coordinate of %s drops the row and counts it', (value) => {
    const output = yolov8Output([
      { anchor: 3, box: [value, 8, 4, 4], scores: [0.9, 0.1] },
      { anchor: 5, box: [8, 8, 4, 4], scores: [0.1, 0.8] },
    ]);
    const found = decodeYolov8(output, { input });
    expect([found.count, found.dropped, found.classIds[0]]).toEqual([1, 1, 1]);
    expect(Array.from(found.boxes)).toEqual([6, 6, 10, 10]);
  });

  const prototypes = tensor([1, 4, 8, 8]);
  /** Heads with further columns: three rows of score 0.9, 0.8, 0.7; where element `k` of row `r` lies; the further ones. */
  const columnMajor = (rows: number) => ({
    dims: [1, rows, cells],
    at: (r: number, k: number) => k * cells + r,
  });
  const rowMajor = (columns: number) => ({
    dims: [1, cells, columns],
    at: (r: number, k: number) => r * columns + k,
  });
  test.each([
    ['yolov8-seg', columnMajor(9), [4], 5],
    ['yolov8-pose', columnMajor(14), [4], 5],
    ['yolov8-obb', columnMajor(6), [4], 5],
    ['yolov5-seg', rowMajor(10), [4, 5], 6],
    ['end-to-end-seg', { ...rowMajor(10), dims: [1, 3, 10] }, [4], 6],
    ['end-to-end-pose', { ...rowMajor(12), dims: [1, 3, 12] }, [4], 6],
    ['end-to-end-obb', { ...rowMajor(7), dims: [1, 3, 7] }, [4], 6],
    ['retinaface', { ...rowMajor(16), dims: [1, 168, 16] }, [5], 6],
  ] as const)(
    '%s: a further number that is not finite drops the row and counts it',
    (head, layout, ones, further) => {
      for (const value of bad) {
        const output = tensor(layout.dims);
        for (let r = 0; r < 3; r++) {
          for (let k = 0; k < 4; k++) output.data[layout.at(r, k)] = 1 + r + 8 * Number(k > 1);
          for (const k of ones) output.data[layout.at(r, k)] = 0.9 - 0.1 * r;
        }
        output.data[layout.at(1, further)] = value;
        const outputs = { output, ...(head.endsWith('-seg') && { prototypes }) };
        const options = { input, classCount: 1, scoreThreshold: 0.4 };
        const found = decode(head, outputs, options);
        expect([found.count, found.dropped], String(value)).toEqual([2, 1]);
        expect(Array.from(found.scores)).toEqual(
          Array.from([0, 2], (r) => {
            const score = Math.fround(0.9 - 0.1 * r);
            return head === 'yolov5-seg' ? Math.fround(score * score) : score;
          }),
        );
        for (const name of ['boxes', 'classIds', 'keypoints', 'angles', 'maskCoefficients'] as const) {
          const column = found[name];
          if (column === undefined) continue;
          expect(Array.from(column).every(Number.isFinite), name).toBe(true);
          expect(column.length % 2, name).toBe(0);
        }
        output.data[layout.at(1, further)] = 0;
        const all = decode(head, outputs, options);
        expect([all.count, all.dropped]).toEqual([3, 0]);
        expect(Array.from(found.boxes)).toEqual([...all.boxes.subarray(0, 4), ...all.boxes.subarray(8)]);
      }
    },
  );

  test('outputs full of NaN give no candidate and say so, in every head', () => {
    const nan = (dims: readonly number[]) => {
      const filled = tensor(dims);
      filled.data.fill(Number.NaN);
      return filled;
    };
    const outputs: [HeadName, Record<string, TensorLike>][] = [
      ['yolov8', { a: nan([1, 6, cells]) }],
      ['yolov5', { a: nan([1, cells, 7]) }],
      ['yolox', { a: nan([1, cells, 7]) }],
      ['end-to-end', { a: nan([1, 10, 6]) }],
      ['detr', { logits: nan([1, 10, 3]), boxes: nan([1, 10, 4]) }],
      ['detr-softmax', { logits: nan([1, 10, 3]), boxes: nan([1, 10, 4]) }],
      [
        'detr-decoded',
        { labels: { dims: [1, 5], data: new Int32Array(5) }, boxes: nan([1, 5, 4]), scores: nan([1, 5]) },
      ],
    ];
    for (const [head, tensors] of outputs) {
      const found = decode(head, tensors, { input });
      expect([head, found.count], head).toEqual([head, 0]);
      expect(found.dropped, head).toBeGreaterThan(0);
    }
  });

  test('an infinite score is no candidate; exp overflow of a YOLOX size drops its row', () => {
    const infinite = yolov8Output([{ anchor: 0, box: [8, 8, 4, 4], scores: [Number.POSITIVE_INFINITY, 0] }]);
    expect(decodeYolov8(infinite, { input })).toMatchObject({ count: 0, dropped: 1 });
    const output = tensor([1, cells, 6]);
    output.data.set([0, 0, 1000, 0, 1, 1]);
    expect(decodeYolox({ output }, { input })).toMatchObject({ count: 0, dropped: 1 });
  });
});

describe('a wrong layout is a LayoutError that names dims and the head that fits', () => {
  const at640 = { input: { width: 640, height: 640 } };
  const yolov8 = { output0: tensor([1, 84, 8400]) };
  const yolov5 = { output: tensor([1, 25200, 85]) };
  const yolox = { output: tensor([1, 8400, 85]) };
  const oneClass = { output0: tensor([1, 8400, 5]) };
  const rows = { output0: tensor([1, 300, 6]) };
  const detr = { pred_logits: tensor([1, 300, 80]), pred_boxes: tensor([1, 300, 4]) };
  const prototypes = { output1: tensor([1, 32, 16, 16]) };
  const masks = { output0: tensor([1, 116, 8400]), ...prototypes };
  const maskRows = { output0: tensor([1, 25200, 117]), ...prototypes };
  const maskPicks = { output0: tensor([1, 300, 38]), ...prototypes };
  const ssd = { loc: tensor([1, 8732, 4]), conf: tensor([1, 8732, 91]) };
  const decoded = { labels: tensor([1, 300]), boxes: tensor([1, 300, 4]), scores: tensor([1, 300]) };

  const table: [string, () => unknown, string, string[]][] = [
    ['yolov8 ← yolov5', () => decodeYolov8(yolov5, at640), '[1,25200,85]', ['yolov5']],
    ['yolov8 ← yolox', () => decodeYolov8(yolox, at640), '[1,8400,85]', ['yolox', 'yolov5', 'yolov8-rows']],
    ['yolov8 ← one class', () => decodeYolov8(oneClass, at640), '[1,8400,5]', ['yolov8-rows']],
    ['yolov8 ← detr', () => decodeYolov8(decoded, at640), '[1,300,4]', ['detr-decoded']],
    ['yolov5 ← yolov8', () => decodeYolov5(yolov8, at640), '[1,84,8400]', ['yolov8']],
    ['yolox ← yolov8', () => decodeYolox(yolov8, at640), '[1,84,8400]', ['yolov8']],
    ['yolox ← yolov5', () => decodeYolox(yolov5, at640), '[1,25200,85]', ['yolov5']],
    ['end-to-end ← yolov8', () => decodeEndToEnd(yolov8, at640), '[1,84,8400]', ['yolov8']],
    ['detr ← end-to-end', () => decodeDetr(rows, at640), '[1,300,6]', ['end-to-end']],
    ['detr-decoded ← detr', () => decodeDetrDecoded(detr, at640), '[1,300,80]', ['detr', 'detr-softmax']],
    ['yolov5 ← masks', () => decodeYolov5(masks, at640), '[1,116,8400]', ['yolov8-seg']],
    ['yolov8 ← masks by row', () => decodeYolov8(maskRows, at640), '[1,25200,117]', ['yolov5-seg']],
    ['yolox ← end-to-end masks', () => decodeYolox(maskPicks, at640), '[1,300,38]', ['end-to-end-seg']],
    ['centernet ← SSD', () => decode('centernet', ssd, at640), '[1,8732,91]', ['ssd', 'detr']],
  ];
  test.each(table)('%s', (_, run, dims, fits) => {
    const error = layoutErrorOf(run);
    expect(error.message).toContain(dims);
    expect(error.message).toContain('expected [N'.slice(0, 8));
    expect(error.details.fits).toEqual(expect.arrayContaining(fits));
    for (const name of fits) expect(error.message).toContain(name);
  });

  test('decode() tries every head: NanoDet levels given to CenterNet', () => {
    const levels = Object.fromEntries(
      [8, 16, 32].flatMap((stride) => {
        const rows = (64 / stride) ** 2;
        return [
          [`cls_${stride}`, tensor([1, rows, 80])],
          [`dis_${stride}`, tensor([1, rows, 32])],
        ];
      }),
    );
    const error = layoutErrorOf(() => decode('centernet', levels, { input }));
    expect(error.details.fits).toContain('nanodet');
    expect(error.message).toContain('nanodet');
  });

  test('masks without prototypes', () => {
    const rows = { output0: tensor([1, 100, 5]) };
    for (const head of ['end-to-end-seg', 'yolov8-seg', 'yolov5-seg'] as const) {
      expect(layoutErrorOf(() => heads[head].decode(rows, { input })).message).toContain('prototypes');
    }
  });

  test('no outputs at all', () => {
    expect(layoutErrorOf(() => decodeYolov8({}, at640)).message).toContain('no outputs');
  });

  test('YOLOX names the number of cells it expected', () => {
    expect(layoutErrorOf(() => decodeYolox({ a: tensor([1, 100, 85]) }, at640)).message).toContain('8400');
  });
});

test('DETR with four classes: names tell logits from boxes, else boxes come last', () => {
  const logits = tensor([1, 2, 4], [9, -9, -9, -9, -9, -9, -9, 9]);
  const boxes = tensor([1, 2, 4], [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5]);
  for (const outputs of [
    { pred_boxes: boxes, pred_logits: logits },
    { a: logits, b: boxes },
  ]) {
    const found = decodeDetr(outputs, { input, classCount: 4 });
    expect(Array.from(found.classIds)).toEqual([0, 3]);
    expect(Array.from(found.boxes)).toEqual([16, 16, 48, 48, 0, 0, 32, 32]);
  }
});

describe('options', () => {
  const found = [
    { anchor: 2, box: [8, 8, 4, 4], scores: [0.5, 0.5] },
    { anchor: 1, box: [8, 8, 4, 4], scores: [0.25, 0.26] },
  ];

  test('the threshold is strict, ties between classes go to the lower id, rows come in anchor order', () => {
    const result = decodeYolov8(yolov8Output(found), { input, scoreThreshold: 0.26 });
    expect(Array.from(result.classIds)).toEqual([0]);
    const all = decodeYolov8(yolov8Output(found), { input, scoreThreshold: 0.25, multiLabel: true });
    expect(Array.from(all.classIds)).toEqual([1, 0, 1]);
  });

  test('classes filter what the unfiltered call gives: a box whose best class is another stays out', () => {
    const output = yolov8Output([{ anchor: 0, box: [8, 8, 4, 4], scores: [0.9, 0.8] }]);
    expect(decodeYolov8(output, { input, classes: [1] }).count).toBe(0);
    expect(decodeYolov8(output, { input, classes: [1], multiLabel: true }).count).toBe(1);
    expect(decodeYolov8(output, { input, classes: [] }).count).toBe(0);
  });

  test('classCount leaves further rows out', () => {
    const output = yolov8Output([{ anchor: 0, box: [8, 8, 4, 4], scores: [0.3, 0.9] }]);
    expect(Array.from(decodeYolov8(output, { input, classCount: 1 }).classIds)).toEqual([0]);
  });

  test('an image outside the batch is an OptionError, an unknown head too', () => {
    expect(() => decodeYolov8(yolov8Output([]), { input, image: 1 })).toThrow(OptionError);
    expect(() => decode('yolov99' as HeadName, {}, { input })).toThrow(/yolov8.*yolov99/);
  });

  test('decoded YOLOX reads pixels, raw YOLOX the grid', () => {
    const output = tensor([1, cells, 6]);
    // the first cell of stride 16 is row 64
    output.data.set([0.5, 0.5, 0, 0, 1, 1], 64 * 6);
    expect(Array.from(decodeYolox({ output }, { input }).boxes)).toEqual([0, 0, 16, 16]);
    expect(Array.from(decodeYolox({ output }, { input, decoded: true }).boxes)).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});

test('results are copies: a later call does not change them, and scratch only grows', () => {
  const first = decodeYolov8(yolov8Output([{ anchor: 0, box: [8, 8, 4, 4], scores: [0.9, 0] }]), { input });
  const copy = { boxes: first.boxes.slice(), scores: first.scores.slice() };
  decodeYolov8(yolov8Output([{ anchor: 1, box: [30, 30, 8, 8], scores: [0, 0.7] }]), { input });
  expect(first.boxes).toEqual(copy.boxes);
  expect(first.scores).toEqual(copy.scores);
});
