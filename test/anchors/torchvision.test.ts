/** Anchors bit for bit as torchvision's generators make them. */
import { describe, expect, it } from 'vitest';
import {
  type Anchors,
  ssd300DefaultBoxes,
  ssdDefaultBoxes,
  torchvisionAnchors,
  torchvisionFcosAnchors,
  torchvisionRetinaNetAnchors,
  torchvisionRpnAnchors,
} from '../../src/anchors/index.ts';
import { floatDigest } from '../golden/matching/sets.ts';
import golden from '../golden/matching/torchvision.json';

const squares = (...sides: number[]) => sides.map((side) => ({ width: side, height: side }));

const makers: Record<string, (width: number, height: number) => Anchors> = {
  retinanet: (width, height) => torchvisionRetinaNetAnchors({ image: { width, height } }),
  rpn: (width, height) => torchvisionRpnAnchors({ image: { width, height } }),
  fcos: (width, height) => torchvisionFcosAnchors({ image: { width, height } }),
  odd: (width, height) =>
    torchvisionAnchors({
      image: { width, height },
      strides: [8, 24],
      sizes: [
        [10, 33],
        [57, 91, 130],
      ],
      aspectRatios: [
        [0.3, 1, 1.7, 3.1],
        [0.45, 1],
      ],
    }),
  ssd300: () => ssd300DefaultBoxes(),
  ssdlite: (width, height = width) =>
    ssdDefaultBoxes({
      image: { width, height },
      maps:
        width === height
          ? squares(20, 10, 5, 3, 2, 1)
          : squares(20, 10, 5, 4, 3, 2).map((map) => ({ width: map.width, height: map.height - 1 })),
      aspectRatios: Array.from({ length: 6 }, () => [2, 3]),
      minRatio: 0.2,
      maxRatio: 0.95,
    }),
};

describe('anchors equal torchvision', () => {
  it.each(Object.entries(golden.anchors))('%s', (name, { count, digest, first }) => {
    const [kind, size = ''] = name.split(' ');
    const [width, height] = size.split('x').map(Number);
    const { boxes, levels } = makers[kind!]!(width!, height!);
    expect(boxes.length).toBe(4 * count);
    expect(levels.reduce((sum, level) => sum + level.count, 0)).toBe(count);
    expect(Array.from(boxes.subarray(0, 12), (value) => value + 0)).toEqual(first);
    expect(floatDigest(boxes)).toBe(digest);
  });
});
