import { describe, expect, it } from 'vitest';
import { flattenAlpha } from '../../src/detector/preprocess/alpha.ts';
import { type FillPlan, fillImage } from '../../src/detector/preprocess/fill.ts';
import { float32ToFloat16, toFloat16Bits } from '../../src/detector/preprocess/float16.ts';
import { InputBuffer, placeImage } from '../../src/detector/preprocess/input.ts';
import { ResizeCache } from '../../src/detector/preprocess/resize-cache.ts';
import type { Preprocessing } from '../../src/detector/types.ts';
import resize from '../golden/preprocess/resize.json' with { type: 'json' };
import * as seeded from '../golden/seeded.ts';
import { integers } from './support/numbers.ts';
import { expectedHashes, fnv, tensorHashes } from './support/tensor.ts';

/** Bilinear sampling as its definition says it, one value at a time: the slow reference. */
function sample(
  data: Uint8Array,
  width: number,
  height: number,
  channel: number,
  x: number,
  y: number,
): number {
  const clamp = (value: number, limit: number) => Math.min(Math.max(value, 0), limit - 1);
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const at = (column: number, row: number) =>
    data[4 * (clamp(row, height) * width + clamp(column, width)) + channel];
  const top = at(x0, y0) * (1 - (x - x0)) + at(x0 + 1, y0) * (x - x0);
  const bottom = at(x0, y0 + 1) * (1 - (x - x0)) + at(x0 + 1, y0 + 1) * (x - x0);
  return top * (1 - (y - y0)) + bottom * (y - y0);
}

const plan: FillPlan = {
  width: 12,
  height: 10,
  padValue: 114,
  antialias: false,
  channelOrder: 'rgb',
  mean: [10, 20, 30],
  std: [50, 60, 70],
  layout: 'nchw',
};

function picture(seed: number, width: number, height: number): Uint8Array<ArrayBuffer> {
  const next = integers(seed);
  const data = new Uint8Array(4 * width * height);
  for (let i = 0; i < data.length; i++) data[i] = i % 4 === 3 ? 255 : next(256);
  return data;
}

describe('fillImage', () => {
  const placed = [
    [7, 5],
    [24, 20],
    [25, 33],
    [1, 1],
    [1, 9],
    [12, 10],
    [200, 3],
  ] as const;
  it.each(placed)(
    '%d×%d: is bilinear with half-pixel centres to a grey level, placed, normalised, in every order',
    (width, height) => {
      const data = picture(width * 100 + height, width, height);
      const content = { left: 2, top: 1, width: 9, height: 8 };
      for (const layout of ['nchw', 'nhwc'] as const) {
        for (const channelOrder of ['rgb', 'bgr'] as const) {
          const out = new Float32Array(3 * 120 + 5);
          const full = { ...plan, layout, channelOrder };
          fillImage(out, 5, data, width, height, content, full, new ResizeCache());
          for (let y = 0; y < 10; y++) {
            for (let x = 0; x < 12; x++) {
              for (let c = 0; c < 3; c++) {
                const column = x - content.left;
                const row = y - content.top;
                const inside = column >= 0 && column < 9 && row >= 0 && row < 8;
                const sx = ((column + 0.5) * width) / 9 - 0.5;
                const sy = ((row + 0.5) * height) / 8 - 0.5;
                const value = inside
                  ? sample(data, width, height, channelOrder === 'rgb' ? c : 2 - c, sx, sy)
                  : 114;
                const index = layout === 'nchw' ? c * 120 + y * 12 + x : 3 * (y * 12 + x) + c;
                const level = out[5 + index] * plan.std[c] + plan.mean[c];
                expect(Math.abs(level - Math.round(level))).toBeLessThan(1e-4);
                // half a level of rounding, 255/4096 a side of an 11-bit weight, a quarter of dropped bits
                expect(Math.abs(level - value)).toBeLessThan(0.88);
              }
            }
          }
          expect([...out.subarray(0, 5)]).toEqual([0, 0, 0, 0, 0]);
        }
      }
    },
  );

  it.each(resize.cases)('$source → $target: the bytes of cv2.resize', ({ seed, source, target, hash }) => {
    const [width, height] = source;
    const [targetWidth, targetHeight] = target;
    const rgb = seeded.integers(seed, 3 * width * height, 256);
    const rgba = new Uint8Array(4 * width * height).fill(255);
    rgb.forEach((value, i) => {
      rgba[4 * Math.floor(i / 3) + (i % 3)] = value;
    });
    const whole = { left: 0, top: 0, width: targetWidth, height: targetHeight };
    const plain = { ...plan, ...whole, mean: [0, 0, 0], std: [1, 1, 1], layout: 'nhwc' } as const;
    const out = new Float32Array(3 * targetWidth * targetHeight);
    fillImage(out, 0, rgba, width, height, whole, plain, new ResizeCache());
    expect(fnv(Uint8Array.from(out))).toBe(hash);
  });

  it('halves a picture as cv2.resize does: the mean of four', () => {
    const data = new Uint8Array([0, 0, 0, 255, 10, 1, 2, 255, 20, 3, 4, 255, 30, 8, 10, 255]);
    const out = new Float32Array(3);
    const one = { ...plan, width: 1, height: 1, mean: [0, 0, 0], std: [1, 1, 1] } as const;
    fillImage(out, 0, data, 2, 2, { left: 0, top: 0, width: 1, height: 1 }, one, new ResizeCache());
    expect([...out]).toEqual([15, 3, 4]);
  });

  it('copies a picture of the input size unchanged, wherever it lies in its buffer', () => {
    const shifted = new Uint8Array(481);
    shifted.set(picture(3, 12, 10), 1);
    const data = shifted.subarray(1);
    const out = new Float32Array(360);
    const whole = { left: 0, top: 0, width: 12, height: 10 };
    fillImage(out, 0, data, 12, 10, whole, { ...plan, mean: [0, 0, 0], std: [1, 1, 1] }, new ResizeCache());
    for (let i = 0; i < 120; i++)
      expect([out[i], out[120 + i], out[240 + i]]).toEqual([...data.subarray(4 * i, 4 * i + 3)]);
  });
});

describe('InputBuffer', () => {
  const preprocessing: Required<Preprocessing> = {
    size: { width: 32, height: 32 },
    fit: 'letterbox',
    padValue: 114,
    antialias: false,
    channelOrder: 'rgb',
    mean: [0, 0, 0],
    std: [255, 255, 255],
    layout: 'nchw',
  };

  it('puts a batch image by image, and forgets the picture before', () => {
    const one = new InputBuffer(preprocessing, 'float32');
    const wide = { data: picture(1, 40, 20), width: 40, height: 20 };
    const tall = { data: picture(2, 20, 40), width: 20, height: 40 };
    one.reserve(1);
    one.fill(0, wide);
    const first = one.data().slice();
    one.fill(0, tall);
    const second = one.data().slice();
    const both = new InputBuffer(preprocessing, 'float32');
    both.reserve(2);
    both.fill(0, tall);
    both.fill(1, tall);
    both.fill(0, wide);
    expect([...both.data()]).toEqual([...first, ...second]);
    expect(both.dims(2)).toEqual([2, 3, 32, 32]);
  });

  it('gives float16 as bits and uint8 rounded', () => {
    const image = { data: picture(1, 40, 20), width: 40, height: 20 };
    const values = new InputBuffer(preprocessing, 'float32');
    const halves = new InputBuffer(preprocessing, 'float16');
    const bytes = new InputBuffer({ ...preprocessing, std: [1, 1, 1] }, 'uint8');
    for (const buffer of [values, halves, bytes]) {
      buffer.reserve(1);
      buffer.fill(0, image);
    }
    const expected = values.data();
    const raw = halves.data();
    const bits = raw instanceof Uint16Array ? raw : new Uint16Array(raw.buffer);
    expect([...bits]).toEqual(Array.from(expected, toFloat16Bits));
    const rounded = bytes.data();
    for (let i = 0; i < rounded.length; i++)
      expect(Math.abs(rounded[i] - 255 * expected[i])).toBeLessThanOrEqual(0.501);
  });

  it('gives the same bits in every runtime', () => {
    expect(tensorHashes()).toEqual(expectedHashes);
  });

  it('places by the fit', () => {
    const source = { width: 40, height: 20 };
    const at = (fit: 'stretch' | 'letterbox' | 'letterbox-top-left') => {
      const t = placeImage(source, { ...preprocessing, fit });
      // + 0: no minus zero
      return [t.contentX + 0, t.contentY + 0, t.contentWidth, t.contentHeight];
    };
    expect(at('stretch')).toEqual([0, 0, 32, 32]);
    expect(at('letterbox')).toEqual([0, 8, 32, 16]);
    expect(at('letterbox-top-left')).toEqual([0, 0, 32, 16]);
  });
});

describe('float16', () => {
  it('rounds to nearest even at every magnitude', () => {
    const cases: [number, number][] = [
      [0, 0],
      [-0, 0x8000],
      [1, 0x3c00],
      [-2, 0xc000],
      [65504, 0x7bff],
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [Number.POSITIVE_INFINITY, 0x7c00],
      [2 ** -14, 0x0400],
      [2 ** -24, 0x0001],
      [2 ** -25, 0x0000],
      [2 ** -25 * 1.0001, 0x0001],
      [1.5 * 2 ** -24, 0x0002],
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [2 - 2 ** -11, 0x4000],
    ];
    for (const [value, bits] of cases) expect([value, toFloat16Bits(value)]).toEqual([value, bits]);
    expect(toFloat16Bits(Number.NaN) & 0x7fff).toBeGreaterThan(0x7c00);
  });

  it('keeps every binary16 number', () => {
    const values = new Float32Array(0x7c00);
    for (let bits = 0; bits < 0x7c00; bits++) {
      const exponent = bits >> 10;
      const mantissa = bits & 0x3ff;
      values[bits] = exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
    }
    const out = new Uint16Array(values.length);
    float32ToFloat16(values, out);
    expect(out.every((bits, index) => bits === index)).toBe(true);
  });
});

describe('flattenAlpha', () => {
  it('composites on white and leaves opaque pixels alone', () => {
    const opaque = new Uint8Array([1, 2, 3, 255]);
    expect(flattenAlpha(opaque)).toBe(opaque);
    expect([...flattenAlpha(new Uint8Array([0, 100, 200, 0, 0, 100, 255, 51, 7, 8, 9, 255]))]).toEqual([
      255, 255, 255, 255, 204, 224, 255, 255, 7, 8, 9, 255,
    ]);
    const odd = new Uint8Array([9, 0, 0, 0, 0, 1, 2, 3, 255]).subarray(1);
    expect([...flattenAlpha(odd)]).toEqual([255, 255, 255, 255, 1, 2, 3, 255]);
  });
});
