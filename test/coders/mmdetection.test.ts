/** Encoded and decoded numbers of mmdetection's own coders. */
import { expect, it } from 'vitest';
import {
  type BoxCoder,
  deltaCoder,
  deltaPresets,
  distanceCoder,
  tblrCoder,
  yoloCoder,
} from '../../src/coders/index.ts';
import golden from '../golden/matching/mmdetection.json';
import { groundTruths } from '../golden/matching/sets.ts';
import { uniform } from '../golden/seeded.ts';

const [priors, boxes] = [1, 2].map((seed) => Float64Array.from(groundTruths(seed, 12, 200, 160))) as [
  Float64Array,
  Float64Array,
];
const raw = uniform(3, 48, -2, 2);
const centre = (box: Float64Array, k: number): number => {
  const at = 4 * (k >> 2) + (k % 2);
  return (box[at]! + box[at + 2]!) / 2;
};
/** The boxes moved to 3 pixels from their priors' centres. */
const near = boxes.map((value, k) => value - centre(boxes, k) + centre(priors, k) + 3);
const probable = raw.map((value, k) => (k % 4 < 2 ? 1 / (1 + Math.exp(-value)) : value));

const cases: [
  name: keyof typeof golden.coders,
  coder: BoxCoder,
  boxes: Float64Array,
  encoded: Float64Array,
][] = [
  ['delta', deltaCoder({ ...deltaPresets.mmdetection, std: [0.1, 0.1, 0.2, 0.2] }), boxes, raw],
  ['tblr', tblrCoder(), boxes, raw],
  ['yolo', yoloCoder({ stride: 16, version: 'v3', space: 'activated' }), near, probable],
  ['distance', distanceCoder({ maximum: 16 - 0.1 }), boxes, raw],
];

it.each(cases)('%s', (name, coder, from, encoded) => {
  // mmdetection computes deltas in float32 whatever comes in: coordinates near 200 are good to 1e-5, and std divides by 0.1
  const compare = (values: ArrayLike<number>, wanted: readonly number[]): void => {
    wanted.forEach((value, k) => {
      expect(Math.abs(values[k]! - value)).toBeLessThan(
        (name === 'delta' ? 2e-5 : 1e-12) * Math.max(1, Math.abs(value)),
      );
    });
  };
  compare(coder.encode(from, priors), golden.coders[name].encoded);
  compare(coder.decode(encoded, priors), golden.coders[name].decoded);
});
