/** Small cases: those published in mmdetection's tests, rules of darknet and of face detectors, and bad input. */
import { describe, expect, it } from 'vitest';
import { pointPriors, yoloAnchors } from '../../src/anchors/index.ts';
import {
  atssMatcher,
  bestAnchorMatcher,
  dynamicSoftLabelMatcher,
  fcosMatcher,
  lastMatch,
  maxIouMatcher,
  maxIouPresets,
  simOtaMatcher,
  sparseMaxIouMatcher,
  ssdMatcher,
  taskAlignedMatcher,
  uniformMatcher,
  yolov5Matcher,
} from '../../src/matching/index.ts';

const priors = Float32Array.of(0, 0, 10, 10, 10, 10, 20, 20, 5, 5, 15, 15, 32, 32, 38, 42);
const boxes = Float32Array.of(0, 0, 10, 9, 0, 10, 10, 19);
const mmdetection = { ...maxIouPresets['mmdetection-retinanet'], negativeThreshold: 0.5 };

describe('mmdetection test cases', () => {
  it('MaxIoU', () => {
    expect(Array.from(maxIouMatcher(priors, boxes, mmdetection).gtIndices)).toEqual([0, -1, 1, -1]);
  });
  it('MaxIoU with an ignored region', () => {
    const moved = Float32Array.from([...priors.subarray(0, 12), 30, 32, 40, 42]);
    const options = { ...mmdetection, ignoreBoxes: Float32Array.of(30, 30, 40, 40), ignoreThreshold: 0.5 };
    expect(
      Array.from(maxIouMatcher(moved, boxes, { ...options, ignoreRelativeTo: 'region' }).gtIndices),
    ).toEqual([0, -1, 1, -2]);
  });
  it('MaxIoU without ground truths, without priors', () => {
    expect(Array.from(maxIouMatcher(priors, new Float32Array(0)).gtIndices)).toEqual([-1, -1, -1, -1]);
    expect(maxIouMatcher(new Float32Array(0), boxes).gtIndices).toHaveLength(0);
  });
  it('MaxIoU with ranges that 0, or values below it, lie outside of', () => {
    const apart = Float32Array.of(200, 200, 210, 210, 0, 0, 10, 9, 0, 1, 10, 12);
    const codes = (negativeThreshold: number | readonly [number, number], metric: 'iou' | 'giou' = 'iou') => [
      ...maxIouMatcher(apart, boxes, {
        negativeThreshold,
        metric,
        positiveThreshold: 0.9,
        lowQuality: 'none',
      }).gtIndices,
    ];
    expect(codes(0.4)).toEqual([-1, 0, -2]);
    expect(codes([0.1, 0.8])).toEqual([-2, 0, -1]);
    expect(codes(0)).toEqual([-1, 0, -2]);
    // boxes far apart have a GIoU near −1
    expect(codes(0.8, 'giou')).toEqual([-1, 0, -1]);
    expect(codes([-0.5, 0.8], 'giou')).toEqual([-2, 0, -1]);
    expect([
      ...maxIouMatcher(apart, boxes.subarray(0, 0), { negativeThreshold: [0.1, 0.4] }).gtIndices,
    ]).toEqual([-1, -1, -1]);
  });
  it('ATSS', () => {
    expect(Array.from(atssMatcher(priors, boxes).gtIndices)).toEqual([0, -1, -1, -1]);
  });
  it('uniform', () => {
    const predictions = { boxes: Float32Array.of(1, 1, 12, 8, 4, 4, 20, 20, 1, 5, 15, 15, 30, 5, 32, 42) };
    const { gtIndices } = uniformMatcher(priors, boxes, { predictions, matchTimes: 1 });
    expect(Array.from(gtIndices)).toEqual([-2, -1, 1, -1]);
  });
  it('ignored regions without ground truths are background in mmdetection', () => {
    // mmdetection 3.3.0's own ATSSAssigner(topk=9, ignore_iof_thr=.5) and MaxIoUAssigner(.5, .4, ignore_iof_thr=.5):
    // gt_inds [0, 0, 0, 0] without ground truths, the last prior −1 with one
    const ignoreBoxes = Float32Array.of(30, 30, 40, 44);
    const [none, one] = [boxes.subarray(0, 0), boxes.subarray(0, 4)];
    const preset = { ...maxIouPresets['mmdetection-retinanet'], ignoreBoxes };
    const atss = { ignoreBoxes, ignoreWithoutGroundTruths: false };
    for (const { gtIndices } of [maxIouMatcher(priors, none, preset), atssMatcher(priors, none, atss)]) {
      expect([...gtIndices]).toEqual([-1, -1, -1, -1]);
    }
    expect(sparseMaxIouMatcher(priors, none, preset).priorIndices).toHaveLength(0);
    expect([...atssMatcher(priors, none, { ignoreBoxes }).gtIndices]).toEqual([-1, -1, -1, -2]);
    expect([...atssMatcher(priors, one, atss).gtIndices]).toEqual([0, -1, -1, -2]);
    expect([...maxIouMatcher(priors, one, preset).gtIndices]).toEqual([0, -1, -1, -2]);
    expect([...sparseMaxIouMatcher(priors, one, preset).priorIndices]).toEqual([0, 3]);
  });
  it('Uniform without ground truths ignores regions as the others do', () => {
    const [ignoreBoxes, none] = [priors.subarray(12), new Float32Array(0)];
    const options = { ignoreBoxes, groundTruthClasses: [], predictions: { boxes: priors } };
    const { gtIndices, labels } = uniformMatcher(priors, none, options);
    expect(gtIndices).toEqual(maxIouMatcher(priors, none, { ignoreBoxes }).gtIndices);
    expect([...labels!]).toEqual([-1, -1, -1, -2]);
  });
});

describe('labels', () => {
  it('are the classes of matches, −1 and −2 elsewhere', () => {
    const { labels } = maxIouMatcher(priors, boxes, {
      ...mmdetection,
      groundTruthClasses: [7, 3],
      ignoreBoxes: Float32Array.of(30, 30, 40, 44),
    });
    expect(Array.from(labels!)).toEqual([7, -1, 3, -2]);
  });
});

describe('SSD', () => {
  const two = Float32Array.of(0, 0, 10, 10, 20, 0, 30, 10);
  it('later ground truths take a prior that two want, unless matched globally', () => {
    const wanted = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 8);
    expect(Array.from(ssdMatcher(two, wanted).gtIndices)).toEqual([1, -1]);
    expect(Array.from(ssdMatcher(two, wanted, { bipartite: 'global' }).gtIndices)).toEqual([0, -1]);
  });
  it('RetinaFace forces no prior below 0.2', () => {
    const small = Float32Array.of(0, 0, 4, 4);
    expect(Array.from(ssdMatcher(two, small).gtIndices)).toEqual([0, -1]);
    expect(Array.from(ssdMatcher(two, small, { minimumForced: 0.2 }).gtIndices)).toEqual([-1, -1]);
  });
  it('leaves matches over crowds as they are', () => {
    const crowd = Float32Array.of(0, 0, 40, 40);
    expect(Array.from(ssdMatcher(two, two.subarray(0, 4), { ignoreBoxes: crowd }).gtIndices)).toEqual([
      0, -2,
    ]);
  });
});

describe('YOLO', () => {
  const anchors = yoloAnchors({ image: { width: 416, height: 416 } });
  const [first, second] = [3 * 52 * 52, 3 * (52 * 52 + 26 * 26)];
  it('takes the anchor of most similar shape in the cell of the centre', () => {
    const box = Float32Array.of(100, 100, 216, 190, 90, 50, 120, 111);
    const { gtIndices, overlaps } = bestAnchorMatcher(anchors, box);
    const matched = [...gtIndices.keys()].filter((j) => gtIndices[j]! >= 0);
    expect(matched).toEqual([first + 3 * (5 * 26 + 6), second + 3 * (4 * 13 + 4)]);
    expect(matched.map((j) => gtIndices[j])).toEqual([1, 0]);
    expect(matched.map((j) => overlaps[j])).toEqual([1, 1]);
  });
  it('also takes others above a threshold, and ignores good predictions', () => {
    const box = Float32Array.of(90, 50, 120, 111);
    const alone = bestAnchorMatcher(anchors, box);
    const many = bestAnchorMatcher(anchors, box, { shapeThreshold: 0.213 });
    expect(alone.gtIndices.filter((gt) => gt >= 0)).toHaveLength(1);
    expect(many.gtIndices.filter((gt) => gt >= 0).length).toBeGreaterThan(1);
    const predicted = anchors.boxes.slice();
    predicted.set(box, 4 * 17);
    const { gtIndices } = bestAnchorMatcher(anchors, box, { predictions: { boxes: predicted } });
    expect(gtIndices[17]).toBe(-2);
  });
  it('has a pair for each fitting anchor and cell; the last one wins a prior', () => {
    const pairs = yolov5Matcher(anchors, Float32Array.of(90, 50, 120, 111), { groundTruthClasses: [4] });
    expect(pairs.priorIndices.length % 3).toBe(0);
    expect(new Set(pairs.labels)).toEqual(new Set([4]));
    const { gtIndices } = lastMatch(pairs, anchors.boxes.length / 4);
    expect(gtIndices.filter((gt) => gt === 0)).toHaveLength(new Set(pairs.priorIndices).size);
  });
});

describe('bad input', () => {
  const points = pointPriors({ image: { width: 64, height: 64 }, strides: [8, 16] });
  const predictions = {
    boxes: new Float32Array(points.boxes.length),
    scores: new Float32Array(points.boxes.length / 2),
  };
  it.each([
    ['boxes of a wrong length', () => maxIouMatcher(priors, new Float32Array(3)), /4·N/],
    [
      'too few classes',
      () => maxIouMatcher(priors, boxes, { groundTruthClasses: [1] }),
      /2 groundTruthClasses, got 1/,
    ],
    [
      'thresholds that cross',
      () => maxIouMatcher(priors, boxes, { negativeThreshold: 0.8 }),
      /0\.8 and 0\.5/,
    ],
    [
      'an unknown rule',
      () => maxIouMatcher(priors, boxes, { lowQuality: 'some' as 'none' }),
      /lowQuality.*some/,
    ],
    ['an unknown metric', () => maxIouMatcher(priors, boxes, { metric: 'uoi' as 'iou' }), /uoi/],
    [
      'levels that do not add up',
      () => atssMatcher(priors, boxes, { levels: [3] }),
      /add up to 4 priors, got 3/,
    ],
    ['plain priors for FCOS', () => fcosMatcher(priors as never, boxes), /anchors of a generator/],
    [
      'anchors that are not where their levels say',
      () =>
        maxIouMatcher({ ...points, boxes: points.boxes.map((value, k) => (k === 40 ? -90 : value)) }, boxes),
      /anchor 10 is not where its level says/,
    ],
    [
      'levels for other boxes',
      () => maxIouMatcher({ ...points, boxes }, boxes),
      /levels hold 80 anchors, boxes 2/,
    ],
    ['a radius below 0', () => fcosMatcher(points, boxes, { radius: -1 }), /radius.*-1/],
    [
      'a comparator that is none',
      () => atssMatcher(points, boxes, { comparator: '<' as '>' }),
      /comparator: expected '>=' or '>', got </,
    ],
    [
      'no classes for SimOTA',
      () => simOtaMatcher(points, boxes, { predictions } as never),
      /groundTruthClasses/,
    ],
    [
      'a class beyond the scores',
      () => taskAlignedMatcher(points, boxes, { predictions, groundTruthClasses: [0, 2] }),
      /0 … 1, got 2/,
    ],
    [
      'predictions of other priors',
      () => taskAlignedMatcher(priors, boxes, { predictions, groundTruthClasses: [0, 1] }),
      /predicted boxes of 4 priors, got 80/,
    ],
    [
      'out of another size',
      () => maxIouMatcher(priors, boxes, { out: ssdMatcher(boxes, boxes) }),
      /length 4, got 2/,
    ],
  ])('%s', (_name, run, message) => {
    expect(run).toThrow(message);
  });

  it('predictions that are not finite are never matched', () => {
    const count = points.boxes.length / 4;
    const scores = new Float32Array(2 * count).fill(0.5);
    const broken = points.boxes.slice();
    for (let j = 0; j < count; j += 2) broken[4 * j + 1] = Number.NaN;
    scores[2] = Number.NaN;
    const given = { groundTruthClasses: [0, 1], predictions: { boxes: broken, scores } };
    const wanted = Float32Array.of(2, 2, 30, 30, 25, 25, 60, 50);
    for (const match of [simOtaMatcher, dynamicSoftLabelMatcher, taskAlignedMatcher]) {
      for (const metric of ['iou', 'giou'] as const) {
        const { gtIndices } = match(points, wanted, { ...given, metric });
        expect(new Set(gtIndices)).toEqual(new Set([-1, 0, 1]));
        gtIndices.forEach((gt, j) => {
          if (gt >= 0) expect(j % 2).toBe(1);
        });
      }
    }
  });

  it('a box that is not finite matches nothing and disturbs no other', () => {
    const broken = Float32Array.of(Number.NaN, 0, 10, 10, 8, 8, 30, 30, 0, 0, Number.POSITIVE_INFINITY, 9);
    const given = { groundTruthClasses: [0, 1, 0], predictions: { ...predictions, boxes: points.boxes } };
    for (const { gtIndices } of [
      maxIouMatcher(points, broken),
      ssdMatcher(points, broken),
      atssMatcher(points, broken),
      fcosMatcher(points, broken),
      simOtaMatcher(points, broken, given),
      taskAlignedMatcher(points, broken, given),
    ]) {
      expect(gtIndices.filter((gt) => gt === 0 || gt === 2)).toHaveLength(0);
      expect(gtIndices.filter((gt) => gt === 1).length).toBeGreaterThan(0);
    }
  });
});
