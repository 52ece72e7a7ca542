/** Rotated boxes as ultralytics decodes them from distances, the way back, and the gradients. */
import { describe, expect, it } from 'vitest';
import { type RotatedBoxes, rotatedDistanceCoder } from '../../src/coders/index.ts';
import golden from '../golden/matching/rotated_distance.json';
import { uniform } from '../golden/seeded.ts';

const count = 20;
const distances = uniform(1, 4 * count, 0, 15);
const angles = uniform(2, count, -0.75, 2.25);
/** Squares of side 1 about the points: a distance is then a number of sides. */
const priors = Float64Array.from({ length: 4 * count }, (_, i) => {
  const points = uniform(3, 2 * count, 0, 80);
  return points[2 * (i >> 2) + (i & 1)]! + ((i & 2) === 0 ? -0.5 : 0.5);
});

describe('rotatedDistanceCoder', () => {
  const coder = rotatedDistanceCoder({ normalise: true });

  it('decodes as ultralytics does', () => {
    const { boxes } = coder.decode(distances, angles, priors);
    golden.forEach(([x, y, w, h], i) => {
      const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4) as unknown as [
        number,
        number,
        number,
        number,
      ];
      for (const [got, expected] of [
        [(x1 + x2) / 2, x],
        [(y1 + y2) / 2, y],
        [x2 - x1, w],
        [y2 - y1, h],
      ]) {
        expect(Math.abs(got! - expected!)).toBeLessThan(1e-8);
      }
    });
  });

  it('encodes what it decoded', () => {
    const back = coder.encode(coder.decode(distances, angles, priors), priors);
    back.forEach((value: number, i: number) => {
      expect(Math.abs(value - distances[i]!)).toBeLessThan(1e-12);
    });
    const clamped = rotatedDistanceCoder({ normalise: true, maximum: 9 });
    const limited = clamped.encode(coder.decode(distances, angles, priors), priors);
    expect(Math.max(...limited)).toBe(9);
  });

  it('carries gradients back, as central differences do', () => {
    const [weights, angleWeights] = [uniform(4, 4 * count, -1, 1), uniform(5, count, -1, 1)];
    const objective = (d: Float64Array, a: Float64Array): number => {
      const { boxes } = coder.decode(d, a, priors);
      let sum = 0;
      for (let i = 0; i < 4 * count; i++) sum += boxes[i]! * weights[i]!;
      for (let i = 0; i < count; i++) sum += a[i]! * angleWeights[i]!;
      return sum;
    };
    const gradient: RotatedBoxes = { boxes: weights, angles: angleWeights };
    const got = coder.decodeGradient(gradient, distances, angles, priors);
    const step = 1e-5;
    const slope = (array: Float64Array, i: number): number => {
      const at = array[i]!;
      array[i] = at + step;
      const above = objective(distances, angles);
      array[i] = at - step;
      const below = objective(distances, angles);
      array[i] = at;
      return (above - below) / (2 * step);
    };
    for (let i = 0; i < 4 * count; i++)
      expect(Math.abs(got.encoded[i]! - slope(distances, i))).toBeLessThan(1e-6);
    for (let i = 0; i < count; i++) expect(Math.abs(got.angles[i]! - slope(angles, i))).toBeLessThan(1e-5);
  });

  it('refuses lengths that do not belong together', () => {
    expect(() => coder.decode(distances, angles.subarray(1), priors)).toThrow(
      'expected 20 angles of encoded',
    );
    expect(() => coder.encode({ boxes: distances, angles }, priors.subarray(4))).toThrow('4·N');
  });
});
