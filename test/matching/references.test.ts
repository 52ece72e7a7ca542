/** Assignments identical to mmdetection's own, and to mmyolo's, YOLOX's and ultralytics' rules restated in torch. */
import { describe, expect, it } from 'vitest';
import { type Anchors, mmdetectionAnchors, pointPriors, yoloAnchors } from '../../src/anchors/index.ts';
import {
  type Assignment,
  atssMatcher,
  dynamicSoftLabelMatcher,
  fcosMatcher,
  maxIouMatcher,
  maxIouPresets,
  simOtaMatcher,
  taskAlignedMatcher,
  uniformMatcher,
  yolov5Matcher,
} from '../../src/matching/index.ts';
import mmdetection from '../golden/matching/mmdetection.json';
import { realSet } from '../golden/matching/real-sets.ts';
import golden from '../golden/matching/references.json';
import { digest, groundTruths, padded, predictions } from '../golden/matching/sets.ts';
import { integers } from '../golden/seeded.ts';
import { describeWithData } from '../support/data.ts';

interface Scene {
  readonly image: { readonly width: number; readonly height: number };
  readonly boxes: Float32Array;
  readonly classes: ArrayLike<number>;
  readonly seed: number;
}

const classCount = 5;

function centres({ boxes }: Anchors): Float64Array {
  const points = new Float64Array(boxes.length / 2);
  for (let j = 0; j < points.length / 2; j++) {
    points[2 * j] = (boxes[4 * j]! + boxes[4 * j + 2]!) / 2;
    points[2 * j + 1] = (boxes[4 * j + 1]! + boxes[4 * j + 3]!) / 2;
  }
  return points;
}

/** Every method of the golden on a scene; priors and predictions are made once a scene. */
function methodsOf({ image, boxes, classes, seed }: Scene): Record<string, () => Partial<Assignment>> {
  const strides = [8, 16, 32];
  const all = [8, 16, 32, 64, 128];
  const anchors = mmdetectionAnchors({
    image,
    strides: all,
    ratios: [1],
    octaveBaseScale: 8,
    scalesPerOctave: 1,
  });
  const middle = pointPriors({ image, strides });
  const corner = pointPriors({ image, strides, offset: 0 });
  const points = pointPriors({ image, strides: all });
  const predicted = predictions(seed + 100, centres(middle), boxes, classCount);
  const { fround } = Math;
  const logits = { ...predicted, scores: predicted.scores.map((score) => fround(fround(score - 0.5) * 8)) };
  const given = { groundTruthClasses: classes, predictions: predicted };
  const {
    'mmdetection-retinanet': retinanet,
    'mmdetection-rpn': rpn,
    'mmdetection-ssd': ssd,
  } = maxIouPresets;
  const half = Math.max(1, boxes.length >> 3);
  const kept = boxes.subarray(0, 4 * half);
  const ignoreBoxes = boxes.subarray(4 * half);
  return {
    atss: () => atssMatcher(anchors, boxes),
    'atss mmyolo': () =>
      atssMatcher(pointPriors({ image, strides: all, scale: 5 }), boxes, {
        comparator: '>',
        insideMargin: 1e-9,
        conflict: 'all',
      }),
    fcos: () => fcosMatcher(points, boxes, { rule: 'mmdetection' }),
    'fcos no centre': () => fcosMatcher(points, boxes, { rule: 'mmdetection', radius: null }),
    'simota yolox': () => simOtaMatcher(middle, boxes, given),
    'simota mmdetection': () => simOtaMatcher(corner, boxes, { ...given, rule: 'mmdetection' }),
    dsl: () => dynamicSoftLabelMatcher(corner, boxes, { ...given, predictions: logits }),
    'tal ultralytics': () => taskAlignedMatcher(middle, boxes, given),
    'tal mmyolo': () => taskAlignedMatcher(middle, boxes, { ...given, rule: 'mmyolo' }),
    'tal mmdetection': () => taskAlignedMatcher(middle, boxes, { ...given, rule: 'mmdetection' }),
    'max-iou retinanet': () => maxIouMatcher(anchors, boxes, retinanet),
    'max-iou rpn': () => maxIouMatcher(anchors, boxes, rpn),
    'max-iou ssd': () => maxIouMatcher(anchors, boxes, ssd),
    'max-iou range': () => maxIouMatcher(anchors, boxes, { ...retinanet, negativeThreshold: [0.1, 0.4] }),
    'max-iou ignore': () => maxIouMatcher(anchors, kept, { ...retinanet, ignoreBoxes }),
    'max-iou ignore region': () =>
      maxIouMatcher(anchors, kept, { ...retinanet, ignoreBoxes, ignoreRelativeTo: 'region' }),
    yolov5: () => {
      const { priorIndices, gtIndices } = yolov5Matcher(yoloAnchors({ image }), boxes);
      return { gtIndices: Int32Array.from([...priorIndices, ...gtIndices]) };
    },
    uniform: () => {
      const one = pointPriors({ image, strides: [32], scale: 4 });
      return uniformMatcher(one, boxes, { predictions: predictions(seed + 200, centres(one), boxes, 1) });
    },
  };
}

/** In `yolov5` the first half are priors, so positives are pairs. */
function positivesOf(method: string, gtIndices: Int32Array): number {
  return method === 'yolov5' ? gtIndices.length / 2 : gtIndices.filter((gt) => gt >= 0).length;
}

it('has mmdetection restated as mmdetection’s own assigners have it', () => {
  for (const part of ['random', 'real'] as const) {
    mmdetection[part].forEach(({ methods }, i) => {
      const restated: Record<string, object> = golden[part][i]!.methods;
      for (const [name, result] of Object.entries(methods))
        expect({ name, ...restated[name] }).toMatchObject({ name, ...result });
    });
  }
});

const names = Object.keys(golden.random[0]!.methods) as (keyof (typeof golden.random)[0]['methods'])[];

describe.each(golden.random)(
  '$count boxes on $width × $height',
  ({ seed, count, width, height, methods }) => {
    const boxes = groundTruths(seed, count, width, height);
    const run = methodsOf({
      image: { width, height },
      boxes,
      classes: integers(seed + 7, count, classCount),
      seed,
    });
    it.each(names)('%s', (name) => {
      const wanted: {
        positives: number;
        ignored: number;
        digest: number;
        weightSum?: number;
        weights?: number[];
      } = methods[name];
      const { gtIndices, weights } = run[name]!();
      expect(positivesOf(name, gtIndices!)).toBe(wanted.positives);
      expect(gtIndices!.filter((gt) => gt === -2)).toHaveLength(wanted.ignored);
      expect(digest(gtIndices!)).toBe(wanted.digest);
      if (wanted.weights === undefined) return;
      expect(weights!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(wanted.weightSum!, 3);
      const first = [...gtIndices!.keys()].filter((j) => gtIndices![j]! >= 0).slice(0, 6);
      first.forEach((j, i) => {
        expect(weights![j]).toBeCloseTo(wanted.weights![i]!, 5);
      });
    });
  },
);

describeWithData.each(golden.real)('real annotations of $set', ({ set, images, methods }) => {
  it('every method', { timeout: 60_000 }, () => {
    const found = Object.fromEntries(
      names.map((name) => [name, { positives: 0, ignored: 0, digests: [] as number[] }]),
    );
    realSet(set as 'pills' | 'coco')
      .slice(0, images)
      .forEach(({ width, height, boxes, classes }, i) => {
        const run = methodsOf({
          image: { width: padded(width), height: padded(height) },
          boxes,
          classes: classes.map((id) => id % classCount),
          seed: 20_000 + 1000 * i,
        });
        for (const name of names) {
          const gtIndices = run[name]!().gtIndices!;
          found[name]!.positives += positivesOf(name, gtIndices);
          found[name]!.ignored += name === 'yolov5' ? 0 : gtIndices.filter((gt) => gt === -2).length;
          found[name]!.digests.push(digest(gtIndices) & 0x7fffffff);
        }
      });
    for (const name of names) {
      const { digests, ...counts } = found[name]!;
      expect({ name, ...counts, digest: digest(digests) }).toEqual({ name, ...methods[name] });
    }
  });
});
