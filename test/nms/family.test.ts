/** The members of the family against plain restatements and their own special cases, on seeded sets. */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { pairwiseIou } from '../../src/iou/index.ts';
import {
  adaptiveNms,
  boxVoting,
  clusterNms,
  fastNms,
  matrixNms,
  nms,
  scoreVoting,
  softerNms,
  softNms,
  weightedNms,
} from '../../src/nms/index.ts';
import { makeSet } from '../golden/nms/sets.ts';
import { matrixReference, type Ranked, rank, softReference } from './reference.ts';

const kinds = ['uniform', 'detector', 'grid', 'negative', 'thin'] as const;

const sets = kinds.flatMap((kind, k) =>
  [3, 40, 150].map((count) => {
    const set = makeSet({ seed: 100 + count + k, kind, count, classes: 3, threshold: 0 });
    const boxes = Float64Array.from(set.boxes);
    const scores = Float64Array.from(set.scores, (score) => Math.abs(score));
    const matrix = pairwiseIou(boxes, boxes);
    const ranked: Ranked = {
      order: rank(scores),
      similarity: (i, j) => matrix[i * count + j]!,
      sameClass: (i, j) => set.classIds[i] === set.classIds[j],
      scores,
    };
    return { name: `${kind} ${count}`, boxes, scores, classIds: set.classIds, ranked };
  }),
);

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 9): void => {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, digits);
};

describe.each(sets)('$name', ({ boxes, scores, classIds, ranked }) => {
  it('soft-NMS equals the paper’s loop in every convention', () => {
    const sigma = 0.3;
    const cases = [
      [{ method: 'gaussian', sigma }, (iou: number) => Math.exp((-iou * iou) / sigma)],
      [
        { method: 'gaussian', sigma, preset: 'tensorflow' },
        (iou: number) => Math.exp((-0.5 * iou * iou) / sigma),
      ],
      [{ method: 'linear', iouThreshold: 0.5 }, (iou: number) => (iou >= 0.5 ? 1 - iou : 1)],
      [{ method: 'linear', iouThreshold: 0.5, comparator: '>' }, (iou: number) => (iou > 0.5 ? 1 - iou : 1)],
    ] as const;
    for (const [options, weight] of cases) {
      const expected = softReference(ranked, weight, 0.05);
      const result = softNms(boxes, scores, { ...options, scoreThreshold: 0.05, classIds });
      expect([...result.indices]).toEqual(expected.indices);
      expectClose(result.scores, expected.scores);
    }
    const original = softNms(boxes, scores, {
      sigma,
      scoreThreshold: 0.05,
      classIds,
      returnScores: 'original',
    });
    for (const [at, index] of original.indices.entries()) expect(original.scores[at]).toBe(scores[index]);
  });

  it('hard soft-NMS is greedy NMS with >=', () => {
    const hard = softNms(boxes, scores, { method: 'hard', iouThreshold: 0.4, scoreThreshold: 0, classIds });
    const greedy = nms(boxes, scores, { iouThreshold: 0.4, comparator: '>=', scoreThreshold: 0, classIds });
    expect([...hard.indices]).toEqual([...greedy]);
  });

  it('matrix NMS equals the dense form', () => {
    for (const [options, f] of [
      [{ kernel: 'gaussian' }, (iou: number) => Math.exp(-2 * iou * iou)],
      [
        { kernel: 'gaussian', sigma: 0.5, sigmaConvention: 'divide' },
        (iou: number) => Math.exp((-iou * iou) / 0.5),
      ],
      [{ kernel: 'linear' }, (iou: number) => 1 - iou],
    ] as const) {
      const expected = matrixReference(ranked, f);
      const result = matrixNms(boxes, scores, { ...options, classIds });
      result.indices.forEach((index, i) => {
        // The reference forms x/0 where a better box duplicates another.
        if (Number.isFinite(expected.get(index)!))
          expect(result.scores[i]).toBeCloseTo(expected.get(index)!, 9);
      });
      const scoresOut = [...result.scores];
      expect(scoresOut).toEqual([...scoresOut].sort((a, b) => b - a));
    }
    const strict = matrixNms(boxes, scores, { classIds, postThreshold: 0.2, postComparator: '>' });
    expect(strict.scores.every((score) => score > 0.2)).toBe(true);
  });

  it('cluster NMS at its fixed point is greedy NMS', () => {
    for (const iouThreshold of [0.3, 0.5, 0.7]) {
      const cluster = clusterNms(boxes, scores, {
        iouThreshold,
        classIds,
        postThreshold: Number.NEGATIVE_INFINITY,
        maxIterations: Number.POSITIVE_INFINITY,
      });
      expect([...cluster.indices]).toEqual([...nms(boxes, scores, { iouThreshold, classIds })]);
    }
  });

  it('fast NMS after one round keeps a subset of greedy NMS', () => {
    const fast = fastNms(boxes, scores, { classIds });
    const greedy = new Set(nms(boxes, scores, { classIds }));
    expect([...fast.indices].every((index) => greedy.has(index))).toBe(true);
    const { order, similarity, sameClass } = ranked;
    const expected = order.filter((j, at) =>
      order.slice(0, at).every((i) => !(sameClass(i, j) && similarity(i, j) > 0.5)),
    );
    expect([...fast.indices]).toEqual(expected);
    expect(fastNms(boxes, scores, { classIds, preset: 'ultralytics' }).indices.length).toBeLessThanOrEqual(
      expected.length,
    );
  });

  it('adaptive NMS with no density is greedy NMS, with full density keeps all', () => {
    const none = adaptiveNms(boxes, scores, { densities: new Float32Array(scores.length), classIds });
    expect([...none.indices]).toEqual([...nms(boxes, scores, { classIds })]);
    const full = adaptiveNms(boxes, scores, { densities: new Float32Array(scores.length).fill(1), classIds });
    expect(full.indices.length).toBe(scores.length);
  });

  it('voting keeps what greedy NMS keeps and moves it to the weighted mean', () => {
    const greedy = nms(boxes, scores, { classIds });
    const { order, similarity, sameClass } = ranked;
    const mean = (index: number, weight: (j: number) => number): number[] => {
      const voters = order.filter((j) => sameClass(index, j) && weight(j) > 0);
      const total = voters.reduce((sum, j) => sum + weight(j), 0);
      return [0, 1, 2, 3].map((c) =>
        voters.length === 0
          ? boxes[4 * index + c]!
          : voters.reduce((sum, j) => sum + weight(j) * boxes[4 * j + c]!, 0) / total,
      );
    };
    const voted = boxVoting(boxes, scores, { classIds });
    expect([...voted.indices]).toEqual([...greedy]);
    const scored = scoreVoting(boxes, scores, { classIds });
    const soft = softNms(boxes, scores, { classIds });
    const variances = Float64Array.from(boxes, (_, i) => 1 + (i % 7));
    const softer = softerNms(boxes, scores, { classIds, variances });
    expect([...softer.indices]).toEqual([...soft.indices]);
    voted.indices.forEach((index, row) => {
      const vote = mean(index, (j) => (similarity(index, j) >= 0.5 ? scores[j]! : 0));
      expectClose(voted.boxes.subarray(4 * row, 4 * row + 4), vote, 6);
      const paa = mean(index, (j) =>
        similarity(index, j) > 0.01 ? Math.exp(-((1 - similarity(index, j)) ** 2) / 0.025) * scores[j]! : 0,
      );
      expectClose(scored.boxes.subarray(4 * row, 4 * row + 4), paa, 6);
    });
    softer.indices.forEach((index, row) => {
      for (let c = 0; c < 4; c++) {
        const vote = mean(index, (j) =>
          similarity(index, j) > 0
            ? Math.exp(-((1 - similarity(index, j)) ** 2) / 0.02) / variances[4 * j + c]!
            : 0,
        );
        expect(softer.boxes[4 * row + c]).toBeCloseTo(vote[c]!, 6);
      }
    });
  });

  it('weighted NMS puts every box into one group and averages it', () => {
    const keypoints = Float64Array.from(
      { length: 2 * scores.length },
      (_, i) => boxes[4 * (i >> 1) + (i & 1)]!,
    );
    const result = weightedNms(boxes, scores, { classIds, keypoints });
    let left = [...ranked.order];
    const expected: { seed: number; score: number; box: number[] }[] = [];
    while (left.length > 0) {
      const seed = left[0]!;
      const group = left.filter(
        (j) => j === seed || (ranked.sameClass(seed, j) && ranked.similarity(seed, j) > 0.3),
      );
      left = left.filter((j) => !group.includes(j));
      const total = group.reduce((sum, j) => sum + scores[j]!, 0);
      const box = [0, 1, 2, 3].map((c) =>
        total > 0
          ? group.reduce((sum, j) => sum + scores[j]! * boxes[4 * j + c]!, 0) / total
          : boxes[4 * seed + c]!,
      );
      expected.push({ seed, score: total / group.length, box });
    }
    expect(result.indices.length).toBe(expected.length);
    result.indices.forEach((index, row) => {
      const group = expected.find(({ seed }) => seed === index)!;
      expect(result.scores[row]).toBeCloseTo(group.score, 9);
      expectClose(result.boxes.subarray(4 * row, 4 * row + 4), group.box, 6);
      expect(result.keypoints![2 * row]).toBeCloseTo(group.box[0]!, 6);
    });
  });
});

describe('cluster NMS variants', () => {
  // Three boxes: 0 and 1 overlap by 0.9, 2 touches 0 by 0.25; by hand from the authors' formulas.
  const boxes = Float64Array.of(0, 0, 10, 10, 0, 0, 10, 9, 0, 7.5, 10, 10);
  const scores = Float64Array.of(0.9, 0.8, 0.7);

  it('spm lowers by kept boxes only', () => {
    const { indices, scores: lowered } = clusterNms(boxes, scores, { variant: 'spm' });
    const byIndex = Object.fromEntries([...indices].map((index, i) => [index, lowered[i]!]));
    expect(byIndex[0]).toBe(0.9);
    expect(byIndex[1]).toBeCloseTo(0.8 * Math.exp(-0.81 / 0.2), 9);
    expect(byIndex[2]).toBeCloseTo(0.7 * Math.exp(-0.0625 / 0.2), 9);
  });

  it('spm-dist forgives distant centres', () => {
    const { indices, scores: lowered } = clusterNms(boxes, scores, { variant: 'spm-dist' });
    const byIndex = Object.fromEntries([...indices].map((index, i) => [index, lowered[i]!]));
    const share = 3.75 ** 2 / 200;
    expect(byIndex[2]).toBeCloseTo(0.7 * Math.min(1, Math.exp(-0.0625 / 0.2) + share ** 0.6), 9);
  });

  it('weighted averages with what lies above 0.8', () => {
    const { indices, boxes: moved } = clusterNms(boxes, scores, { variant: 'weighted' });
    expect([...indices]).toEqual([0, 2]);
    const weight = 0.9 * 0.8;
    expect(moved[3]).toBeCloseTo((0.9 * 10 + weight * 9) / (0.9 + weight), 9);
    expect([...moved.subarray(4)]).toEqual([0, 7.5, 10, 10]);
  });
});

describe('bad input', () => {
  const box = Float32Array.of(0, 0, 1, 1);
  const score = Float32Array.of(0.5);
  it('is named', () => {
    expect(() => softNms(box, score, { sigma: 0 })).toThrow(OptionError);
    expect(() => softNms(box, score, { method: 'soft' as 'hard' })).toThrow(OptionError);
    expect(() => matrixNms(box, new Float32Array(2))).toThrow(ShapeError);
    expect(() => adaptiveNms(box, score, { densities: new Float32Array(2) })).toThrow(ShapeError);
    expect(() => softerNms(box, score, { variances: new Float32Array(3) })).toThrow(ShapeError);
    expect(() => weightedNms(box, score, { keypoints: [] as unknown as Float32Array })).toThrow(ShapeError);
    expect(() => clusterNms(box, score, { variant: 'x' as 'plain' })).toThrow(OptionError);
  });

  it('is left out: NaN and infinite scores and coordinates, empty input', () => {
    const bad = Float32Array.of(0, 0, 1, 1, Number.NaN, 0, 1, 1, 0, 0, Number.POSITIVE_INFINITY, 1);
    const scores = Float32Array.of(Number.NaN, 0.5, 0.4);
    for (const run of [softNms, fastNms, matrixNms, clusterNms, boxVoting, scoreVoting, weightedNms]) {
      expect(run(bad, scores).indices).toHaveLength(0);
      expect(run(new Float32Array(0), new Float32Array(0)).scores).toHaveLength(0);
    }
  });
});
