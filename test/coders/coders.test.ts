/** Coders: published vectors, round trips, gradients against central differences, clamps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BoxCoder,
  deltaCoder,
  deltaPresets,
  distanceCoder,
  distancePresets,
  distributionCoder,
  rotatedDeltaCoder,
  tblrCoder,
  yoloCoder,
  yoloxCoder,
} from '../../src/coders/index.ts';
import { uniform } from '../golden/seeded.ts';

const squares = (points: readonly (readonly number[])[], sides: readonly number[]): Float64Array =>
  Float64Array.from(
    points.flatMap(([x, y], i) => [
      x! - sides[i]! / 2,
      y! - sides[i]! / 2,
      x! + sides[i]! / 2,
      y! + sides[i]! / 2,
    ]),
  );
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
};
const close = (got: ArrayLike<number>, wanted: readonly number[], digits = 3): void => {
  expect(got).toHaveLength(wanted.length);
  wanted.forEach((value, i) => {
    expect(got[i], `number ${i}`).toBeCloseTo(value, digits);
  });
};

describe('published vectors', () => {
  it('mmdetection DeltaXYWHBBoxCoder', () => {
    const unit = Float64Array.of(0, 0, 1, 1, 0, 0, 1, 1);
    const coder = deltaCoder(deltaPresets.mmdetection);
    close(
      coder.decode(Float64Array.of(1, 1, 1, 1, 0, 0, 2, -1), unit),
      [0.1409, 0.1409, 2.8591, 2.8591, -3.1945, 0.3161, 4.1945, 0.6839],
    );
    const clamped = deltaCoder({ ...deltaPresets.mmdetection, centerLimit: 2 });
    const wide = clamped.decode(Float64Array.of(1, 1, 2, 2), Float64Array.of(0, 0, 6, 6));
    close(wide.subarray(2), [27.1672, 27.1672]);
  });
  it('mmyolo YOLOv5BBoxCoder', () => {
    const coder = yoloCoder({ stride: [2, 4, 8, 8] });
    const priors = Float64Array.of(10, 10, 20, 20, 10, 8, 10, 10, 15, 8, 20, 3, 2, 5, 5, 8);
    const raw = Float64Array.of(
      ...[0, 0, 1, 1, 0.1409, 0.1409, 2.8591, 2.8591, 0, 0.3161, 4.1945, 0.6839, 1, 5, 9, 5],
    );
    close(
      coder.decode(raw, priors),
      [
        4.3111, 4.3111, 25.6889, 25.6889, 10.2813, 5.7033, 10.2813, 12.8594, 7.7949, 11.171, 27.2051, 2.3369,
        1.1984, 8.473, 13.1955, 20.3129,
      ],
    );
  });
  it('mmyolo YOLOXBBoxCoder', () => {
    const points = [
      [10, 10],
      [8, 8],
      [15, 8],
      [2, 5],
    ];
    const raw = Float64Array.of(
      ...[0, 0, 1, 1, 0.0409, 0.1409, 0.8591, 0.8591, 0, 0.3161, 0.1945, 0.6839, 1, 5, 0.2, 0.6],
    );
    close(
      yoloxCoder().decode(raw, squares(points, [2, 4, 6, 6])),
      [
        7.2817, 7.2817, 12.7183, 12.7183, 3.4415, 3.8415, 12.8857, 13.2857, 11.3559, 3.9518, 18.6441, 15.8414,
        4.3358, 29.5336, 11.6642, 40.4664,
      ],
    );
  });
  it('mmyolo DistancePointBBoxCoder', () => {
    const points = [
      [74, 61],
      [-29, 106],
      [138, 61],
      [29, 170],
    ];
    const distances = Float64Array.of(0, -1, 3, 3, -1, -7, -4.8, 9, -23, -1, 12, 1, 14.5, -13, 10, 18.3);
    close(
      distanceCoder({ normalise: true }).decode(distances, squares(points, [2, 4, 6, 6])),
      [74, 63, 80, 67, -25, 134, -48.2, 142, 276, 67, 210, 67, -58, 248, 89, 279.8],
    );
  });
  it('TBLR: top, bottom, left, right over height and width, over 4', () => {
    const encoded = tblrCoder().encode(Float64Array.of(2, 1, 18, 30), Float64Array.of(0, 0, 20, 10));
    close(encoded, [4 / 10 / 4, 25 / 10 / 4, 8 / 20 / 4, 8 / 20 / 4], 12);
  });
});

const count = 40;
const priors = Float64Array.from({ length: count }, (_, i) => i).reduce(
  (boxes, _, i) => {
    const [x, y, w, h] = uniform(10 + i, 4, 0, 1) as unknown as [number, number, number, number];
    boxes.set([60 * x, 60 * y, 60 * x + 6 + 30 * w, 60 * y + 6 + 30 * h], 4 * i);
    return boxes;
  },
  new Float64Array(4 * count),
);
/** Boxes about the priors' centres, within half a cell of 16 pixels. */
const boxes = priors.map((_, k) => {
  const [i, axis] = [k >> 2, k % 2];
  const [shift, grow] = uniform(900 + 7 * i + axis, 2, 0, 1) as unknown as [number, number];
  const centre = (priors[4 * i + axis]! + priors[4 * i + axis + 2]!) / 2 + 10 * (shift - 0.5);
  const half = ((priors[4 * i + axis + 2]! - priors[4 * i + axis]!) * (0.6 + grow)) / 2;
  return k % 4 < 2 ? centre - half : centre + half;
});

const coders: [string, BoxCoder][] = [
  ['delta', deltaCoder()],
  ['delta, SSD', deltaCoder(deltaPresets.ssd)],
  [
    'delta, mmdetection with mean',
    deltaCoder({ ...deltaPresets.mmdetection, mean: [0.1, 0, 0.2, -0.1], std: [0.1, 0.1, 0.2, 0.2] }),
  ],
  ['distance', distanceCoder()],
  ['distance, FCOS', distanceCoder(distancePresets.fcos)],
  ['TBLR', tblrCoder()],
  ['TBLR in pixels', tblrCoder({ normaliseBySize: false, normaliser: 1 })],
  ['YOLOv3', yoloCoder({ stride: 16, version: 'v3' })],
  ['YOLOv4', yoloCoder({ stride: 16, version: 'v3', scaleXY: 1.2 })],
  ['YOLOv3, activated', yoloCoder({ stride: 16, version: 'v3', space: 'activated' })],
  ['YOLOv5', yoloCoder({ stride: 16 })],
  [
    'YOLOv5, activated, a stride a box',
    yoloCoder({ stride: new Float32Array(count).fill(16), space: 'activated' }),
  ],
  ['YOLOX', yoloxCoder()],
];

describe.each(coders)('%s', (_name, coder) => {
  const encoded = coder.encode(boxes, priors);

  it('decodes what it encoded', () => {
    close(coder.decode(encoded, priors), [...boxes], 5);
  });

  it('in float32 too, and into memory given to it', () => {
    const out = new Float32Array(4 * count);
    const [b, p] = [Float32Array.from(boxes), Float32Array.from(priors)];
    expect(coder.encode(b, p, out)).toBe(out);
    close(coder.decode(out, p), [...boxes], 2);
  });

  it('carries gradients back as central differences do', () => {
    const direction = uniform(4, 4 * count, -1, 1);
    const value = (at: Float64Array): number => dot(coder.decode(at, priors), direction);
    const gradient = coder.decodeGradient(direction, encoded, priors);
    for (let k = 0; k < encoded.length; k++) {
      const step = 1e-5;
      const [up, down] = [Float64Array.from(encoded), Float64Array.from(encoded)];
      up[k]! += step;
      down[k]! -= step;
      const numeric = (value(up) - value(down)) / (2 * step);
      expect(Math.abs(gradient[k]! - numeric)).toBeLessThan(1e-6 * Math.max(1, Math.abs(numeric)) * 10);
    }
  });

  it('refuses arrays that do not belong together', () => {
    expect(() => coder.encode(boxes, priors.subarray(4))).toThrow(/4·N/);
    expect(() => coder.decode(encoded, priors, new Float64Array(3))).toThrow(/out/);
  });
});

describe('clamps', () => {
  it('delta: torchvision above only, mmdetection both ways, SSD not; the gradient ends there', () => {
    const prior = Float64Array.of(0, 0, 10, 10);
    const extreme = Float64Array.of(0, 0, 9, -9);
    const size = (options: Parameters<typeof deltaCoder>[0]): number[] => {
      const [x1, y1, x2, y2] = deltaCoder(options).decode(extreme, prior) as unknown as number[];
      return [x2! - x1!, y2! - y1!];
    };
    close(size(deltaPresets.torchvision), [625, 10 * Math.exp(-9)], 9);
    close(size(deltaPresets.mmdetection), [625, 0.16], 9);
    close(size({ ...deltaPresets.ssd, std: [1, 1, 1, 1] }), [10 * Math.exp(9), 10 * Math.exp(-9)], 6);
    const one = Float64Array.of(1, 1, 1, 1);
    close(deltaCoder().decodeGradient(Float64Array.of(-1, 0, 1, 0), extreme, prior), [0, 0, 0, 0]);
    expect(deltaCoder().decodeGradient(one, Float64Array.of(0, 0, 1, 1), prior)[0]).toBe(20);
  });
  it('distance: within 0 … maximum', () => {
    const [l, , r] = distanceCoder(distancePresets.yolov8).encode(
      Float64Array.of(9, 0, 1000, 8),
      Float64Array.of(0, 0, 8, 8),
    ) as unknown as number[];
    expect([l, r]).toEqual([0, 14.99]);
  });
  it('YOLO: probabilities stay off 0 and 1', () => {
    const encoded = yoloCoder({ stride: 16, space: 'activated' }).encode(
      Float64Array.of(0, 0, 900, 900),
      Float64Array.of(0, 0, 10, 10),
    );
    close(encoded, [1 - 1e-6, 1 - 1e-6, 1 - 1e-6, 1 - 1e-6], 12);
  });
});

describe('distributionCoder', () => {
  const coder = distributionCoder({ bins: 8 });
  it('logits that put all weight on the two bins of a distance decode to that distance', () => {
    const encoded = coder.encode(boxes, priors);
    const { left, leftWeights } = coder.targets(encoded);
    const logits = new Float64Array(4 * count * 8).fill(-1e9);
    encoded.forEach((_: number, side: number) => {
      logits[side * 8 + left[side]!] = Math.log(Math.max(leftWeights[side]!, 1e-300));
      logits[side * 8 + left[side]! + 1] = Math.log(Math.max(1 - leftWeights[side]!, 1e-300));
    });
    close(coder.decode(logits, priors), [...distanceCoder({ normalise: true }).decode(encoded, priors)], 4);
  });
  it('carries gradients back as central differences do', () => {
    const logits = uniform(8, 4 * count * 8, -2, 2);
    const direction = uniform(4, 4 * count, -1, 1);
    const gradient = coder.decodeGradient(direction, logits, priors);
    const value = (at: Float64Array): number => dot(coder.decode(at, priors), direction);
    for (let k = 0; k < logits.length; k += 13) {
      const [up, down] = [logits.slice(), logits.slice()];
      up[k]! += 1e-5;
      down[k]! -= 1e-5;
      expect(gradient[k]).toBeCloseTo((value(up) - value(down)) / 2e-5, 5);
    }
  });
  it('targets of the last bin stay inside', () => {
    const { left, leftWeights } = coder.targets(Float64Array.of(0, 6.99, 7, 3.25));
    expect([...left]).toEqual([0, 6, 6, 3]);
    close(leftWeights, [1, 0.01, 0, 0.75], 5);
    expect(() => coder.decode(new Float64Array(3), priors)).toThrow(/logits/);
  });
});

describe('rotatedDeltaCoder', () => {
  it('decodes what it encoded, up to whole turns', () => {
    const angle = fc.double({ min: -400, max: 400, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(angle, angle), { minLength: 1, maxLength: count }), (rows) => {
        const coder = rotatedDeltaCoder({ angleUnit: 'degree', std: [0.1, 0.1, 0.2, 0.2], angleStd: 0.5 });
        const n = rows.length;
        const own = { boxes: boxes.slice(0, 4 * n), angles: Float64Array.from(rows, ([a]) => a) };
        const prior = { boxes: priors.slice(0, 4 * n), angles: Float64Array.from(rows, ([, b]) => b) };
        const encoded = coder.encode(own, prior);
        expect(encoded).toHaveLength(5 * n);
        const decoded = coder.decode(encoded, prior);
        close(decoded.boxes, [...own.boxes], 6);
        decoded.angles.forEach((value: number, i: number) => {
          const turns = (value - own.angles[i]!) / 360;
          expect(Math.abs(turns - Math.round(turns))).toBeLessThan(1e-9);
          expect(value >= -180 && value < 180).toBe(true);
        });
      }),
    );
  });
  it('is detectron2’s: a box turned by 190 degrees is −170 away', () => {
    const coder = rotatedDeltaCoder({ angleUnit: 'degree' });
    const square = Float64Array.of(0, 0, 4, 4);
    const encoded = coder.encode(
      { boxes: square, angles: Float64Array.of(200) },
      { boxes: square, angles: Float64Array.of(10) },
    );
    close(encoded, [0, 0, 0, 0, (-170 * Math.PI) / 180], 12);
    const { boxes: gradient, angles } = { boxes: Float64Array.of(1, 0, 0, 0), angles: Float64Array.of(2) };
    const back = coder.decodeGradient({ boxes: gradient, angles }, encoded, {
      boxes: square,
      angles: Float64Array.of(10),
    });
    close(back, [4, 0, -2, 0, (2 * 180) / Math.PI], 9);
    expect(() => coder.decode(new Float64Array(4), { boxes: square, angles })).toThrow(/encoded/);
  });
});
