/** Rotated boxes: detectron2's and mmcv's published values, sampled areas, and suppression. */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { pairwiseIou, type RotatedOptions, rotatedIou, rotatedNms } from '../../src/index.ts';
import { makeSet } from '../golden/nms/sets.ts';

/** Boxes and angles of rows cx, cy, w, h, angle. */
function read(rows: readonly (readonly number[])[]): { boxes: Float64Array; angles: Float64Array } {
  return {
    boxes: Float64Array.from(
      rows.flatMap(([x = 0, y = 0, w = 0, h = 0]) => [x - w / 2, y - h / 2, x + w / 2, y + h / 2]),
    ),
    angles: Float64Array.from(rows, (row) => row[4]!),
  };
}

function overlap(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  options: RotatedOptions = {},
) {
  const first = read(a);
  const second = read(b);
  return rotatedIou(first.boxes, first.angles, second.boxes, second.angles, options);
}

const expectClose = (values: ArrayLike<number>, expected: readonly number[], digits: number): void => {
  expected.forEach((value, i) => {
    expect(values[i]).toBeCloseTo(value, digits);
  });
};

describe('detectron2 (degrees, counter-clockwise)', () => {
  const options = { angleUnit: 'degree', direction: 'counterclockwise' } as const;
  it.each([
    [[5, 5, 10, 6, 55], [5, 5, 10, 6, -35], 36 / 84],
    [[3, 3, 8, 2, -45], [6, 0, 8, 2, -45], 0],
    [[160, 153, 230, 23, -37], [190, 127, 80, 21, -46], 0],
    [
      [299.5, 417.370422, 600, 364.259186, 27.1828],
      [299.5, 417.370422, 600, 364.259155, 27.1828],
      364.259155 / 364.259186,
    ],
    [[1, 1, 2, 2, 0], [1, 1, 2, 2, 90], 1],
  ])('%j and %j', (a, b, expected) => {
    // The second pair is published for one reading of the angle: both directions mirror both boxes alike.
    expect(overlap([a], [b], options)[0]).toBeCloseTo(expected, 6);
    expect(overlap([b], [a], options)[0]).toBeCloseTo(expected, 6);
  });

  it('never goes below 0 at 1e17', () => {
    expect(
      overlap([[1e17, 1e17, 10, 10, 30]], [[1e17, 1e17, 10, 10, 31]], options)[0],
    ).toBeGreaterThanOrEqual(0);
  });
});

describe('mmcv (radians, clockwise)', () => {
  const a = [
    [1, 1, 3, 4, 0.5],
    [2, 2, 3, 4, 0.6],
    [7, 7, 8, 8, 0.4],
  ];
  const b = [
    [0, 2, 2, 5, 0.3],
    [2, 1, 3, 3, 0.5],
    [5, 5, 6, 7, 0.4],
  ];
  it('box_iou_rotated', () => {
    expectClose(overlap(a, b), [0.3708, 0.4351, 0, 0.1104, 0.4487, 0.0424, 0, 0, 0.3622], 4);
  });
  it('mode iof', () => {
    expectClose(
      overlap(a, b, { overlap: 'iof' }),
      [0.4959, 0.5306, 0, 0.1823, 0.542, 0.1832, 0, 0, 0.4404],
      4,
    );
  });
  it('nms_rotated', () => {
    const { boxes, angles } = read([
      [6, 3, 8, 7, 0.5],
      [3, 6, 9, 11, 0.6],
      [3, 7, 10, 12, 0.3],
      [1, 4, 13, 7, 0.6],
    ]);
    const scores = Float32Array.of(0.7, 0.8, 0.5, 0.9);
    expect([...rotatedNms(boxes, angles, scores, { iouThreshold: 0.5 })]).toEqual([3, 1, 0]);
    const classIds = Int32Array.of(1, 0, 1, 0);
    expect([...rotatedNms(boxes, angles, scores, { iouThreshold: 0.5, classIds })]).toEqual([3, 1, 0, 2]);
  });
});

describe('rotatedIou', () => {
  const set = makeSet({ seed: 77, kind: 'detector', count: 40, classes: 1, threshold: 0 });
  const angles = Float64Array.from({ length: 40 }, (_, i) => (i * 2.399) % Math.PI);

  it('without angles is the plain IoU; a quarter turn swaps the sides', () => {
    const boxes = Float64Array.from(set.boxes);
    const upright = rotatedIou(boxes, new Float64Array(40), boxes, new Float64Array(40));
    pairwiseIou(boxes, boxes).forEach((value, i) => {
      expect(upright[i]).toBeCloseTo(value, 12);
    });
    const turned = overlap([[0, 0, 4, 2, Math.PI / 2]], [[0, 0, 2, 4, 0]]);
    expect(turned[0]).toBeCloseTo(1, 12);
  });

  it('agrees with counting points', () => {
    const inside = (boxes: Float64Array, i: number, angle: number, x: number, y: number): boolean => {
      const at = 4 * i;
      const dx = x - (boxes[at]! + boxes[at + 2]!) / 2;
      const dy = y - (boxes[at + 1]! + boxes[at + 3]!) / 2;
      const along = dx * Math.cos(angle) + dy * Math.sin(angle);
      const across = dy * Math.cos(angle) - dx * Math.sin(angle);
      return (
        Math.abs(2 * along) <= boxes[at + 2]! - boxes[at]! &&
        Math.abs(2 * across) <= boxes[at + 3]! - boxes[at + 1]!
      );
    };
    const boxes = Float64Array.from(set.boxes);
    const values = rotatedIou(boxes, angles, boxes, angles);
    for (let i = 0; i < 6; i++) {
      for (let j = i + 1; j < 6; j++) {
        const left = Math.min(boxes[4 * i]!, boxes[4 * j]!) - 150;
        const top = Math.min(boxes[4 * i + 1]!, boxes[4 * j + 1]!) - 150;
        let both = 0;
        let either = 0;
        for (let y = 0; y < 400; y++) {
          for (let x = 0; x < 400; x++) {
            const first = inside(boxes, i, angles[i]!, left + 1.5 * x, top + 1.5 * y);
            const second = inside(boxes, j, angles[j]!, left + 1.5 * x, top + 1.5 * y);
            if (first && second) both++;
            if (first || second) either++;
          }
        }
        expect(Math.abs(values[40 * i + j]! - both / either)).toBeLessThan(0.03);
      }
    }
  });

  it('ProbIoU: identical boxes give 1 - sqrt(2e-7) or so, far ones nearly 0, symmetric', () => {
    const boxes = Float64Array.from(set.boxes);
    const values = rotatedIou(boxes, angles, boxes, angles, { overlap: 'probiou' });
    for (let i = 0; i < 40; i++) {
      expect(values[41 * i]).toBeGreaterThan(0.9993);
      expect(values[41 * i]).toBeLessThan(0.9998);
      for (let j = 0; j < i; j++) expect(values[40 * i + j]).toBeCloseTo(values[40 * j + i]!, 9);
    }
    expect(overlap([[0, 0, 2, 2, 0]], [[100, 0, 2, 2, 0]], { overlap: 'probiou' })[0]).toBeLessThan(1e-6);
  });

  it('refuses what does not belong together', () => {
    const one = Float64Array.of(0, 0, 1, 1);
    expect(() => rotatedIou(one, new Float64Array(2), one, new Float64Array(1))).toThrow(ShapeError);
    const bad = { overlap: 'x' as 'polygon' };
    expect(() => rotatedIou(one, new Float64Array(1), one, new Float64Array(1), bad)).toThrow(OptionError);
    expect([...rotatedNms(one, Float64Array.of(Number.NaN), Float32Array.of(0.5))]).toEqual([]);
  });
});
