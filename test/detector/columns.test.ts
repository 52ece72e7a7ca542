/**
 * Keypoints, angles and masks from output tensors to `Detections`: through suppression, back to pixels of the picture,
 * through filters, merges and threads, to JSON and COCO rows.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Detector } from '../../src/detector/index.ts';
import { postprocess } from '../../src/detector/index.ts';
import { detectorMethods, receiveResults } from '../../src/detector/remote-host.ts';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { decodeMask, decodeMaskLogits, type MaskPrototypes } from '../../src/heads/index.ts';
import { Detections, decodeRle, encodeRle, FrameTransform, rleArea, rleFromCoco } from '../../src/index.ts';

const input = { width: 64, height: 64 };
/** 128×96 in a 64×64 letterbox: half size, 8 rows of padding above. */
const transform = FrameTransform.letterbox({ source: { width: 128, height: 96 }, target: input });

/** Columns `[1, rows, anchors]` of a YOLOv8 output from one list an anchor. */
function columns(anchors: readonly (readonly number[])[], least = 84) {
  const rows = anchors[0]!.length;
  const count = Math.max(least, rows + 1);
  const data = new Float32Array(rows * count);
  for (const [a, values] of anchors.entries()) {
    for (const [row, value] of values.entries()) data[row * count + a] = value;
  }
  return { data, dims: [1, rows, count] };
}

describe('keypoints', () => {
  const output0 = columns([
    [32, 32, 20, 20, 0.6, 25, 25, 0.9, 40, 40, 0.2],
    [33, 32, 20, 20, 0.8, 26, 24, 0.7, 41, 41, 0.1],
    [10, 50, 8, 8, 0.4, 9, 48, 1, 11, 52, 0],
  ]);
  const options = {
    head: 'yolov8-pose',
    input,
    transform,
    headOptions: { classCount: 1, keypointDims: 3 },
  } as const;

  it('come in pixels of the picture, with the detections that are kept', () => {
    const found = postprocess({ output0 }, options);
    expect(found.count).toBe(2);
    expect(found.keypointCount).toBe(2);
    // x·2, (y − 8)·2
    expect(Array.from(found.keypoints!.subarray(0, 6), (v) => Number(v.toFixed(4)))).toEqual([
      52, 32, 0.7, 82, 66, 0.1,
    ]);
    expect(Array.from(found.keypoints!.subarray(6))).toEqual([18, 80, 1, 22, 88, 0]);
    expect(found.toCoco(7)[1]!.keypoints).toEqual([18, 80, 1, 22, 88, 0]);
    expect(found.toJSON()[1]!.keypoints).toEqual([
      [18, 80, 1],
      [22, 88, 0],
    ]);
  });

  it('are there, K of them, also when nothing is found', () => {
    const none = postprocess({ output0 }, { ...options, scoreThreshold: 0.95 });
    expect([none.count, none.keypointCount, none.keypoints?.length]).toEqual([0, 2, 0]);
  });
});

describe('rotated boxes', () => {
  /** cx, cy, w, h, score, angle. */
  const crossing = [
    [32, 32, 40, 8, 0.9, 0],
    [32, 32, 40, 8, 0.8, Math.PI / 2],
    [32, 33, 40, 8, 0.7, 0.02],
  ];
  const options = { head: 'yolov8-obb', input, transform } as const;
  const output0 = columns(crossing);

  it('suppress each other by their rotated overlap', () => {
    const found = postprocess({ output0 }, options);
    expect(Array.from(found.scores, (s) => Number(s.toFixed(2)))).toEqual([0.9, 0.8]);
    expect(found.angles![1]).toBeCloseTo(Math.PI / 2, 6);
    // twice the size about (64, 48)
    expect(Array.from(found.boxes.subarray(4))).toEqual([24, 40, 104, 56]);
    const probiou = postprocess({ output0 }, { ...options, nms: { rotated: 'probiou', iouThreshold: 0.5 } });
    expect(probiou.count).toBe(2);
    expect(postprocess({ output0 }, { ...options, preset: 'ultralytics' }).count).toBe(2);
    expect(postprocess({ output0 }, { ...options, nms: false }).count).toBe(3);
    expect(() => postprocess({ output0 }, { ...options, nms: { metric: 'giou' } })).toThrow(OptionError);
    expect(() => postprocess({ output0 }, { ...options, preset: 'torchvision' })).toThrow(OptionError);
  });

  it('are never cut at the border', () => {
    const outside = columns([[60, 32, 40, 8, 0.9, 0.3]]);
    const found = postprocess({ output0: outside }, { ...options, clip: true });
    expect(found.boxes[2]).toBe(160);
  });

  it('of a stretched picture keep centre, direction and area', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1.5, max: 1.5, noNaN: true }),
        fc.integer({ min: 40, max: 400 }),
        fc.integer({ min: 40, max: 400 }),
        (angle, width, height) => {
          const stretched = FrameTransform.stretch({ source: { width, height }, target: input });
          const found = postprocess(
            { output0: columns([[32, 24, 20, 10, 0.9, angle]]) },
            { ...options, transform: stretched },
          );
          const [x1, y1, x2, y2] = found.boxes as unknown as [number, number, number, number];
          const { scaleX, scaleY } = stretched;
          expect((x1 + x2) / 2).toBeCloseTo(32 / scaleX, 2);
          expect((y1 + y2) / 2).toBeCloseTo(24 / scaleY, 2);
          const turned = found.angles![0]!;
          const half = (x2 - x1) / 2;
          // the end of the width's axis is where the transform puts it
          expect(half * Math.cos(turned)).toBeCloseTo((10 * Math.cos(angle)) / scaleX, 2);
          expect(half * Math.sin(turned)).toBeCloseTo((10 * Math.sin(angle)) / scaleY, 2);
          expect(((x2 - x1) * (y2 - y1) * scaleX * scaleY) / 200).toBeCloseTo(1, 4);
        },
      ),
    );
  });
});

describe('masks', () => {
  const prototypes: MaskPrototypes = {
    channels: 3,
    width: 16,
    height: 16,
    data: Float32Array.from({ length: 768 }, (_, i) => Math.sin(i * 1.7) + Math.cos(i * 0.31) - 0.2),
  };
  const output1 = { data: prototypes.data, dims: [1, 3, 16, 16] };
  const coefficients = [
    [0.7, -1.1, 0.4],
    [-0.2, 0.9, 0.5],
    [0.3, 0.3, -0.8],
  ];
  /** cx, cy, w, h, two classes, coefficients; the first reaches over the border. */
  const anchors = [
    [10, 16, 30.4, 25.7, 0.9, 0, ...coefficients[0]!],
    [40, 36, 21.3, 30.2, 0.1, 0.8, ...coefficients[1]!],
    [50.5, 48, 12, 6, 0.5, 0, ...coefficients[2]!],
  ];
  const outputs = { output0: columns(anchors), output1 };
  const options = { head: 'yolov8-seg', input, headOptions: { classCount: 2 } } as const;
  const found = postprocess(outputs, { ...options, transform });

  /** The weighted sum at a point of the model input, interpolated as torch does. */
  function slow(of: readonly number[], x: number, y: number): number {
    const u = Math.max(0, x / 4 - 0.5);
    const v = Math.max(0, y / 4 - 0.5);
    const [left, top] = [Math.min(15, Math.floor(u)), Math.min(15, Math.floor(v))];
    const [right, bottom] = [Math.min(15, left + 1), Math.min(15, top + 1)];
    const at = (i: number, j: number) =>
      of.reduce((sum, weight, c) => sum + weight * prototypes.data[c * 256 + j * 16 + i]!, 0);
    const upper = at(left, top) * (1 - (u - left)) + at(right, top) * (u - left);
    const lower = at(left, bottom) * (1 - (u - left)) + at(right, bottom) * (u - left);
    return upper * (1 - (v - top)) + lower * (v - top);
  }

  it.each([
    ['letterbox', transform],
    ['stretch', FrameTransform.stretch({ source: { width: 131, height: 57 }, target: input })],
    [
      'top-left',
      FrameTransform.letterbox({ source: { width: 50, height: 90 }, target: input, align: 'top-left' }),
    ],
  ])('are the interpolated sums at the pixels of the picture inside the box (%s)', (_, way) => {
    const masked = postprocess(outputs, { ...options, transform: way });
    const { width, height } = way.source;
    expect(masked.count).toBe(3);
    for (let i = 0; i < masked.count; i++) {
      const pixels = decodeRle(masked.maskAt(i)!);
      const [x1, y1, x2, y2] = masked.boxes.subarray(4 * i) as unknown as [number, number, number, number];
      let area = 0;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const inside = x >= x1 && x < x2 && y >= y1 && y < y2;
          const value = inside
            ? slow(
                coefficients[i]!,
                way.offsetX + way.scaleX * (x + 0.5),
                way.offsetY + way.scaleY * (y + 0.5),
              )
            : -1;
          area += pixels[y * width + x]!;
          if (Math.abs(value) > 1e-4)
            expect(pixels[y * width + x], `${i}: ${x}, ${y}`).toBe(value > 0 ? 1 : 0);
        }
      }
      expect(rleArea(masked.maskAt(i)!)).toBe(area);
    }
  });

  it('of the model input itself equal decodeMask', () => {
    const own = postprocess(outputs, options);
    for (let i = 0; i < own.count; i++) {
      const pixels = decodeRle(own.maskAt(i)!);
      const mask = decodeMask(prototypes, coefficients[i]!, own.boxes.subarray(4 * i, 4 * i + 4), input);
      const expected = new Uint8Array(64 * 64);
      for (let y = 0; y < mask.height; y++) {
        expected.set(mask.data.subarray(y * mask.width, (y + 1) * mask.width), (mask.y + y) * 64 + mask.x);
      }
      expect(pixels).toEqual(expected);
    }
  });

  it('have runs as encodeRle makes them, also at corners and for boxes outside', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -20, max: 90, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (box) => {
          const place = [box[0]!, box[1]!, Math.abs(box[2]!), Math.abs(box[3]!)];
          const one = postprocess(
            { output0: columns([[...place, 0.9, 0, 1, 0.2, -0.4]]), output1 },
            { ...options, transform },
          );
          const mask = one.maskAt(0)!;
          expect(mask.counts).toEqual(encodeRle(decodeRle(mask), mask.size).counts);
        },
      ),
    );
  });

  it('survive filters, merges, replaced columns and threads in one buffer', () => {
    const areas = found.masks().map(rleArea);
    expect(areas.every((area) => area > 0)).toBe(true);
    expect(
      found
        .filter((i) => i !== 1)
        .masks()
        .map(rleArea),
    ).toEqual([areas[0], areas[2]]);
    expect(found.select([2, 2, 0]).masks().map(rleArea)).toEqual([areas[2], areas[2], areas[0]]);
    expect(
      found
        .merge(found.select([1]))
        .masks()
        .map(rleArea),
    ).toEqual([...areas, areas[1]]);
    const tracked = found.with({ trackIds: [4, 5, 6] });
    expect(tracked.masks().map(rleArea)).toEqual(areas);
    expect(found.with({ masks: undefined }).maskSize).toBeUndefined();
    const solid = found.with({ masks: found.masks() });
    expect(solid.maskLogits).toBeUndefined();
    expect(solid.masks().map(rleArea)).toEqual(areas);
    expect(() => Detections.merge(found, solid)).toThrow(ShapeError);
    const { data, transfer } = found.select([0, 1, 2]).transferable();
    expect(transfer).toHaveLength(1);
    const moved = structuredClone(data, { transfer });
    expect(transfer[0].byteLength).toBe(0);
    expect(() => Detections.fromTransferred(moved).maskAt(0)).toThrow(/decodeMaskLogits/);
    const arrived = Detections.fromTransferred(moved, decodeMaskLogits);
    expect(arrived.masks().map(rleArea)).toEqual(areas);
    expect(arrived.filter(() => true).toJSON()).toEqual(found.toJSON());
  });

  it('reach the other side of a worker', async () => {
    const info = { classNames: ['a', 'b'] };
    const detector = { info, detect: async () => [found.select([0, 1, 2])] } as unknown as Detector;
    const methods = detectorMethods(async () => detector);
    const context = { signal: new AbortController().signal, progress: () => undefined } as never;
    await methods.create!({ model: new Uint8Array() } as never, context);
    const sent = (await methods.detect!(
      { sources: [], options: {} } as never,
      context,
    )) as never as readonly {
      buffer: ArrayBuffer;
    }[];
    const received = structuredClone(sent, { transfer: sent.map(({ buffer }) => buffer) });
    const [back] = receiveResults(received as never, info.classNames);
    const named = found.toJSON().map((row) => ({ ...row, className: info.classNames[row.classId]! }));
    expect(back!.toJSON()).toEqual(named);
  });

  it('become COCO results', () => {
    const rows = found.toCoco(3);
    expect(rleArea(rleFromCoco(rows[0]!.segmentation!))).toBe(rleArea(found.maskAt(0)!));
    expect(rows[0]!.segmentation!.size).toEqual([96, 128]);
  });

  it('can be left out, and are empty columns when nothing is found', () => {
    expect(postprocess(outputs, { ...options, transform, masks: false }).maskSize).toBeUndefined();
    const none = postprocess(outputs, { ...options, transform, scoreThreshold: 0.99 });
    expect([none.count, none.masks()]).toEqual([0, []]);
    expect(none.maskLogits?.values.length).toBe(0);
  });

  it('lie where the box was, also when detections are cut at the border', () => {
    const cut = postprocess(outputs, { ...options, transform, clip: true });
    expect(cut.boxes[0]).toBe(0);
    expect(cut.masks().map(rleArea)).toEqual(found.masks().map(rleArea));
  });
});

describe('presets', () => {
  const rows = [
    [16, 16, 16, 16, 0.9, 0.28],
    [17, 16, 16, 16, 0.6, 0.05],
    [40, 40, 16, 16, 0.2, 0.04],
  ];
  const of = (options: Partial<Parameters<typeof postprocess>[1]>) =>
    postprocess({ output0: columns(rows) }, { head: 'yolov8', input, ...options });
  it('bring thresholds, labels and limits; options override them', () => {
    expect(of({ preset: 'ultralytics' }).count).toBe(1);
    expect(of({ preset: 'ultralytics', nms: { iouThreshold: 0.9 } }).count).toBe(2);
    expect([...of({ preset: 'torchvision' }).classIds]).toEqual([0, 1, 0]);
    expect(of({ preset: 'mmdetection', nms: { maxDetections: 2 } }).count).toBe(2);
    expect(of({ preset: 'tensorflow', scoreThreshold: 0.5 }).count).toBe(1);
    expect(of({ preset: 'supervision' }).count).toBe(1);
    expect(of({ preset: 'torchvision', nms: { scope: 'agnostic' } }).count).toBe(2);
    expect(() => of({ preset: 'torchvision', nms: { metric: 'giou' } })).toThrow(OptionError);
    expect(() => of({ preset: 'yolo' as 'ultralytics' })).toThrow(/ultralytics, torchvision/);
  });
  it('torchvision cuts boxes at the picture before it compares them', () => {
    const two = [
      [2, 32, 20, 20, 0.9, 0],
      [6, 32, 12, 20, 0.8, 0],
    ];
    const output0 = columns(two);
    // whole: 12·20 of 20·20; cut at 0: 12·20 of 12·20
    expect(postprocess({ output0 }, { head: 'yolov8', input, nms: { iouThreshold: 0.7 } }).count).toBe(2);
    const cut = postprocess({ output0 }, { head: 'yolov8', input, preset: 'torchvision' });
    expect(cut.count).toBe(1);
    expect(cut.boxes[0]).toBe(0);
  });
});
