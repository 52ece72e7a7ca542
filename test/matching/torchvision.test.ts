/** Assignments identical to torchvision's, end to end: anchors, matches, encoded targets. */
import { describe, expect, it } from 'vitest';
import {
  type Anchors,
  ssd300DefaultBoxes,
  torchvisionFcosAnchors,
  torchvisionRetinaNetAnchors,
  torchvisionRpnAnchors,
} from '../../src/anchors/index.ts';
import { type BoxCoder, deltaCoder, deltaPresets, distanceCoder } from '../../src/coders/index.ts';
import {
  type Assignment,
  fcosMatcher,
  maxIouMatcher,
  maxIouPresets,
  ssdMatcher,
} from '../../src/matching/index.ts';
import { realSet } from '../golden/matching/real-sets.ts';
import { digest, groundTruths, padded } from '../golden/matching/sets.ts';
import golden from '../golden/matching/torchvision.json';
import { describeWithData } from '../support/data.ts';

interface Method {
  readonly anchors: (width: number, height: number) => Anchors;
  readonly match: (anchors: Anchors, boxes: Float32Array) => Assignment;
  readonly coder: BoxCoder;
}

const methods: Record<string, Method> = {
  retinanet: {
    anchors: (width, height) => torchvisionRetinaNetAnchors({ image: { width, height } }),
    match: (anchors, boxes) => maxIouMatcher(anchors, boxes, maxIouPresets.retinanet),
    coder: deltaCoder(deltaPresets.torchvision),
  },
  rpn: {
    anchors: (width, height) => torchvisionRpnAnchors({ image: { width, height } }),
    match: (anchors, boxes) => maxIouMatcher(anchors, boxes, maxIouPresets.rpn),
    coder: deltaCoder(deltaPresets.torchvision),
  },
  roi: {
    anchors: (width, height) => torchvisionRpnAnchors({ image: { width, height } }),
    match: (anchors, boxes) => maxIouMatcher(anchors, boxes, maxIouPresets.roi),
    coder: deltaCoder(deltaPresets.torchvision),
  },
  fcos: {
    anchors: (width, height) => torchvisionFcosAnchors({ image: { width, height } }),
    match: (anchors, boxes) => fcosMatcher(anchors, boxes),
    coder: distanceCoder({ normalise: true }),
  },
  ssd: {
    anchors: () => ssd300DefaultBoxes(),
    match: (anchors, boxes) => ssdMatcher(anchors, boxes),
    coder: deltaCoder(deltaPresets.ssd),
  },
};

/** Encoded targets of the positives, in the order of the priors. */
function encodedTargets({ coder }: Method, anchors: Anchors, boxes: Float32Array, { gtIndices }: Assignment) {
  const priors: number[] = [];
  const targets: number[] = [];
  gtIndices.forEach((gt, j) => {
    if (gt < 0) return;
    priors.push(...anchors.boxes.subarray(4 * j, 4 * j + 4));
    targets.push(...boxes.subarray(4 * gt, 4 * gt + 4));
  });
  return coder.encode(Float32Array.from(targets), Float32Array.from(priors));
}

const sumAbs = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + Math.abs(value), 0);

describe('seeded ground truths', () => {
  it.each(golden.random)('$kind, $count boxes on $width × $height', (wanted) => {
    const { kind, seed, count, width, height } = wanted;
    const method = methods[kind]!;
    const boxes = groundTruths(seed, count, width, height);
    const anchors = method.anchors(width, height);
    const assignment = method.match(anchors, boxes);
    const { gtIndices } = assignment;
    expect(gtIndices.filter((gt) => gt >= 0)).toHaveLength(wanted.positives);
    expect(gtIndices.filter((gt) => gt === -2)).toHaveLength(wanted.ignored);
    expect(digest(gtIndices)).toBe(wanted.digest);
    const targets = encodedTargets(method, anchors, boxes, assignment);
    wanted.encoded.first.forEach((value, i) => {
      expect(Math.abs(targets[i]! - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
    });
    expect(sumAbs(targets) / wanted.encoded.sumAbs).toBeCloseTo(1, 6);
  });

  it('are matched the same where anchors are a plain array, in float32', () => {
    for (const [kind, name] of [
      ['retinanet', 'retinanet'],
      ['rpn', 'rpn'],
      ['ssd', 'ssd'],
    ] as const) {
      const { anchors: make } = methods[kind]!;
      const anchors = make(320, 320);
      const boxes = groundTruths(77, 30, 300, 300);
      const dense =
        name === 'ssd'
          ? ssdMatcher(anchors.boxes, boxes)
          : maxIouMatcher(anchors.boxes, boxes, maxIouPresets[name]);
      const pruned =
        name === 'ssd' ? ssdMatcher(anchors, boxes) : maxIouMatcher(anchors, boxes, maxIouPresets[name]);
      expect(pruned.gtIndices).toEqual(dense.gtIndices);
      expect(pruned.overlaps).toEqual(dense.overlaps);
    }
  });
});

describeWithData('real annotations', () => {
  it.each(golden.real)('$kind on $set', (wanted) => {
    const method = methods[wanted.kind]!;
    const images = realSet(wanted.set as 'pills' | 'coco');
    expect(images).toHaveLength(wanted.images);
    let positives = 0;
    let total = 0;
    const digests = images.map(({ width, height, boxes }) => {
      const scale = [300 / width, 300 / height];
      const scaled = wanted.kind === 'ssd' ? boxes.map((value, i) => value * scale[i % 2]!) : boxes;
      const anchors = method.anchors(padded(width), padded(height));
      const assignment = method.match(anchors, scaled);
      const targets = encodedTargets(method, anchors, scaled, assignment);
      positives += targets.length / 4;
      total += sumAbs(targets);
      return digest(assignment.gtIndices) & 0x7fffffff;
    });
    expect(positives).toBe(wanted.positives);
    expect(digest(digests)).toBe(wanted.digest);
    expect(total / wanted.sumAbs).toBeCloseTo(1, 6);
  });
});
