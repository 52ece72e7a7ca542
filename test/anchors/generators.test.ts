/** Anchors of mmdetection, detectron2, EfficientDet, YOLO and face detectors, and the vectors they publish. */
import { describe, expect, it } from 'vitest';
import {
  type Anchors,
  blazeFacePriors,
  detectron2Anchors,
  detectron2RetinaNetAnchors,
  efficientDetAnchors,
  gridAnchors,
  mmdetectionAnchors,
  mmdetectionSsdAnchors,
  pointPriors,
  retinaFacePriors,
  torchvisionAnchors,
  ultraFacePriors,
  yoloAnchorSizes,
  yoloAnchors,
} from '../../src/anchors/index.ts';
import golden from '../golden/anchors/anchors.json';
import mmdetection from '../golden/matching/mmdetection.json';
import { floatDigest } from '../golden/matching/sets.ts';

type Image = { width: number; height: number };
const strides = [8, 16, 32, 64, 128];
const octaves = { octaveBaseScale: 4, scalesPerOctave: 3 };

const makers: Record<string, (image: Image) => Anchors> = {
  'mmdetection retinanet': (image) => mmdetectionAnchors({ image, strides, ratios: [0.5, 1, 2], ...octaves }),
  'mmdetection rpn': (image) =>
    mmdetectionAnchors({ image, strides: [4, 8, 16, 32, 64], ratios: [0.5, 1, 2], scales: [8] }),
  'mmdetection centred': (image) =>
    mmdetectionAnchors({
      image,
      strides: [8, 16],
      ratios: [0.33, 1, 3],
      scales: [2, 5],
      centerOffset: 0.5,
      baseSizes: [9, 20],
    }),
  'mmdetection ssd': (image) =>
    mmdetectionSsdAnchors({
      image,
      inputSize: 300,
      strides: [8, 16, 32, 64, 100, 300],
      ratios: [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
    }),
  'mmdetection ssd512': (image) =>
    mmdetectionSsdAnchors({
      image,
      inputSize: 512,
      strides: [8, 16, 32, 64, 128, 256, 512],
      ratios: [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]],
      basesizeRatioRange: [0.1, 0.9],
    }),
  'detectron2 retinanet': (image) => detectron2RetinaNetAnchors({ image }),
  'detectron2 offset': (image) =>
    detectron2Anchors({
      image,
      strides: [4, 16],
      sizes: [[32, 64], [100]],
      aspectRatios: [0.25, 1, 4],
      offset: 0.5,
    }),
  efficientdet: (image) => efficientDetAnchors({ image }),
  retinaface: (image) => retinaFacePriors({ image }),
  ultraface: (image) => ultraFacePriors({ image }),
};
/** Those whose reference goes through fractions of the image, and so through other roundings. */
const nearly = ['retinaface', 'ultraface'];

it('mmdetection SSD: a range of sizes cannot be shared by one or two levels, nor by more than it has steps', () => {
  for (const count of [1, 2, 90]) {
    const strides = Array<number>(count).fill(8);
    const options = {
      image: { width: 64, height: 64 },
      inputSize: 300,
      strides,
      ratios: strides.map(() => [2]),
    };
    expect(() => mmdetectionSsdAnchors(options)).toThrow(/expected minSizes and maxSizes for/);
  }
});

it('EfficientDet: cells share the input evenly and are the unit of sizes', () => {
  const image = { width: 320, height: 448 };
  const { boxes, levels } = efficientDetAnchors({ image });
  // automl's anchors.py at level 7: maps of 3 × 4 cells, 320 / 3 = 106.67 by 112 pixels; the first anchor of the first
  // cell is 4 cells wide and tall about its middle
  const last = levels.at(-1)!;
  expect([last.width, last.height, last.stride]).toEqual([3, 4, 128]);
  const first = [-1.5 * (320 / 3), -1.5 * 112, 2.5 * (320 / 3), 2.5 * 112];
  for (const [k, value] of first.entries()) expect(boxes[4 * last.start + k]).toBeCloseTo(value, 3);
});

it('mmdetection: base sizes and centres that are no float32 numbers are rounded first, as torch does', () => {
  const options = { image: { width: 8, height: 8 }, strides: [8], ratios: [0.7, 3.1], scales: [2.3, 5.9] };
  // base_anchors of mmdetection 3.3.0's AnchorGenerator
  const first = [-105.69964599609375, -72.55976104736328, 107.89964294433594, 76.95975494384766];
  const second = [-272.8642883300781, -189.5750274658203, 275.0643005371094, 193.9750213623047];
  const { boxes } = mmdetectionAnchors({ ...options, baseSizes: [77.7], centers: [[1.1, 2.2]] });
  expect([...boxes.subarray(0, 8)]).toEqual([...first, ...second]);
  const minor = mmdetectionAnchors({ ...options, baseSizes: [12.3], centerOffset: 0.37, scaleMajor: false });
  expect([...minor.boxes.subarray(0, 4)]).toEqual([
    -12.355506896972656, -7.283555507659912, 21.457508087158203, 16.385555267333984,
  ]);
});

describe('anchors equal the restated generators', () => {
  it.each(Object.entries(golden.anchors))('%s', (name, wanted) => {
    const [kind, size] = [name.slice(0, name.lastIndexOf(' ')), name.slice(name.lastIndexOf(' ') + 1)];
    const [width, height] = size.split('x').map(Number) as [number, number];
    const { boxes, levels } = makers[kind]!({ width, height });
    expect(boxes.length).toBe(4 * wanted.count);
    expect(levels.reduce((sum, level) => sum + level.count, 0)).toBe(wanted.count);
    const sumAbs = boxes.reduce((sum, value) => sum + Math.abs(value), 0);
    expect(sumAbs / wanted.sumAbs).toBeCloseTo(1, 7);
    wanted.first.forEach((value, i) => {
      expect(boxes[i]).toBeCloseTo(value, 4);
    });
    wanted.last.forEach((value, i) => {
      expect(boxes[boxes.length - 4 + i]).toBeCloseTo(value, 4);
    });
    if (!nearly.includes(kind)) expect(floatDigest(boxes)).toBe(wanted.digest);
  });
});

it('has mmdetection restated as its own generators have it', () => {
  for (const [name, digest] of Object.entries(mmdetection.anchors)) {
    expect([name, golden.anchors[name as keyof typeof golden.anchors].digest]).toEqual([name, digest]);
  }
});

const image = { width: 64, height: 32 };
const first = ({ boxes }: Anchors, count: number): number[] => Array.from(boxes.subarray(0, 4 * count));

describe('published vectors', () => {
  it('torchvision: size 10 on 3 × 3 cells of a 15 × 15 image', () => {
    const maps = [{ width: 3, height: 3 }];
    const anchors = torchvisionAnchors({
      image: { width: 15, height: 15 },
      maps,
      strides: [5],
      sizes: [[10]],
      aspectRatios: [1],
    });
    expect(first(anchors, 4)).toEqual([-5, -5, 5, 5, 0, -5, 10, 5, 5, -5, 15, 5, -5, 0, 5, 10]);
  });
  it('detectron2: sizes 32 and 64, ratios 1/4, 1, 4', () => {
    const given = {
      image: { width: 8, height: 4 },
      strides: [4],
      sizes: [32, 64],
      aspectRatios: [0.25, 1, 4],
    };
    const wanted = [
      -32, -8, 32, 8, -16, -16, 16, 16, -8, -32, 8, 32, -64, -16, 64, 16, -32, -32, 32, 32, -16, -64, 16, 64,
    ];
    const { boxes } = detectron2Anchors(given);
    expect(Array.from(boxes.subarray(0, 24))).toEqual(wanted);
    expect(Array.from(boxes.subarray(24))).toEqual(wanted.map((value, i) => value + (i % 2 === 0 ? 4 : 0)));
    expect(first(detectron2Anchors({ ...given, offset: 0.5 }), 6)).toEqual(wanted.map((value) => value + 2));
  });
  it('mmdetection: RetinaNet at stride 8, YOLO at stride 32, SSD300 at level 0', () => {
    const retina = mmdetectionAnchors({ image, strides: [8], ratios: [0.5, 1, 2], ...octaves });
    const halves = [
      [22.6274, 11.3137],
      [28.5088, 14.2544],
      [35.9188, 17.9594],
      [16, 16],
      [20.1587, 20.1587],
      [25.3984, 25.3984],
    ];
    halves.forEach(([x, y], a) => {
      expect(retina.boxes[4 * a + 2]).toBeCloseTo(x!, 3);
      expect(retina.boxes[4 * a + 1]).toBeCloseTo(-y!, 3);
    });
    expect(first(yoloAnchors({ image, sizes: [yoloAnchorSizes.yolov5[2]!] }), 3)).toEqual([
      -42, -29, 74, 61, -62, -83, 94, 115, -170.5, -147, 202.5, 179,
    ]);
    const ssd = makers['mmdetection ssd']!({ width: 300, height: 300 });
    [
      -6.5, -6.5, 14.5, 14.5, -11.3704, -11.3704, 19.3704, 19.3704, -10.8492, -3.4246, 18.8492, 11.4246,
    ].forEach((value, i) => {
      expect(ssd.boxes[i]).toBeCloseTo(value, 3);
    });
    const sizes = mmdetectionAnchors({
      image: { width: 640, height: 640 },
      strides,
      ratios: [0.5, 1, 2],
      ...octaves,
    });
    expect(sizes.levels.map((level) => level.count)).toEqual([57_600, 14_400, 3600, 900, 225]);
  });
});

describe('points and faces', () => {
  it('points are squares of their stride, at the middle or the corner of each cell', () => {
    expect(first(pointPriors({ image, strides: [16] }), 2)).toEqual([0, 0, 16, 16, 16, 0, 32, 16]);
    expect(first(pointPriors({ image, strides: [16], offset: 0, perCell: 2 }), 3)).toEqual([
      -8, -8, 8, 8, -8, -8, 8, 8, 8, -8, 24, 8,
    ]);
    expect(pointPriors({ image: { width: 640, height: 640 }, strides: [8, 16, 32] }).boxes).toHaveLength(
      4 * 8400,
    );
  });
  it('BlazeFace has 896 priors of the size of the input', () => {
    const { boxes } = blazeFacePriors({ image: { width: 128, height: 128 } });
    expect(boxes).toHaveLength(4 * 896);
    expect(Array.from(boxes.subarray(0, 4))).toEqual([-60, -60, 68, 68]);
    expect(Array.from(boxes.subarray(4 * 512, 4 * 513))).toEqual([-56, -56, 72, 72]);
  });
});

describe('bad input', () => {
  it.each([
    ['no stride', () => pointPriors({ image, strides: [0] }), /strides > 0, got 0/],
    ['an image without area', () => pointPriors({ image: { width: 0, height: 5 }, strides: [8] }), /image/],
    ['maps for other strides', () => pointPriors({ image, strides: [8], maps: [] }), /1 feature maps.*got 0/],
    [
      'a map of half a cell',
      () => pointPriors({ image, strides: [8], maps: [{ width: 1.5, height: 1 }] }),
      /whole cells/,
    ],
    [
      'sizes for other levels',
      () => detectron2Anchors({ image, strides: [8, 16], sizes: [[1]] }),
      /2 levels, got 1/,
    ],
    ['no scales', () => mmdetectionAnchors({ image, strides: [8], ratios: [1] }), /scales/],
    ['half an anchor', () => gridAnchors([{ stride: 8, map: image, base: [1, 2] }]), /4·n numbers, got 2/],
    ['an anchor size of 0', () => yoloAnchors({ image, sizes: [[1, 0]] }), /> 0/],
  ])('%s', (_name, run, message) => {
    expect(run).toThrow(message);
  });
});
