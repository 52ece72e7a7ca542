import { describe, expect, test } from 'vitest';
import { FrameTransform, OptionError, ShapeError } from '../../src/index.ts';
import golden from '../golden/boxes/boxes.json' with { type: 'json' };

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected[i])),
    );
  }
}

const content = (t: FrameTransform) => [t.contentX, t.contentY, t.contentWidth, t.contentHeight];

describe('letterbox', () => {
  test(`geometry equals Ultralytics LetterBox and YOLOX preproc on ${golden.letterbox.length} pairs of sizes`, () => {
    expect(golden.letterbox.length).toBeGreaterThan(150);
    for (const { sizes, full, auto, down, topLeft } of golden.letterbox) {
      const source = { width: sizes[0], height: sizes[1] };
      const target = { width: sizes[2], height: sizes[3] };
      const label = sizes.join(' ');
      const centred = FrameTransform.letterbox({ source, target });
      expect(content(centred), label).toEqual(full.content);
      expect([centred.target.width, centred.target.height], label).toEqual(full.target);
      const strided = FrameTransform.letterbox({ source, target, stride: 32 });
      expect(content(strided), label).toEqual(auto.content);
      expect([strided.target.width, strided.target.height], label).toEqual(auto.target);
      expect(content(FrameTransform.letterbox({ source, target, scaleUp: false })), label).toEqual(
        down.content,
      );
      const corner = FrameTransform.letterbox({ source, target, align: 'top-left' });
      expect(content(corner), label).toEqual([0, 0, ...topLeft]);
    }
  });

  test("inverse 'ultralytics' equals scale_boxes with its clip", () => {
    for (const { sizes, scaled } of golden.letterbox) {
      const [width, height] = [sizes[2], sizes[3]];
      const transform = FrameTransform.letterbox({
        source: { width: sizes[0], height: sizes[1] },
        target: { width, height },
        inverse: 'ultralytics',
      });
      const box = new Float64Array([width * 0.25, height * 0.375, width * 0.625, height * 0.875]);
      const back = transform.toImage(box, { clip: true });
      expectNear(back, scaled, 1e-9);
    }
  });

  test('exact: the corners of the content are the corners of the image', () => {
    const transform = FrameTransform.letterbox({
      source: { width: 427, height: 640 },
      target: { width: 416, height: 416 },
    });
    expect(content(transform)).toEqual([69, 0, 278, 416]);
    const [x, y, width, height] = content(transform);
    expect([...transform.toImage(new Float32Array([x, y, x + width, y + height]))]).toEqual([0, 0, 427, 640]);
    expect([...transform.toModel(new Float32Array([0, 0, 427, 640]))]).toEqual([69, 0, 347, 416]);
  });

  test('exact and ultralytics differ by at most one pixel of the input', () => {
    for (const { sizes } of golden.letterbox) {
      const source = { width: sizes[0], height: sizes[1] };
      const target = { width: sizes[2], height: sizes[3] };
      const image = new Float64Array([0, 0, sizes[0], sizes[1]]);
      const exact = FrameTransform.letterbox({ source, target }).toModel(image);
      const library = FrameTransform.letterbox({ source, target, inverse: 'ultralytics' }).toModel(image);
      for (let i = 0; i < 4; i++) expect(Math.abs(exact[i] - library[i])).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  test('an extreme image keeps at least one pixel', () => {
    const t = FrameTransform.letterbox({
      source: { width: 10000, height: 1 },
      target: { width: 64, height: 64 },
    });
    expect(content(t)).toEqual([0, 31, 64, 1]);
  });

  test('bad options are typed errors', () => {
    const source = { width: 10, height: 10 };
    const target = { width: 0, height: 10 };
    expect(() => FrameTransform.letterbox({ source, target })).toThrow(OptionError);
    expect(() => FrameTransform.letterbox({ source: target, target: source })).toThrow(
      'expected source of finite width',
    );
    expect(() => FrameTransform.letterbox({ source, target: source, stride: 0 })).toThrow(OptionError);
    // @ts-expect-error an unknown alignment
    expect(() => FrameTransform.letterbox({ source, target: source, align: 'left' })).toThrow(OptionError);
    // @ts-expect-error an unknown inverse
    expect(() => FrameTransform.letterbox({ source, target: source, inverse: 'gain' })).toThrow(OptionError);
    // @ts-expect-error an unknown rounding
    expect(() => FrameTransform.letterbox({ source, target: source, rounding: 'up' })).toThrow(OptionError);
    // @ts-expect-error what every object has is no rounding either
    expect(() => FrameTransform.letterbox({ source, target: source, rounding: 'toString' })).toThrow(
      "rounding: expected 'half-even' or 'floor' or 'half-up', got toString",
    );
    const transform = FrameTransform.identity(source);
    expect(() => transform.toModel(new Float32Array(3))).toThrow(ShapeError);
    expect(() => transform.pointsToImage(new Float32Array(4), { stride: 3 })).toThrow(ShapeError);
  });
});

describe('stretch, formats, points', () => {
  const transform = FrameTransform.stretch({
    source: { width: 640, height: 480 },
    target: { width: 320, height: 320 },
  });

  test('each axis has its own scale', () => {
    expect([...transform.toModel(new Float32Array([64, 48, 640, 480]))]).toEqual([32, 32, 320, 320]);
    expect(content(transform)).toEqual([0, 0, 320, 320]);
  });

  test('other formats, normalised to the frame they are in', () => {
    const decoded = new Float64Array([0.5, 0.5, 0.25, 0.5]);
    expect([...transform.toImage(decoded, { format: 'cxcywhn' })]).toEqual([0.5, 0.5, 0.25, 0.5]);
    expect([...transform.toImage(new Float32Array([160, 160, 80, 160]), { format: 'cxcywh' })]).toEqual([
      320, 240, 160, 240,
    ]);
    expect([...transform.toImage(new Float32Array([80, 120, 160, 200]), { format: 'yxyx' })]).toEqual([
      120, 240, 240, 400,
    ]);
  });

  test('clip keeps boxes and points in the image', () => {
    expect([...transform.toImage(new Float32Array([-5, -5, 400, 400]), { clip: true })]).toEqual([
      0, 0, 640, 480,
    ]);
    expect([...transform.pointsToImage(new Float32Array([-5, 400, 0.5]), { clip: true, stride: 3 })]).toEqual(
      [0, 480, 0.5],
    );
  });

  test('points carry their visibility along', () => {
    const points = new Float32Array([64, 48, 2, 640, 480, 0]);
    const there = transform.pointsToModel(points, { stride: 3 });
    expect([...there]).toEqual([32, 32, 2, 320, 320, 0]);
    expect([...transform.pointsToImage(there, { stride: 3, out: there })]).toEqual([...points]);
  });
});

describe('toElement', () => {
  const source = { width: 640, height: 480 };
  const element = { width: 800, height: 400 };
  const framed = (objectFit: 'contain' | 'cover' | 'fill' | 'none' | 'scale-down', more = {}) =>
    FrameTransform.toElement({ source, element, objectFit, ...more });
  const corner = (t: FrameTransform) =>
    [...t.toModel(new Float64Array([0, 0, 640, 480]))].map((v) => Math.round(100 * v) / 100);

  test('object-fit', () => {
    expect(corner(framed('contain'))).toEqual([133.33, 0, 666.67, 400]);
    expect(corner(framed('cover'))).toEqual([0, -100, 800, 500]);
    expect(corner(framed('fill'))).toEqual([0, 0, 800, 400]);
    expect(corner(framed('none'))).toEqual([80, -40, 720, 440]);
    expect(corner(framed('scale-down'))).toEqual([133.33, 0, 666.67, 400]);
    const roomy = { element: { width: 1000, height: 1000 } };
    expect(corner(framed('scale-down', roomy))).toEqual([180, 260, 820, 740]);
  });

  test('object-position as fractions, lengths and keywords', () => {
    expect(corner(framed('contain', { objectPosition: { x: 0, y: 0 } }))).toEqual([0, 0, 533.33, 400]);
    expect(corner(framed('contain', { objectPosition: '100% 50%' }))).toEqual([266.67, 0, 800, 400]);
    expect(corner(framed('contain', { objectPosition: 'right top' }))).toEqual([266.67, 0, 800, 400]);
    expect(corner(framed('none', { objectPosition: '10px -5px' }))).toEqual([10, -5, 650, 475]);
    expect(corner(framed('cover', { objectPosition: 'bottom' }))).toEqual([0, -200, 800, 400]);
    expect(() => framed('none', { objectPosition: 'calc(10px)' })).toThrow(OptionError);
  });

  test('device pixels scale everything; a mirror reflects in the element and keeps corners in order', () => {
    const t = framed('contain', { devicePixelRatio: 2, objectPosition: 'left', mirror: true });
    expect(t.target).toEqual({ width: 1600, height: 800 });
    expect(corner(t)).toEqual([533.33, 0, 1600, 800]);
    const [x1, , x2] = t.toModel(new Float64Array([0, 0, 64, 48]));
    expect([x1, x2]).toEqual([1600 - (64 * 800) / 480, 1600]);
    expect([...t.toImage(t.toModel(new Float64Array([0, 0, 64, 48])))].map((v) => Math.round(v))).toEqual([
      0, 0, 64, 48,
    ]);
    expect(content(t).map((v) => Math.round(v))).toEqual([533, 0, 1067, 800]);
    expect(() => framed('contain', { devicePixelRatio: 0 })).toThrow(OptionError);
    expect(() => framed('zoom' as 'fill')).toThrow(OptionError);
  });
});

describe('compose and inverse', () => {
  const source = { width: 641, height: 479 };
  const input = FrameTransform.letterbox({ source, target: { width: 416, height: 416 } });
  const screen = FrameTransform.toElement({
    source,
    element: { width: 300, height: 500 },
    objectFit: 'cover',
    mirror: true,
  });

  test('model input to screen in one step', () => {
    const boxes = new Float64Array([10, 60, 200, 340]);
    const step = input.inverse().compose(screen);
    const two = screen.toModel(input.toImage(boxes));
    expectNear(step.toModel(boxes), two, 1e-9);
    expect(step.mirror).toBe(true);
    expectNear(screen.compose(screen.inverse()).toModel(boxes), boxes, 1e-9);
  });

  test('survives structured cloning', () => {
    const again = new FrameTransform(structuredClone(screen));
    expect(again).toEqual(screen);
    expect(structuredClone({ ...input }).contentWidth).toBe(input.contentWidth);
  });
});
