/** Antialiased resizing: Pillow's `resize(…, BILINEAR)` to the bit, and what holds of any smoothing. */
import { describe, expect, it } from 'vitest';
import { createDetector } from '../../src/detector/index.ts';
import { fillImage } from '../../src/detector/preprocess/fill.ts';
import { InputBuffer } from '../../src/detector/preprocess/input.ts';
import { ResizeCache } from '../../src/detector/preprocess/resize-cache.ts';
import type { Preprocessing } from '../../src/detector/types.ts';
import { type HeadName, heads } from '../../src/heads/index.ts';
import golden from '../golden/preprocess/antialias.json' with { type: 'json' };
import * as seeded from '../golden/seeded.ts';
import { constantDetector } from './support/onnx.ts';
import { fnv } from './support/tensor.ts';

/** The golden's picture, opaque. */
function picture(seed: number, width: number, height: number): Uint8Array<ArrayBuffer> {
  const rgb = seeded.integers(seed, 3 * width * height, 256);
  const rgba = new Uint8Array(4 * width * height).fill(255);
  rgb.forEach((value, i) => {
    rgba[4 * Math.floor(i / 3) + (i % 3)] = value;
  });
  return rgba;
}

/** RGB rows of the picture resized. */
function resize(
  data: Uint8Array,
  [width, height]: readonly number[],
  [targetWidth, targetHeight]: readonly number[],
  cache = new ResizeCache(),
): Uint8Array {
  const content = { left: 0, top: 0, width: targetWidth!, height: targetHeight! };
  const out = new Float32Array(3 * targetWidth! * targetHeight!);
  const plan = {
    width: targetWidth!,
    height: targetHeight!,
    padValue: 0,
    antialias: true,
    channelOrder: 'rgb',
    mean: [0, 0, 0],
    std: [1, 1, 1],
    layout: 'nhwc',
  } as const;
  fillImage(out, 0, data, width!, height!, content, plan, cache);
  return Uint8Array.from(out);
}

const preprocessing: Required<Preprocessing> = {
  size: { width: 32, height: 24 },
  fit: 'stretch',
  padValue: 114,
  antialias: true,
  channelOrder: 'rgb',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  layout: 'nchw',
};

describe('antialiased resizing', () => {
  it.each(golden.cases)('$source → $target: the bytes of Pillow', ({ seed, source, target, hash }) => {
    const [width, height] = source;
    expect(fnv(resize(picture(seed, width!, height!), source, target))).toBe(hash);
  });

  it('gives the same bytes with one cache for all sizes, in any order', () => {
    const cache = new ResizeCache(3);
    for (const { seed, source, target, hash } of [...golden.cases, ...golden.cases].reverse()) {
      const [width, height] = source;
      if (width! * height! > 40_000) continue;
      expect(fnv(resize(picture(seed, width!, height!), source, target, cache))).toBe(hash);
    }
  });

  it.each(golden.tensors)('$source in $size, $fit, $channelOrder, $layout: the tensor of NumPy', (tensor) => {
    const { seed, source, hash, ...rest } = tensor;
    const [width, height] = source as [number, number];
    const settings = { ...preprocessing, ...rest } as unknown as Required<Preprocessing>;
    const buffer = new InputBuffer(settings, 'float32');
    buffer.reserve(1);
    buffer.fill(0, { data: picture(seed, width, height), width, height });
    const values = buffer.data();
    expect(fnv(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))).toBe(hash);
  });

  it('takes every source pixel into account when shrinking, and OpenCV does not', () => {
    // a white dot on black, 8 of 8: between the two pixels that INTER_LINEAR reads of every eight
    const data = new Uint8Array(4 * 64 * 64).fill(0);
    for (let i = 3; i < data.length; i += 4) data[i] = 255;
    data.fill(255, 4 * (64 * 17 + 17), 4 * (64 * 17 + 18));
    const sum = (antialias: boolean) => {
      const buffer = new InputBuffer(
        { ...preprocessing, antialias, size: { width: 8, height: 8 } },
        'float32',
      );
      buffer.reserve(1);
      buffer.fill(0, { data, width: 64, height: 64 });
      return (buffer.data() as Float32Array).reduce((total, value) => total + value, 0);
    };
    expect(sum(false)).toBe(0);
    expect(sum(true)).toBeGreaterThan(0);
  });

  it('keeps a flat picture flat, black to white', () => {
    for (const level of [0, 1, 127, 254, 255]) {
      for (const target of [
        [1, 1],
        [3, 50],
        [123, 7],
      ]) {
        const rows = resize(new Uint8Array(4 * 97 * 61).fill(level), [97, 61], target);
        expect([...new Set(rows)]).toEqual([level]);
      }
    }
  });

  it('fills a batch picture by picture', () => {
    const wide = { data: picture(1, 90, 40), width: 90, height: 40 };
    const tall = { data: picture(2, 41, 87), width: 41, height: 87 };
    const alone = [wide, tall].map((image) => {
      const one = new InputBuffer(preprocessing, 'float32');
      one.reserve(1);
      one.fill(0, image);
      return [...(one.data() as Float32Array)];
    });
    const both = new InputBuffer(preprocessing, 'float32');
    both.reserve(2);
    both.fill(0, wide);
    both.fill(1, tall);
    expect([...(both.data() as Float32Array)]).toEqual(alone.flat());
  });

  it('reads pixels wherever they lie in their buffer', () => {
    const data = picture(5, 31, 17);
    const shifted = new Uint8Array(data.length + 1);
    shifted.set(data, 1);
    expect(resize(shifted.subarray(1), [31, 17], [9, 9])).toEqual(resize(data, [31, 17], [9, 9]));
  });

  it('makes its tables and rows once a size', () => {
    const cache = new ResizeCache();
    expect(cache.filter(640, 320, true)).toBe(cache.filter(640, 320, true));
    expect(cache.filter(640, 320, false)).not.toBe(cache.filter(640, 320, true));
    expect(cache.rows(100)).toBe(cache.rows(50));
  });
});

describe('the option antialias', () => {
  /** Columns 0 and 3 of every four white: INTER_LINEAR reads the other two, the filter weighs all. */
  const striped = new Uint8Array(4 * 128 * 128).map((_, i) => (i % 4 === 3 || (i + 4) % 16 < 8 ? 255 : 0));
  const brightness = async (options?: Preprocessing) => {
    const detector = await createDetector({
      model: constantDetector({ seesBrightness: true }),
      ...(options === undefined ? {} : { preprocessing: options }),
    });
    const source = { data: striped, width: 128, height: 128 };
    const { scores } = await detector
      .detect([source, source], { scoreThreshold: 0.1 })
      .then(([, last]) => last!);
    detector.dispose();
    return { antialias: detector.info.preprocessing.antialias, score: scores[0] ?? 0 };
  };

  it('smooths where asked to; YOLOv8 does not otherwise', async () => {
    expect(await brightness()).toEqual({ antialias: false, score: 0 });
    expect(await brightness({ antialias: false })).toEqual({ antialias: false, score: 0 });
    for (const fit of ['stretch', 'letterbox', 'letterbox-top-left'] as const) {
      const { antialias, score } = await brightness({ antialias: true, fit });
      expect(antialias).toBe(true);
      expect(score).toBeCloseTo(0.5, 2);
    }
  });

  it('is the convention of DETR, RT-DETR, D-FINE and DEIM, which are trained on PIL images', () => {
    const names = Object.keys(heads) as HeadName[];
    const smooth = names.filter((name) => heads[name].preprocessing.antialias);
    expect(smooth.sort()).toEqual(['detr', 'detr-decoded', 'detr-softmax']);
  });
});
