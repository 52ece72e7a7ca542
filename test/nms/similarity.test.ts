/** Suppression of masks, poses and anything else that can be compared. */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { alignedIou, maskIou, maskNms, nms, nmsBySimilarity, oksNms, rleFromBoxes } from '../../src/index.ts';
import { makeSet } from '../golden/nms/sets.ts';
import { greedyReference, rank } from './reference.ts';

describe('nmsBySimilarity', () => {
  it('with the plain IoU is nms', () => {
    for (const kind of ['uniform', 'detector', 'grid', 'negative']) {
      const { boxes, scores, classIds } = makeSet({ seed: 5, kind, count: 200, classes: 4, threshold: 0 });
      const box = (i: number) => boxes.subarray(4 * i, 4 * i + 4);
      const iou = (i: number, k: number): number => alignedIou(box(i), box(k))[0]!;
      for (const options of [
        {},
        { classIds },
        { classIds, maxDetections: 9 },
        { maxCandidates: 50 },
        { scoreThreshold: 0.3 },
      ]) {
        expect([...nmsBySimilarity(scores, iou, options)]).toEqual([...nms(boxes, scores, options)]);
      }
    }
  });

  it('leaves out bad scores; a NaN similarity suppresses nothing', () => {
    const scores = Float32Array.of(0.5, Number.NaN, Number.POSITIVE_INFINITY, 0.6);
    expect([...nmsBySimilarity(scores, () => Number.NaN)]).toEqual([3, 0]);
    expect([...nmsBySimilarity(scores, () => 1)]).toEqual([3]);
    expect(() => nmsBySimilarity(scores, undefined as unknown as () => number)).toThrow(OptionError);
  });
});

describe('maskNms', () => {
  it('equals the plain loop over the matrix of mask IoU', () => {
    const set = makeSet({ seed: 8, kind: 'detector', count: 90, classes: 2, threshold: 0 });
    const boxes = Float64Array.from(set.boxes, (value) => Math.max(0, Math.floor(value / 8)));
    const masks = rleFromBoxes(boxes, [190, 190]);
    const matrix = maskIou(masks, masks);
    const ranked = {
      order: rank(set.scores),
      similarity: (i: number, k: number) => matrix[90 * i + k]!,
      sameClass: (i: number, k: number) => set.classIds[i] === set.classIds[k],
      scores: set.scores,
    };
    expect([...maskNms(masks, set.scores, { classIds: set.classIds })]).toEqual(greedyReference(ranked, 0.5));
    expect(maskNms(masks, set.scores, { overlap: 'ios' }).length).toBeLessThanOrEqual(
      maskNms(masks, set.scores).length,
    );
    expect(() => maskNms(masks, set.scores.subarray(1))).toThrow(ShapeError);
    // far from the other's pixels, so never compared
    const [other] = rleFromBoxes(Float64Array.of(180, 180, 190, 190), [200, 190]);
    expect(() =>
      maskNms([rleFromBoxes(Float64Array.of(0, 0, 2, 2), [190, 190])[0]!, other!], Float32Array.of(0.9, 0.8)),
    ).toThrow(ShapeError);
  });

  it('a part is all of itself by ios', () => {
    const masks = rleFromBoxes(Float64Array.of(0, 0, 8, 8, 0, 0, 2, 2), [10, 10]);
    const scores = Float32Array.of(0.9, 0.8);
    expect([...maskNms(masks, scores)]).toEqual([0, 1]);
    expect([...maskNms(masks, scores, { overlap: 'ios', iouThreshold: 0.99 })]).toEqual([0]);
  });

  it('exactly at the threshold stays, whatever the pixel counts', () => {
    // the smaller mask has 2 pixels, one of them in the larger of m
    for (let m = 2; m < 60; m++) {
      const masks = [
        { size: [1, 80] as const, counts: Uint32Array.of(0, m, 80 - m) },
        { size: [1, 80] as const, counts: Uint32Array.of(m - 1, 2, 79 - m) },
      ];
      const keep = (comparator: '>' | '>=') =>
        maskNms(masks, Float32Array.of(0.9, 0.8), { overlap: 'ios', comparator }).length;
      expect([m, keep('>'), keep('>=')]).toEqual([m, 2, 1]);
    }
  });
});

describe('oksNms', () => {
  const sigmas = [0.05, 0.1];
  // The second pose is the first moved by 3 pixels; the third is far away; by hand from the reference's formula.
  const poses = Float32Array.of(10, 10, 1, 20, 20, 1, 13, 10, 1, 23, 20, 0, 90, 90, 1, 80, 80, 1);
  const scores = Float32Array.of(0.9, 0.8, 0.7);
  const areas = [100, 300, 200];
  const terms = sigmas.map((sigma) => Math.exp(-9 / (2 * sigma) ** 2 / 200 / 2));

  it('compares by the mean area, keypoint by keypoint', () => {
    const oks = (terms[0]! + terms[1]!) / 2;
    const keep = (iouThreshold: number) => [...oksNms(poses, scores, { areas, sigmas, iouThreshold })];
    expect(keep(oks - 1e-9)).toEqual([0, 2]);
    expect(keep(oks + 1e-9)).toEqual([0, 1, 2]);
  });

  it('counts keypoints visible in both', () => {
    const keep = (iouThreshold: number) => [
      ...oksNms(poses, scores, { areas, sigmas, iouThreshold, visibilityThreshold: 0.5 }),
    ];
    expect(keep(terms[0]! - 1e-9)).toEqual([0, 2]);
    expect(keep(terms[0]! + 1e-9)).toEqual([0, 1, 2]);
  });

  it('refuses what does not belong together', () => {
    expect(() => oksNms(poses, scores, { areas, sigmas: [0.1] })).toThrow(ShapeError);
    expect(() => oksNms(poses, scores, { areas: [1], sigmas })).toThrow(ShapeError);
    expect(() => oksNms(poses, scores, { areas, sigmas: [] })).toThrow(OptionError);
    expect(() => oksNms(poses, scores, { areas, sigmas: sigmas.map(() => -1) })).toThrow(OptionError);
    expect(() => oksNms(poses, scores, { areas: areas.map(() => -1), sigmas })).toThrow(OptionError);
  });
});
