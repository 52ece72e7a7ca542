/** Assignments identical to those of ultralytics' and yolov5's own packages. */
import { describe, expect, it } from 'vitest';
import { pointPriors, yoloAnchors } from '../../src/anchors/index.ts';
import { type Assignment, taskAlignedMatcher, yolov5Matcher } from '../../src/matching/index.ts';
import { realSet } from '../golden/matching/real-sets.ts';
import { digest, groundTruths, padded, predictions } from '../golden/matching/sets.ts';
import golden from '../golden/matching/ultralytics.json';
import { integers } from '../golden/seeded.ts';
import { describeWithData } from '../support/data.ts';

const classCount = 5;

interface Image {
  readonly width: number;
  readonly height: number;
}

function taskAligned(
  image: Image,
  boxes: Float32Array,
  groundTruthClasses: ArrayLike<number>,
  seed: number,
): Assignment {
  const priors = pointPriors({ image, strides: [8, 16, 32] });
  const points = new Float64Array(priors.boxes.length / 2);
  for (let k = 0; k < points.length; k++) {
    const at = 4 * (k >> 1) + (k % 2);
    points[k] = (priors.boxes[at]! + priors.boxes[at + 2]!) / 2;
  }
  const predicted = predictions(seed + 100, points, boxes, classCount);
  return taskAlignedMatcher(priors, boxes, { groundTruthClasses, predictions: predicted });
}

function pairs(image: Image, boxes: Float32Array): readonly [count: number, digest: number] {
  const { priorIndices, gtIndices } = yolov5Matcher(yoloAnchors({ image }), boxes);
  return [gtIndices.length, digest([...priorIndices, ...gtIndices])];
}

const positivesOf = (gtIndices: Int32Array): number => gtIndices.filter((gt) => gt >= 0).length;

describe.each(golden.random)('$count boxes on $width × $height', ({ seed, count, tal, yolov5, ...image }) => {
  const boxes = groundTruths(seed, count, image.width, image.height);

  it('TaskAlignedAssigner', () => {
    const { gtIndices, weights } = taskAligned(image, boxes, integers(seed + 7, count, classCount), seed);
    expect(positivesOf(gtIndices)).toBe(tal.positives);
    expect(digest(gtIndices)).toBe(tal.digest);
    expect(weights!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(tal.weightSum, 3);
    const first = [...gtIndices.keys()].filter((j) => gtIndices[j]! >= 0).slice(0, 6);
    first.forEach((j, i) => {
      expect(weights![j]).toBeCloseTo(tal.weights[i]!, 5);
    });
  });

  it('build_targets', () => {
    expect(pairs(image, boxes)).toEqual([yolov5.pairs, yolov5.digest]);
  });
});

describeWithData.each(golden.real)('real annotations of $set', ({ set, images, tal, yolov5 }) => {
  // read inside the tests: a suite that is skipped runs this far
  const read = () =>
    realSet(set as 'pills' | 'coco').map(({ width, height, ...rest }, i) => ({
      ...rest,
      image: { width: padded(width), height: padded(height) },
      seed: 20_000 + 1000 * i,
    }));

  it('TaskAlignedAssigner', { timeout: 60_000 }, () => {
    const all = read();
    expect(all).toHaveLength(images);
    let positives = 0;
    const digests = all.map(({ image, boxes, classes, seed }) => {
      const labels = classes.map((id) => id % classCount);
      const { gtIndices } = taskAligned(image, boxes, labels, seed);
      positives += positivesOf(gtIndices);
      return digest(gtIndices) & 0x7fffffff;
    });
    expect({ positives, digest: digest(digests) }).toEqual(tal);
  });

  it('build_targets', () => {
    const found = read().map(({ image, boxes }) => pairs(image, boxes));
    const total = found.reduce((sum, [count]) => sum + count, 0);
    expect({ pairs: total, digest: digest(found.map(([, value]) => value & 0x7fffffff)) }).toEqual(yolov5);
  });
});
