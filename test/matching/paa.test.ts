/** PAA: the mixture is scikit-learn's, and the positives are those below its most likely loss. */
import { describe, expect, it } from 'vitest';
import { mmdetectionAnchors } from '../../src/anchors/index.ts';
import { fitGaussianPair } from '../../src/matching/gaussian-mixture.ts';
import { maxIouMatcher, paaMatcher } from '../../src/matching/index.ts';
import golden from '../golden/matching/paa.json';
import { groundTruths } from '../golden/matching/sets.ts';
import { uniform } from '../golden/seeded.ts';

describe('two Gaussians', () => {
  it.each(golden.cases)('$count losses from $low to $high, seed $seed', (wanted) => {
    const { seed, count, low, high } = wanted;
    const losses = Float32Array.from(uniform(seed, count, low, high)).sort();
    const { means, variances, components, logLikelihoods } = fitGaussianPair(losses);
    wanted.means.forEach((mean, k) => {
      expect(means[k as 0 | 1]).toBeCloseTo(mean, 9);
      expect(variances[k as 0 | 1]).toBeCloseTo(wanted.variances[k]!, 9);
    });
    const foreground = [...components.keys()].filter((i) => components[i] === 0);
    const best = foreground.reduce(
      (a, b) => (logLikelihoods[b]! > logLikelihoods[a]! ? b : a),
      foreground[0]!,
    );
    expect(foreground.slice(0, foreground.indexOf(best) + 1)).toEqual(wanted.positives);
  });
});

describe('paaMatcher', () => {
  const anchors = mmdetectionAnchors({
    image: { width: 256, height: 256 },
    strides: [8, 16, 32, 64],
    ratios: [1],
    octaveBaseScale: 8,
    scalesPerOctave: 1,
  });
  const count = anchors.boxes.length / 4;
  const boxes = groundTruths(3, 12, 256, 256);
  const losses = uniform(5, count, 0, 3);

  it('keeps some of the candidates, the cheap ones, and ignores none', () => {
    const candidates = maxIouMatcher(anchors, boxes, {
      positiveThreshold: 0.1,
      negativeThreshold: 0.1,
      lowQuality: 'selecting',
    });
    const seen: number[] = [];
    const { gtIndices, labels } = paaMatcher(anchors, boxes, {
      groundTruthClasses: new Uint8Array(12).fill(2),
      losses: ({ gtIndices: first }) => {
        seen.push(...first);
        return losses;
      },
    });
    expect(seen).toEqual(Array.from(candidates.gtIndices));
    let positives = 0;
    gtIndices.forEach((gt, j) => {
      expect(gt === -1 || gt === candidates.gtIndices[j]).toBe(true);
      expect(labels![j]).toBe(gt >= 0 ? 2 : -1);
      if (gt < 0) return;
      positives++;
      // never more than the nine cheapest of its level
      const level = anchors.levels.find(({ start, count: length }) => j >= start && j < start + length)!;
      const cheaper = [...candidates.gtIndices.keys()].filter(
        (k) =>
          k >= level.start &&
          k < level.start + level.count &&
          candidates.gtIndices[k] === gt &&
          losses[k]! < losses[j]!,
      );
      expect(cheaper.length).toBeLessThan(9);
    });
    expect(positives).toBeGreaterThan(12);
    expect(positives).toBeLessThan(candidates.gtIndices.filter((gt) => gt >= 0).length);
  });

  it('refuses a loss that is not a number where one is needed', () => {
    expect(() => paaMatcher(anchors, boxes, { losses: new Float64Array(count).fill(Number.NaN) })).toThrow(
      /NaN/,
    );
    expect(() => paaMatcher(anchors, boxes, { losses: [1, 2] })).toThrow(/losses, got 2/);
  });
});
