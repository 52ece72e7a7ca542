import { describe, expect, test } from 'vitest';
import {
  compressRuns,
  DatasetError,
  Detections,
  decodeRle,
  decompressRuns,
  encodeRle,
  maskIou,
  mergeRle,
  NumericError,
  OptionError,
  oks,
  type Rle,
  rleArea,
  rleFromBoxes,
  rleFromCoco,
  rleFromPolygon,
  rleFromSegmentation,
  rleToBoxes,
  rleToCoco,
  ShapeError,
} from '../../src/index.ts';
import { goldenBitmap } from '../golden/masks/bitmaps.ts';
import golden from '../golden/masks/masks.json' with { type: 'json' };

const [height, width] = golden.size;
const size = [height, width] as const;
const masks = golden.masks.map(({ seed }) => encodeRle(goldenBitmap(seed, height, width), size));
const xywh = (mask: Rle) => {
  const [x1, y1, x2, y2] = rleToBoxes([mask]);
  return [x1, y1, x2 - x1, y2 - y1];
};

describe('codec', () => {
  test('equals pycocotools encode on noise, blocks, full and empty masks, and decodes to the pixels', () => {
    for (const [i, { seed, counts, area, bbox }] of golden.masks.entries()) {
      expect(rleToCoco(masks[i])).toEqual({ size: [...size], counts });
      expect(rleArea(masks[i])).toBe(area);
      expect(xywh(masks[i])).toEqual(bbox);
      expect(decodeRle(rleFromCoco({ size, counts }))).toEqual(goldenBitmap(seed, height, width));
    }
  });

  test('column-major pixels, both ways', () => {
    const columns = decodeRle(masks[1], { order: 'column' });
    expect(encodeRle(columns, size, { order: 'column' })).toEqual(masks[1]);
    expect(columns[3]).toBe(decodeRle(masks[1])[3 * width]);
  });

  test('published examples', () => {
    const square = rleFromPolygon([1, 1, 3, 1, 3, 3, 1, 3], [4, 4]);
    expect(Array.from(square.counts)).toEqual([5, 2, 2, 2, 5]);
    expect(compressRuns(square.counts)).toBe(golden.uncompressed);
    expect(Array.from(encodeRle(new Uint8Array(16).fill(1), [4, 4]).counts)).toEqual([0, 16]);
    expect(rleFromCoco({ size: [4, 4], counts: [5, 2, 2, 2, 5] })).toEqual(square);
    expect(rleFromSegmentation([[1, 1, 3, 1, 3, 3, 1, 3]], [4, 4])).toEqual(square);
    expect(rleFromSegmentation({ size: [4, 4], counts: golden.uncompressed }, [4, 4])).toEqual(square);
  });

  test('runs beyond 31 bits survive the string', () => {
    const runs = [0, 4294967295, 3, 1, 4000000000, 0, 2];
    expect(Array.from(decompressRuns(compressRuns(runs)))).toEqual(runs);
  });

  test('what is not a mask is a typed error', () => {
    expect(() => decompressRuns('5 2')).toThrow(DatasetError);
    expect(() => decompressRuns('5o')).toThrow('ends inside a run');
    expect(() => decompressRuns('oooooooooooooo0')).toThrow(DatasetError);
    expect(() => decompressRuns('O')).toThrow('expected runs from 0');
    expect(() => rleFromCoco({ size: [4, 4], counts: [5, 2] })).toThrow(ShapeError);
    expect(() => encodeRle([1], [2, 2])).toThrow('expected pixels of length 4, got 1');
    expect(() => encodeRle([1], [1, 1], { order: 'C' as 'row' })).toThrow(OptionError);
    expect(() => decodeRle({ size: [-1, 2], counts: new Uint32Array([1]) })).toThrow(ShapeError);
  });

  test('runs and sizes that are none are typed errors, not endless loops or wrapped numbers', () => {
    for (const run of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5, 2 ** 32]) {
      expect(() => compressRuns([4, run]), `${run}`).toThrow(DatasetError);
      expect(() => rleFromCoco({ size: [2, 2], counts: [4, run] }), `${run}`).toThrow(DatasetError);
    }
    // 70000² pixels are more than a run of 32 bits can count
    for (const bad of [
      [-2, -2],
      [0.5, 8],
      [Number.NaN, 4],
      [70_000, 70_000],
    ] as const) {
      expect(() => encodeRle(new Uint8Array(4), bad), `${bad}`).toThrow(ShapeError);
      expect(() => rleFromPolygon([0, 0, 4, 0, 4, 4], bad), `${bad}`).toThrow(ShapeError);
      expect(() => rleFromSegmentation([], bad), `${bad}`).toThrow(ShapeError);
      expect(() => rleFromBoxes(Float32Array.of(0, 0, 1, 1), bad), `${bad}`).toThrow(ShapeError);
    }
  });
});

describe('on the runs', () => {
  test('union and intersection equal pycocotools merge', () => {
    golden.union.forEach((counts, i) => {
      expect(compressRuns(mergeRle(masks.slice(i, i + 3)).counts)).toBe(counts);
    });
    golden.intersection.forEach((counts, i) => {
      const both = mergeRle(masks.slice(i, i + 2), { operation: 'intersection' });
      expect(compressRuns(both.counts)).toBe(counts);
    });
    expect(() => mergeRle([])).toThrow(ShapeError);
    expect(() => mergeRle([masks[0], encodeRle([1], [1, 1])])).toThrow('37×53 and 1×1');
  });

  test('overlap equals pycocotools iou to the last bit, crowds included', () => {
    expect(Array.from(maskIou(masks, masks))).toEqual(golden.iou);
    expect(Array.from(maskIou(masks, masks, { crowd: golden.crowd }))).toEqual(golden.iouCrowd);
  });

  test('iof and ios are the same intersections over other areas; empty masks give 0', () => {
    const overlap = { iou: maskIou(masks, masks), iof: maskIou(masks, masks, { metric: 'iof' }) };
    const ios = maskIou(masks, masks, { metric: 'ios' });
    const areas = masks.map(rleArea);
    for (let i = 0; i < masks.length; i++) {
      for (let j = 0; j < masks.length; j++) {
        const at = i * masks.length + j;
        const intersection = overlap.iof[at] * areas[i];
        const union = areas[i] + areas[j] - intersection;
        expect(overlap.iou[at]).toBeCloseTo(union === 0 ? 0 : intersection / union, 12);
        expect(ios[at]).toBeCloseTo(
          Math.min(areas[i], areas[j]) === 0 ? 0 : intersection / Math.min(areas[i], areas[j]),
          12,
        );
      }
    }
    expect(() => maskIou(masks, masks, { crowd: [1] })).toThrow('expected crowd of length 16, got 1');
    expect(() => maskIou(masks, [encodeRle([1], [1, 1])])).toThrow(ShapeError);
    expect(() => maskIou(masks, masks, { metric: 'giou' as 'iou' })).toThrow(OptionError);
    expect(maskIou([], masks)).toHaveLength(0);
    const short: Rle = { size, counts: Uint32Array.of(0, 4) };
    expect(() => maskIou([short], masks)).toThrow(ShapeError);
    expect(() => maskIou(masks, [short])).toThrow(ShapeError);
    expect(() => mergeRle([masks[0], short])).toThrow(ShapeError);
  });
});

describe('rasterised', () => {
  test(`${golden.polygons.length} polygons equal pycocotools frPyObjects, run for run`, () => {
    for (const { points, counts, bbox } of golden.polygons) {
      const mask = rleFromPolygon(points, size);
      expect(compressRuns(mask.counts), points.join(' ')).toBe(counts);
      expect(xywh(mask), points.join(' ')).toEqual(bbox);
    }
    const union = rleFromSegmentation(
      golden.polygons.slice(0, 6).map(({ points }) => points),
      size,
    );
    expect(compressRuns(union.counts)).toBe(golden.polygonUnion);
  });

  test('boxes equal pycocotools frPyObjects', () => {
    const boxes = Float64Array.from(golden.boxes.flatMap(({ xywh: box }) => box));
    const boxed = rleFromBoxes(boxes, size, { format: 'xywh' });
    expect(boxed.map((mask) => compressRuns(mask.counts))).toEqual(golden.boxes.map(({ counts }) => counts));
  });

  test('bad polygons are typed errors', () => {
    expect(() => rleFromPolygon([1, 2, 3, 4], size)).toThrow(ShapeError);
    expect(() => rleFromPolygon([1, 2, 3, 4, 5, 6, 7], size)).toThrow(ShapeError);
    expect(() => rleFromPolygon([1, 2, 3, 4, 5, Number.NaN], size)).toThrow(NumericError);
    expect(() => rleFromPolygon([1, 2, 3, 4, 5, 1e300], size)).toThrow(NumericError);
    expect(rleArea(rleFromSegmentation([], size))).toBe(0);
  });
});

describe('oks', () => {
  const { groundTruth, detections, boxes, areas } = golden.keypoints;

  test('equals pycocotools computeOks, with and without labelled keypoints', () => {
    const values = oks(detections, groundTruth, { boxes: Float64Array.from(boxes), format: 'xywh', areas });
    expect(values).toHaveLength(golden.keypoints.oks.length);
    golden.keypoints.oks.forEach((expected, i) => {
      expect(Math.abs(values[i] - expected)).toBeLessThanOrEqual(1e-14);
    });
  });

  test('ultralytics and mmyolo scale the distance their way', () => {
    const truth = [10, 10, 2, 20, 10, 0];
    const moved = [13, 14, 1, 0, 0, 1];
    const options = { sigmas: [0.1, 0.2], boxes: new Float32Array([0, 0, 30, 40]) };
    expect(oks(moved, truth, { ...options, preset: 'coco' })[0]).toBeCloseTo(
      Math.exp(-25 / 0.04 / 1200 / 2),
      12,
    );
    expect(oks(moved, truth, { ...options, preset: 'ultralytics' })[0]).toBeCloseTo(
      Math.exp(-25 / 0.04 / (0.53 * 1200) / 2),
      6,
    );
    expect(oks(moved, truth, { ...options, preset: 'mmdetection' })[0]).toBeCloseTo(
      Math.exp(-0.5 * (5 / (0.1 * 50)) ** 2),
      12,
    );
    expect(oks(moved, [10, 10, 0, 20, 10, 0], { ...options, preset: 'ultralytics' })[0]).toBe(0);
  });

  test('bad input is a typed error', () => {
    expect(() => oks(detections, groundTruth)).toThrow(OptionError);
    expect(() => oks(detections, groundTruth, { areas })).toThrow('pose 3 has no labelled keypoint');
    expect(() => oks([1, 2], groundTruth, { areas })).toThrow(ShapeError);
    expect(() => oks(detections, groundTruth, { areas: [1] })).toThrow('expected areas of length 5, got 1');
    // exp(−d² / negative) would be a similarity above 1
    for (const bad of [
      { areas: [-4] },
      { areas: [Number.NaN] },
      { areas: [4], sigmas: [0] },
      { areas: [4], sigmas: [-1] },
    ]) {
      expect(() => oks([1, 1, 1], [5, 1, 1], { sigmas: [1], ...bad })).toThrow(OptionError);
    }
  });
});

test('detections write their masks as pycocotools does', () => {
  const found = Detections.from({ boxes: [0, 0, 5, 5], scores: [1], classIds: [3], masks: [masks[4]] });
  expect(found.toCoco(7)[0].segmentation).toEqual({ size: [...size], counts: golden.masks[4].counts });
});
