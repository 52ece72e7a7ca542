/** The recognition example on few digits: every loss separates classes it was trained on, and runs are repeatable. */
import { describe, expect, it } from 'vitest';
import { digitSet } from '../../examples/recognition/digits.ts';
import { experiment } from '../../examples/recognition/experiment.ts';
import { featureRows } from '../../examples/recognition/figure.ts';
import { objectives } from '../../examples/recognition/objectives.ts';
import { verificationAccuracy } from '../../examples/recognition/verification.ts';

const training = digitSet('training', 60, 1);
const heldOut = digitSet('heldOut', 30, 1);
const options = { training, heldOut, epochs: 8, seed: 1, pairs: 1000 };

describe('recognition example', () => {
  it.each(Object.keys(objectives))(
    '%s tells pairs of unseen digits apart better than chance',
    async (name) => {
      const { verification, features } = experiment(name, options);
      expect(features.features.every(Number.isFinite)).toBe(true);
      expect(verification).toBeGreaterThan(0.6);
    },
  );
  it('gives the same features for the same seed', () => {
    const [first, second] = [
      experiment('arc', { ...options, epochs: 1 }),
      experiment('arc', { ...options, epochs: 1 }),
    ];
    expect(second).toEqual(first);
    expect(featureRows('arc', first.features).length).toBeGreaterThan(250);
  });
  it('verifies separated features without a mistake', () => {
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 4);
    const features = Float32Array.from({ length: 80 }, (_, i) => {
      const angle = (Math.PI / 2) * (Math.floor(i / 2) % 4) + 0.01 * Math.floor(i / 8);
      return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    });
    expect(verificationAccuracy({ features, labels }, { features, labels }, 'angle', 400)).toBe(1);
    expect(verificationAccuracy({ features, labels }, { features, labels }, 'distance', 400)).toBe(1);
  });
});
