import { createCanvas } from '@napi-rs/canvas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Canvas2D,
  cocoSkeleton,
  colorOf,
  contrastRatio,
  drawDetections,
  LabelPlacer,
  textColorOn,
} from '../../src/draw/index.ts';
import { maskOutline } from '../../src/draw/mask-outline.ts';
import { strokeTextWidth } from '../../src/draw/stroke-font.ts';
import { Detections, encodeRle, FrameTransform, maskContours, OptionError } from '../../src/index.ts';

const grey = 128;

function greyCanvas(width: number, height: number) {
  const context = createCanvas(width, height).getContext('2d');
  context.fillStyle = `rgb(${grey}, ${grey}, ${grey})`;
  context.fillRect(0, 0, width, height);
  return context;
}

type Context = ReturnType<typeof greyCanvas>;

function pixel(context: Context, x: number, y: number): number[] {
  return Array.from(context.getImageData(x, y, 1, 1).data.subarray(0, 3));
}

const channels = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
const untouched = [grey, grey, grey];
const oneBox = (box: readonly number[], more = {}) =>
  Detections.from({
    boxes: box,
    scores: [0.9],
    classIds: [3],
    imageSize: { width: 200, height: 100 },
    ...more,
  });

// what a browser's contexts are must fit the structural type
function fits(a: CanvasRenderingContext2D, b: OffscreenCanvasRenderingContext2D, c: Context): Canvas2D[] {
  return [a, b, c];
}

describe('drawDetections', () => {
  test('fits the contexts of browsers and of Node', () => expect(fits).toBeTypeOf('function'));

  test('strokes the box in its class colour and leaves the inside alone', () => {
    const context = greyCanvas(200, 100);
    drawDetections(context, oneBox([50, 40, 150, 80]), { lineWidth: 4, labels: false });
    for (const [x, y] of [
      [50, 60],
      [149, 60],
      [100, 40],
      [100, 79],
    ]) {
      expect(pixel(context, x, y)).toEqual(channels(colorOf(3)));
    }
    expect(pixel(context, 100, 60)).toEqual(untouched);
    expect(pixel(context, 20, 20)).toEqual(untouched);
  });

  test('follows a transform, mirror included', () => {
    const context = greyCanvas(400, 400);
    const transform = FrameTransform.toElement({
      source: { width: 200, height: 100 },
      element: { width: 400, height: 400 },
      mirror: true,
    });
    drawDetections(context, oneBox([0, 0, 50, 100]), { transform, lineWidth: 4, labels: false });
    expect(pixel(context, 300, 200)).toEqual(channels(colorOf(3)));
    expect(pixel(context, 100, 200)).toEqual(untouched);
    expect(pixel(context, 350, 101)).toEqual(channels(colorOf(3)));
  });

  test('without a transform the image fills the canvas', () => {
    const context = greyCanvas(400, 400);
    drawDetections(context, oneBox([50, 25, 150, 75]), { lineWidth: 4, labels: false });
    expect(pixel(context, 100, 200)).toEqual(channels(colorOf(3)));
    expect(pixel(context, 200, 100)).toEqual(channels(colorOf(3)));
  });

  test('tints masks and spares their holes', () => {
    const inside = (x: number, y: number) =>
      Math.hypot(x - 100, y - 50) < 40 && Math.hypot(x - 100, y - 50) > 15;
    const pixels = Uint8Array.from({ length: 20000 }, (_, i) =>
      inside(i % 200, Math.floor(i / 200)) ? 1 : 0,
    );
    const found = oneBox([60, 10, 140, 90], { masks: [encodeRle(pixels, [100, 200])] });
    const context = greyCanvas(200, 100);
    drawDetections(context, found, { boxes: false, labels: false, maskOpacity: 0.5 });
    const expected = channels(colorOf(3)).map((channel) => (channel + grey) / 2);
    const tinted = pixel(context, 125, 50);
    for (let i = 0; i < 3; i++) expect(Math.abs(tinted[i] - expected[i])).toBeLessThanOrEqual(1);
    expect(pixel(context, 100, 50)).toEqual(untouched);
    expect(pixel(context, 10, 50)).toEqual(untouched);
  });

  test('keypoints: visible ones and their limbs only', () => {
    const keypoints = new Float32Array(51);
    keypoints.set([40, 50, 2], 3 * 5);
    keypoints.set([160, 50, 2], 3 * 6);
    keypoints.set([100, 20, 0], 3 * 0);
    const context = greyCanvas(200, 100);
    drawDetections(context, oneBox([0, 0, 200, 100], { keypoints }), {
      boxes: false,
      labels: false,
      lineWidth: 4,
    });
    expect(cocoSkeleton).toContainEqual([5, 6]);
    expect(pixel(context, 100, 50)).toEqual(channels(colorOf(3)));
    expect(pixel(context, 40, 50)).toEqual([255, 255, 255]);
    expect(pixel(context, 100, 20)).toEqual(untouched);
  });

  test('rotated boxes are turned about their centre, clockwise on the screen', () => {
    const context = greyCanvas(200, 100);
    drawDetections(context, oneBox([70, 40, 130, 60], { angles: [Math.PI / 4] }), {
      lineWidth: 4,
      labels: false,
    });
    // the middle of the right side, (130, 50), turned by 45° to the lower right
    expect(pixel(context, 121, 71)).toEqual(channels(colorOf(3)));
    expect(pixel(context, 130, 50)).toEqual(untouched);
  });

  test('passes over NaN boxes and scores below the threshold', () => {
    const context = greyCanvas(200, 100);
    drawDetections(context, oneBox([Number.NaN, 0, 50, 50]));
    drawDetections(context, oneBox([0, 0, Number.POSITIVE_INFINITY, 50]));
    drawDetections(context, oneBox([10, 10, 50, 50]), { scoreThreshold: 0.9 });
    drawDetections(context, Detections.empty());
    expect(context.getImageData(0, 0, 200, 100).data.every((value, i) => i % 4 === 3 || value === grey)).toBe(
      true,
    );
  });

  test('restores the state it found, and clears when asked', () => {
    const context = greyCanvas(200, 100);
    context.lineWidth = 17;
    context.globalAlpha = 0.2; // 51/255: canvases keep it in 8 bits
    context.translate(50, 50);
    drawDetections(context, oneBox([50, 40, 150, 80]), { clear: true, labels: false });
    expect(context.lineWidth).toBe(17);
    expect(context.globalAlpha).toBeCloseTo(0.2, 6);
    expect(context.getTransform().e).toBe(50);
    expect(context.getImageData(5, 5, 1, 1).data[3]).toBe(0);
  });

  test('labels: name, track and score by default, own text, none', () => {
    const texts: string[] = [];
    const context = greyCanvas(200, 100);
    const spy = new Proxy(context, {
      get(target, key) {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (key === 'fillText') texts.push(String(args[0]));
          return (value as (...rest: unknown[]) => unknown).apply(target, args);
        };
      },
      set: (target, key, value) => Reflect.set(target, key, value),
    });
    const found = oneBox([50, 40, 150, 80], { classNames: ['a', 'b', 'c', 'dog'] });
    drawDetections(spy, found);
    drawDetections(spy, found.with({ trackIds: [7] }), { showScores: false });
    drawDetections(spy, found, {
      labels: (index, { scores }) => `no. ${index}: ${scores[index].toFixed(1)}`,
    });
    drawDetections(spy, found, { labels: () => '' });
    drawDetections(spy, found, { labels: false });
    expect(texts).toEqual(['dog 90%', 'dog #7', 'no. 0: 0.9']);
  });

  test('where the machine has no font, letters are stroked', () => {
    const context = greyCanvas(200, 100);
    const fontless = new Proxy(context, {
      get(target, key) {
        if (key === 'measureText') return () => ({ width: 0 });
        if (key === 'fillText') return () => undefined;
        const value = Reflect.get(target, key) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (target, key, value) => Reflect.set(target, key, value),
    });
    drawDetections(fontless, oneBox([50, 60, 150, 90], { classNames: ['', '', '', 'dög'] }), {
      fontSize: 20,
    });
    const width = strokeTextWidth('dog 90%', 20);
    expect(width).toBeGreaterThan(60);
    const label = context.getImageData(50, 34, Math.round(width), 22).data;
    let ink = 0;
    for (let i = 0; i < label.length; i += 4) if (label[i] + label[i + 1] + label[i + 2] < 60) ink++;
    expect(ink).toBeGreaterThan(150);
  });

  test('bad options are typed errors', () => {
    const context = greyCanvas(20, 20);
    expect(() => drawDetections(context, Detections.empty(), { lineWidth: 0 })).toThrow(OptionError);
    expect(() => drawDetections(context, Detections.empty(), { fontSize: Number.NaN })).toThrow(OptionError);
    expect(() => drawDetections(context, Detections.empty(), { maskOpacity: 2 })).toThrow(OptionError);
    expect(() => drawDetections(context, Detections.empty(), { palette: [] })).toThrow(OptionError);
    expect(() => drawDetections(context, Detections.empty(), { colorBy: 'track' })).toThrow(OptionError);
  });

  test('a palette of one’s own repeats', () => {
    const context = greyCanvas(200, 100);
    drawDetections(context, oneBox([50, 40, 150, 80]), {
      palette: ['#010203', '#040506'],
      labels: false,
      lineWidth: 4,
    });
    expect(pixel(context, 50, 60)).toEqual([4, 5, 6]);
  });
});

describe('colours', () => {
  test('the same every time, and text on them reads well', () => {
    for (let id = -5; id < 400; id++) {
      expect(colorOf(id)).toMatch(/^#[0-9a-f]{6}$/);
      expect(contrastRatio(colorOf(id), textColorOn(colorOf(id)))).toBeGreaterThanOrEqual(5);
    }
    expect([0, 1, 2].map(colorOf)).toEqual(['#ff8079', '#00b172', '#dfb2ff']);
  });

  test('the first twenty classes are all distinct to the eye', () => {
    for (let a = 0; a < 20; a++) {
      for (let b = 0; b < a; b++) {
        const [x, y] = [channels(colorOf(a)), channels(colorOf(b))];
        expect(Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]), `${a} and ${b}`).toBeGreaterThan(25);
      }
    }
  });
});

describe('label placement', () => {
  const frame = { width: 300, height: 200 };

  test('above the box where there is room, inside it at the top edge, shifted in at the right edge', () => {
    const size = { width: 60, height: 16 };
    const place = (box: [number, number, number, number]) => {
      const { x, y } = new LabelPlacer(frame).place(box, size);
      return [x, y];
    };
    expect(place([50, 50, 100, 100])).toEqual([50, 34]);
    expect(place([50, 5, 100, 100])).toEqual([50, 5]);
    expect(place([280, 50, 298, 100])).toEqual([240, 34]);
    expect(place([-40, -20, 100, 100])).toEqual([0, 0]);
  });

  test('always inside the frame; two labels of one box do not cover each other', () => {
    const coordinate = fc.integer({ min: -100, max: 400 });
    fc.assert(
      fc.property(fc.tuple(coordinate, coordinate, coordinate, coordinate), (box) => {
        const placer = new LabelPlacer(frame);
        const size = { width: 80, height: 20 };
        const [a, b, c, d] = box;
        const proper: [number, number, number, number] = [
          Math.min(a, c),
          Math.min(b, d),
          Math.max(a, c),
          Math.max(b, d),
        ];
        const first = placer.place(proper, size);
        for (const { x, y, width, height } of [first, placer.place(proper, size)]) {
          expect(x >= 0 && y >= 0 && x + width <= frame.width && y + height <= frame.height).toBe(true);
        }
      }),
    );
    const placer = new LabelPlacer(frame);
    const places = [0, 1, 2].map(() => placer.place([100, 80, 220, 150], { width: 80, height: 20 }));
    for (const [i, p] of places.entries()) {
      for (const q of places.slice(0, i)) {
        expect(
          p.x + p.width <= q.x || q.x + q.width <= p.x || p.y + p.height <= q.y || q.y + q.height <= p.y,
        ).toBe(true);
      }
    }
  });
});

describe('maskOutline', () => {
  test('equals the contours of the whole mask', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 70, maxLength: 70 }), (bits) => {
        const size = [14, 16] as const;
        const pixels = new Uint8Array(size[0] * size[1]);
        bits.forEach((bit, i) => {
          pixels[(3 + Math.floor(i / 7)) * size[1] + 5 + (i % 7)] = bit ? 1 : 0;
        });
        const mask = encodeRle(pixels, size);
        expect(maskOutline(mask)).toEqual(maskContours(mask));
      }),
    );
  });
  test('reaches every border', () => {
    const full = encodeRle(new Uint8Array(12).fill(1), [3, 4]);
    expect(maskOutline(full)).toEqual([Float32Array.of(0, 0, 4, 0, 4, 3, 0, 3)]);
    expect(maskOutline(encodeRle(new Uint8Array(12), [3, 4]))).toEqual([]);
  });
});
