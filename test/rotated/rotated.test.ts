/** Rotated boxes as Gaussians against restatements in torch; angle conventions, corners and points. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { type RotatedOptions, rotatedIou, rotatedNms } from '../../src/index.ts';
import {
  type AngleConvention,
  type AngleFormat,
  convertRotatedBoxes,
  type GaussianOptions,
  kalmanOverlap,
  kullbackLeiblerOverlap,
  pointsInRotatedBoxes,
  rotatedCorners,
  wassersteinOverlap,
} from '../../src/rotated/index.ts';
import { boxesOf } from '../golden/iou/boxes.ts';
import golden from '../golden/iou/rotated.json';
import { uniform } from '../golden/seeded.ts';

const expectedOf = golden as unknown as Record<string, Record<string, number[]>>;

function anglesOf(count: number, side: 0 | 1): Float32Array {
  const angles = Float32Array.from(uniform(71 + side, count, -4, 4));
  if (side === 1) angles[0] = uniform(71, 1, -4, 4)[0]!;
  return angles;
}

const kinds: Record<string, RotatedOptions> = {
  probiou: { overlap: 'probiou' },
  gwd: { overlap: wassersteinOverlap() },
  kld: { overlap: kullbackLeiblerOverlap() },
  kfiou: { overlap: kalmanOverlap() },
  'gwd sqrt': { overlap: wassersteinOverlap({ distanceTransform: 'sqrt', tau: 2, alpha: 0.5 }) },
  'kld none': { overlap: kullbackLeiblerOverlap({ distanceTransform: 'none', tau: 1.5, alpha: 2 }) },
};

describe('restatements in torch', () => {
  for (const set of Object.keys(expectedOf).filter((name) => name !== 'versions')) {
    it.each(Object.keys(kinds))(`${set} %s`, (kind) => {
      const [a, b] = [boxesOf(set, 0), boxesOf(set, 1)];
      const got = rotatedIou(a, anglesOf(a.length / 4, 0), b, anglesOf(b.length / 4, 1), kinds[kind]!);
      const expected = expectedOf[set]![kind]!;
      expect(got.length).toBe(expected.length);
      // The first pair is identical: roots of float64 rounding, in torch too. Its determinants of slivers cancel.
      const tolerance = set === 'slivers' ? 1e-5 : 1e-8;
      expected.forEach((value, i) => {
        expect(Math.abs(got[i]! - value), `${i}`).toBeLessThan(i === 0 ? 1e-4 : tolerance);
      });
    });
  }
});

const side = fc.double({ min: 0.5, max: 60, noNaN: true });
const place = fc.double({ min: -80, max: 80, noNaN: true });
const angle = fc.double({ min: -7, max: 7, noNaN: true });
const rotated = fc.tuple(place, place, side, side, angle);
type Row = readonly [number, number, number, number, number];

const boxOf = ([x, y, w, h]: Row): Float64Array =>
  Float64Array.of(x - w / 2, y - h / 2, x + w / 2, y + h / 2);
const overlapOf = (a: Row, b: Row, options: RotatedOptions): number =>
  rotatedIou(boxOf(a), Float64Array.of(a[4]), boxOf(b), Float64Array.of(b[4]), options)[0]!;

const of = (name: string): RotatedOptions => kinds[name] ?? { overlap: 'polygon' };

describe('limits and invariances', () => {
  const names = ['probiou', 'gwd', 'kld', 'kfiou'] as const;
  const plain: GaussianOptions = { distanceTransform: 'none' };

  it('identical boxes give the largest value, far ones nearly the least', () => {
    const largest = { probiou: 1, gwd: 1, kld: 1, kfiou: 1 / 3 } as const;
    fc.assert(
      fc.property(rotated, rotated, (a, b) => {
        for (const overlap of names) {
          const same = overlapOf(a, a, of(overlap));
          expect(Math.abs(same - largest[overlap]), overlap).toBeLessThan(1e-3);
          const value = overlapOf(a, b, of(overlap));
          expect(value).toBeGreaterThan(-1e-6);
          expect(value).toBeLessThanOrEqual(largest[overlap] + 1e-9);
        }
        const far: Row = [a[0] + 1e6, a[1], b[2], b[3], b[4]];
        expect(overlapOf(a, far, { overlap: 'probiou' })).toBeLessThan(1e-6);
        expect(overlapOf(a, far, { overlap: wassersteinOverlap(plain) })).toBeLessThan(1e-3);
        expect(overlapOf(a, far, { overlap: kullbackLeiblerOverlap(plain) })).toBeLessThan(1e-3);
      }),
      { numRuns: 60 },
    );
  });

  it('half turns, quarter turns with swapped sides, shifts and common turns change nothing', () => {
    fc.assert(
      fc.property(rotated, rotated, place, angle, (a, b, shift, turn) => {
        const [x, y, w, h, angle] = a;
        const spin = ([u, v, ...rest]: Row): Row => [
          u * Math.cos(turn) - v * Math.sin(turn) + shift,
          u * Math.sin(turn) + v * Math.cos(turn) - shift,
          rest[0],
          rest[1],
          rest[2] + turn,
        ];
        for (const overlap of [...names, 'polygon'] as const) {
          const value = overlapOf(a, b, of(overlap));
          const close = (other: number) => expect(Math.abs(other - value), overlap).toBeLessThan(1e-6);
          close(overlapOf([x, y, w, h, angle + Math.PI], b, of(overlap)));
          close(overlapOf([x, y, h, w, angle + Math.PI / 2], b, of(overlap)));
          close(overlapOf(spin(a), spin(b), of(overlap)));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('GWD, KFIoU and ProbIoU are symmetric; KLD is not', () => {
    const [a, b]: Row[] = [
      [0, 0, 4, 2, 0.3],
      [1, 0, 9, 3, 1],
    ];
    for (const overlap of ['gwd', 'kfiou', 'probiou'] as const) {
      expect(overlapOf(a!, b!, of(overlap))).toBeCloseTo(overlapOf(b!, a!, of(overlap)), 12);
    }
    expect(Math.abs(overlapOf(a!, b!, of('kld')) - overlapOf(b!, a!, of('kld')))).toBeGreaterThan(0.01);
  });

  it('boxes without area stay finite, boxes that are not finite are NaN', () => {
    const flat: Row = [0, 0, 0, 0, 0.5];
    const solid: Row = [0, 0, 3, 2, 0];
    for (const overlap of names) {
      expect(overlapOf(flat, solid, of(overlap))).toBeGreaterThan(-1e-3);
      expect(overlapOf([Number.NaN, 0, 1, 1, 0], solid, of(overlap))).toBeNaN();
      expect(overlapOf(solid, [0, 0, 3, 2, Number.POSITIVE_INFINITY], of(overlap))).toBeNaN();
    }
  });

  it('refuses unknown names and parameters', () => {
    for (const options of [
      { overlap: 'gwd' as 'polygon' },
      { overlap: null as unknown as 'polygon' },
      { angleUnit: 'grad' as 'degree' },
    ]) {
      expect(() => overlapOf([0, 0, 1, 1, 0], [0, 0, 1, 1, 0], options)).toThrow(OptionError);
    }
    for (const options of [{ tau: 0 }, { alpha: -1 }, { distanceTransform: 'log' as 'log1p' }]) {
      expect(() => wassersteinOverlap(options)).toThrow(OptionError);
      expect(() => kullbackLeiblerOverlap(options)).toThrow(OptionError);
    }
  });

  it('suppression takes them', () => {
    const boxes = Float32Array.of(0, 0, 10, 4, 1, 0, 11, 4, 40, 0, 50, 4);
    const keep = rotatedNms(boxes, new Float32Array(3), Float32Array.of(0.9, 0.8, 0.7), {
      overlap: wassersteinOverlap(),
      iouThreshold: 0.8,
    });
    expect([...keep]).toEqual([0, 2]);
  });
});

describe('angle conventions', () => {
  const formats: AngleFormat[] = (['le90', 'le135', 'opencv', 'opencv-old', 'ultralytics'] as const).flatMap(
    (convention) =>
      (['radian', 'degree'] as const).flatMap((angleUnit) =>
        (['clockwise', 'counterclockwise'] as const).map((direction) => ({
          convention,
          angleUnit,
          direction,
        })),
      ),
  );
  const degrees: Record<AngleConvention, readonly [low: number, high: number]> = {
    le90: [-90, 90],
    le135: [-45, 135],
    opencv: [0, 90],
    'opencv-old': [-90, 0],
    ultralytics: [0, 180],
  };

  it('every one names the same rectangle, and keeps to its range', () => {
    fc.assert(
      fc.property(rotated, fc.constantFrom(...formats), fc.constantFrom(...formats), (row, first, second) => {
        const box = boxOf(row);
        const angles = Float64Array.of(row[4]);
        const one = convertRotatedBoxes(box, angles, {}, first);
        const two = convertRotatedBoxes(one.boxes, one.angles, first, second);
        for (const [format, converted] of [
          [first, one],
          [second, two],
        ] as const) {
          const unit = format.angleUnit === 'degree' ? 1 : Math.PI / 180;
          const [low, high] = degrees[format.convention!];
          expect(converted.angles[0]).toBeGreaterThanOrEqual(low * unit);
          expect(converted.angles[0]).toBeLessThanOrEqual(high * unit);
          const [x1, y1, x2, y2] = converted.boxes as unknown as Row;
          if (!format.convention!.startsWith('opencv'))
            expect(x2 - x1).toBeGreaterThanOrEqual(y2 - y1 - 1e-9);
          const back = convertRotatedBoxes(converted.boxes, converted.angles, format, {});
          const same = rotatedIou(back.boxes, back.angles, box, angles)[0];
          expect(same).toBeGreaterThan(1 - 1e-9);
        }
      }),
    );
  });

  it('known rectangles', () => {
    const convert = (w: number, h: number, angle: number, convention: AngleConvention): number[] => {
      const { boxes, angles } = convertRotatedBoxes(
        Float64Array.of(-w / 2, -h / 2, w / 2, h / 2),
        Float64Array.of(angle),
        { angleUnit: 'degree' },
        { angleUnit: 'degree', convention },
      );
      return [boxes[2]! - boxes[0]!, boxes[3]! - boxes[1]!, angles[0]!];
    };
    // cv2.minAreaRect of an upright 4×2: ((…), (2, 4), 90) since 4.5.1, ((…), (2, 4), -90) before.
    expect(convert(4, 2, 0, 'opencv')).toEqual([2, 4, 90]);
    expect(convert(4, 2, 0, 'opencv-old')).toEqual([2, 4, -90]);
    expect(convert(4, 2, 30, 'opencv')).toEqual([4, 2, 30]);
    expect(convert(4, 2, 30, 'opencv-old')).toEqual([2, 4, -60]);
    expect(convert(2, 4, 0, 'le90')).toEqual([4, 2, -90]);
    expect(convert(2, 4, 60, 'le135')).toEqual([4, 2, -30]);
    expect(convert(4, 2, 135, 'le135')).toEqual([4, 2, -45]);
    expect(convert(4, 2, -30, 'ultralytics')).toEqual([4, 2, 150]);
    expect(convert(2, 2, 0, 'le90')).toEqual([2, 2, -90]);
  });

  it('an angle that rounds to the open end of its range in float32 is the start', () => {
    // by its other side, a box 2×4 turned by 45° less one ulp is at 135° less a quarter of one
    for (const [convention, w, h, angle, start] of [
      ['le90', 2, 4, -1e-7, -90],
      ['le135', 2, 4, 45 - 2 ** -18, -45],
      ['ultralytics', 4, 2, -1e-7, 0],
    ] as const) {
      const format = { angleUnit: 'degree', convention } as const;
      const boxes = Float32Array.of(0, 0, w, h);
      const { angles } = convertRotatedBoxes(boxes, Float32Array.of(angle), { angleUnit: 'degree' }, format);
      expect(angles[0], convention).toBe(start);
    }
  });

  it('writes into out, keeps the kind of array, and refuses what does not fit', () => {
    const boxes = Float32Array.of(0, 0, 2, 4);
    const angles = Float32Array.of(0);
    const out = { boxes: new Float32Array(4), angles: new Float32Array(1) };
    const result = convertRotatedBoxes(boxes, angles, {}, { convention: 'le90', angleUnit: 'degree' }, out);
    expect(result.boxes).toBe(out.boxes);
    expect([...out.boxes, ...out.angles]).toEqual([-1, 1, 3, 3, -90]);
    expect([...boxes]).toEqual([0, 0, 2, 4]);
    expect(() => convertRotatedBoxes(boxes, new Float32Array(2), {}, {})).toThrow(ShapeError);
    expect(() => convertRotatedBoxes(boxes, [0] as unknown as Float32Array, {}, {})).toThrow(ShapeError);
    expect(() => convertRotatedBoxes(boxes, angles, {}, { convention: 'le180' as 'le90' })).toThrow(
      OptionError,
    );
    expect(() =>
      convertRotatedBoxes(boxes, angles, {}, {}, { boxes: new Float32Array(3), angles: out.angles }),
    ).toThrow(ShapeError);
  });
});

describe('corners and points', () => {
  it('corners turn clockwise on the screen', () => {
    const corners = rotatedCorners(Float64Array.of(-2, -1, 2, 1), Float64Array.of(Math.PI / 2));
    [1, -2, 1, 2, -1, 2, -1, -2].forEach((value, i) => {
      expect(corners[i]).toBeCloseTo(value, 12);
    });
  });

  it('a point lies in a box where it lies on the inner side of every edge; the border counts', () => {
    fc.assert(
      fc.property(rotated, place, place, (row, x, y) => {
        const box = boxOf(row);
        const angles = Float64Array.of(row[4]);
        const corners = rotatedCorners(box, angles);
        let least = Number.POSITIVE_INFINITY;
        for (let k = 0; k < 4; k++) {
          const [x1, y1] = [corners[2 * k]!, corners[2 * k + 1]!];
          const [x2, y2] = [corners[(2 * k + 2) % 8]!, corners[(2 * k + 3) % 8]!];
          least = Math.min(least, (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1));
        }
        if (Math.abs(least) < 1e-6) return;
        expect(pointsInRotatedBoxes(Float64Array.of(x, y), box, angles)[0]).toBe(least > 0 ? 1 : 0);
      }),
    );
    const border = Float64Array.of(0, 0, 4, 2, 4.001, 1);
    expect([...pointsInRotatedBoxes(border, Float64Array.of(0, 0, 4, 2), Float64Array.of(0))]).toEqual([
      1, 1, 0,
    ]);
  });

  it('is P×N, row-major by point; NaN lies nowhere', () => {
    const boxes = Float32Array.of(0, 0, 4, 4, 2, 2, 8, 8, Number.NaN, 0, 9, 9);
    const angles = new Float32Array(3);
    const points = Float32Array.of(1, 1, 3, 3, 7, 7, Number.NaN, 3);
    const out = new Uint8Array(12).fill(9);
    expect(pointsInRotatedBoxes(points, boxes, angles, { out })).toBe(out);
    expect([...out]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0]);
    expect(() => pointsInRotatedBoxes(points.subarray(1), boxes, angles)).toThrow(ShapeError);
    expect(() => pointsInRotatedBoxes(points, boxes, angles, { out: new Uint8Array(3) })).toThrow(ShapeError);
  });
});
