/** Encoded and decoded numbers of mmrotate's own rotated box coder, and the gradient of each of its conventions. */
import { describe, expect, it } from 'vitest';
import {
  type RotatedBoxes,
  type RotatedCoderOptions,
  rotatedDeltaCoder,
  rotatedDeltaPresets,
} from '../../src/coders/index.ts';
import golden from '../golden/matching/mmrotate.json';
import { uniform } from '../golden/seeded.ts';

const count = 12;

/** As `rotated` of the golden's script: centre, size and angle to an unrotated rectangle and an angle. */
function rotated(seed: number): RotatedBoxes {
  const u = uniform(seed, 5 * count, 0, 1);
  const [boxes, angles] = [new Float64Array(4 * count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const [x, y, w, h, a] = [200, 160, 60, 60, 4].map((scale, k) =>
      Math.fround(u[5 * i + k]! * scale + [0, 0, 4, 4, -2][k]!),
    ) as [number, number, number, number, number];
    boxes.set([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 4 * i);
    angles[i] = a;
  }
  return { boxes, angles };
}

const [priors, boxes] = [rotated(1), rotated(2)];
const raw = uniform(3, 5 * count, -2, 2);

/** cx, cy, w, h, angle of each box. */
const rows = ({ boxes: b, angles }: RotatedBoxes): number[] =>
  [...angles].flatMap((angle, i) => {
    const [x1, y1, x2, y2] = b.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, angle];
  });

const optionsOf = (name: string): RotatedCoderOptions => {
  const [angleRange, edgeSwap, projected, factor] = name.split(' ');
  return {
    ...rotatedDeltaPresets.mmrotate,
    std: [0.1, 0.1, 0.2, 0.2],
    angleStd: 0.1 * (factor === '0' ? 1 : Number(factor) * Math.PI),
    angleRange: angleRange as 'le90',
    edgeSwap: edgeSwap === '1',
    projected: projected === '1',
  };
};

describe.each(Object.entries(golden.results))('%s', (name, wanted) => {
  const coder = rotatedDeltaCoder(optionsOf(name));
  const compare = (got: ArrayLike<number>, expected: readonly number[]): void => {
    expect(got).toHaveLength(expected.length);
    expected.forEach((value, k) => {
      expect(Math.abs(got[k]! - value), `number ${k}`).toBeLessThan(2e-4 * Math.max(1, Math.abs(value) / 10));
    });
  };

  it('encodes and decodes as mmrotate', () => {
    compare(coder.encode(boxes, priors), wanted.encoded);
    compare(rows(coder.decode(raw, priors)), wanted.decoded);
  });

  it('carries gradients back', () => {
    const weights = { boxes: uniform(4, 4 * count, -1, 1), angles: uniform(5, count, -1, 1) };
    const loss = (encoded: Float64Array): number => {
      const decoded = coder.decode(encoded, priors);
      let sum = 0;
      for (let k = 0; k < 4 * count; k++) sum += decoded.boxes[k]! * weights.boxes[k]!;
      for (let k = 0; k < count; k++) sum += decoded.angles[k]! * weights.angles[k]!;
      return sum;
    };
    const gradient = coder.decodeGradient(weights, raw, priors);
    raw.forEach((value, k) => {
      const at = (change: number): number => loss(raw.with(k, value + change));
      expect(gradient[k]).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 5);
    });
  });
});

it('what is not an option is refused', () => {
  for (const options of [
    { angleRange: 'le45' },
    { angleUnit: 'turn' },
    { angleStd: 0 },
    { sizeClamp: 'all' },
  ]) {
    expect(() => rotatedDeltaCoder(options as RotatedCoderOptions)).toThrow(
      expect.objectContaining({ code: 'OPTION' }),
    );
  }
});
