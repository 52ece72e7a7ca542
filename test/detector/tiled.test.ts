/** Tiled inference: SAHI's slices, the merge rules, progress, abort, columns, and a large photo composed of annotated ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  createDetector,
  type Detector,
  detectTiled,
  mergeTiles,
  postprocess,
  type RawImage,
  readImage,
  tileGrid,
} from '../../src/detector/index.ts';
import { shiftDetections } from '../../src/detector/tiled/shift.ts';
import type { Tile } from '../../src/detector/tiled/tile-grid.ts';
import { OptionError, UnsupportedError } from '../../src/errors.ts';
import type { CocoDataset } from '../../src/evaluation/index.ts';
import { Detections, decodeRle, encodeRle, pairwiseIou, rleArea } from '../../src/index.ts';
import golden from '../golden/tiles/tiles.json' with { type: 'json' };
import { dataPath, describeWithData } from '../support/data.ts';

describe('tileGrid', () => {
  it.each(golden)(
    'equals SAHI on $case',
    ({ case: [width, height, tileWidth, tileHeight, overlap], tiles }) => {
      const ours = tileGrid(
        { width: width!, height: height! },
        { tile: { width: tileWidth!, height: tileHeight! }, overlap: overlap! },
      );
      expect(ours.map((t) => [t.x, t.y, t.x + t.width, t.y + t.height])).toEqual(tiles);
    },
  );
  it.each([[{ tile: 0 }], [{ tile: 2.5 }], [{ tile: 64, overlap: 1 }], [{ tile: 64, overlap: -0.1 }]])(
    'refuses %j',
    (options) => {
      expect(() => tileGrid({ width: 100, height: 100 }, options)).toThrow(OptionError);
    },
  );
});

/** Finds, for every red value below 200 in a picture, the box around its pixels; the value is its class, /200 its score. */
function boxFinder(calls: number[] = []): Detector {
  const find = ({ data, width, height }: RawImage): Detections => {
    const boxes = new Map<number, number[]>();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = data[4 * (y * width + x)]!;
        if (value >= 200) continue;
        const [x1, y1, x2, y2] = boxes.get(value) ?? [x, y, x + 1, y + 1];
        boxes.set(value, [Math.min(x1!, x), Math.min(y1!, y), Math.max(x2!, x + 1), Math.max(y2!, y + 1)]);
      }
    }
    return Detections.from({
      boxes: [...boxes.values()].flat(),
      scores: [...boxes.keys()].map((value) => (value + 1) / 200),
      classIds: [...boxes.keys()],
      classNames: [],
      imageSize: { width, height },
    });
  };
  return {
    info: { preprocessing: { size: { width: 40, height: 40 } } },
    async detect(input: RawImage | readonly RawImage[], options: { signal?: AbortSignal }) {
      options.signal?.throwIfAborted();
      calls.push(Array.isArray(input) ? input.length : 1);
      return Array.isArray(input) ? input.map(find) : find(input as RawImage);
    },
  } as unknown as Detector;
}

function picture(width: number, height: number, boxes: readonly (readonly number[])[]): RawImage {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  boxes.forEach(([x1, y1, x2, y2], value) => {
    for (let y = y1!; y < y2!; y++) for (let x = x1!; x < x2!; x++) data[4 * (y * width + x)] = value;
  });
  return { data, width, height };
}

describe('detectTiled', () => {
  /** The second lies on a seam (tiles begin at 0, 32, 60). */
  const boxes = [
    [2, 3, 12, 14],
    [25, 10, 50, 24],
    [70, 60, 95, 99],
  ];
  const image = picture(100, 100, boxes);

  it('puts cut objects together again', async () => {
    const calls: number[] = [];
    const progress: string[] = [];
    const found = await detectTiled(boxFinder(calls), image, {
      wholeImage: false,
      mergeThreshold: 0.1,
      onProgress: ({ done, total }) => progress.push(`${done}/${total}`),
    });
    expect([...found.classIds]).toEqual([2, 1, 0]);
    expect(found.toJSON().map(({ box }) => box)).toEqual([...boxes].reverse());
    expect(found.imageSize).toEqual({ width: 100, height: 100 });
    expect(calls).toEqual(new Array(9).fill(1));
    expect(progress.at(0)).toBe('1/9');
    expect(progress.at(-1)).toBe('9/9');
  });

  it('runs batches, and the whole picture first', async () => {
    const calls: number[] = [];
    const progress: number[] = [];
    const options = { batch: 4, onProgress: ({ done }: { done: number }) => progress.push(done) };
    const found = await detectTiled(boxFinder(calls), image, options);
    expect(calls).toEqual([1, 4, 4, 1]);
    expect(progress).toEqual([1, 5, 9, 10]);
    expect(found.count).toBe(3);
    calls.length = 0;
    await detectTiled(boxFinder(calls), picture(30, 20, []));
    expect(calls).toEqual([1]);
    await expect(detectTiled(boxFinder(), image, { batch: 0 })).rejects.toBeInstanceOf(OptionError);
  });

  it('stops when aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const calls: number[] = [];
    const promise = detectTiled(boxFinder(calls), image, {
      signal: controller.signal,
      onProgress: ({ done }) => done === 3 && controller.abort(reason),
    });
    await expect(promise).rejects.toBe(reason);
    expect(calls.length).toBe(3);
  });
});

describe('mergeTiles', () => {
  const imageSize = { width: 100, height: 100 };
  const part = (boxes: number[], scores: number[], more = {}) =>
    Detections.from({ boxes, scores, classIds: scores.map(() => 0), imageSize, ...more });
  const left = part([10, 10, 40, 30], [0.9]);
  const right = part([32, 10, 60, 30, 80, 80, 90, 90], [0.7, 0.6]);

  it('by every rule', () => {
    const merged = (merge: 'nms' | 'nmm' | 'greedy-nmm' | 'wbf', mergeThreshold: number) =>
      mergeTiles([left, right], { merge, mergeThreshold })
        .toJSON()
        .map(({ box }) => box.map(Math.round));
    expect(merged('nms', 0.2)).toEqual([
      [10, 10, 40, 30],
      [80, 80, 90, 90],
    ]);
    for (const rule of ['nmm', 'greedy-nmm'] as const) {
      expect(merged(rule, 0.2)).toEqual([
        [10, 10, 60, 30],
        [80, 80, 90, 90],
      ]);
    }
    expect(merged('wbf', 0.1)[0]).toEqual([20, 10, 49, 30]);
    expect(merged('nms', 0.5)).toHaveLength(3);
    expect(mergeTiles([left, right], { maxDetections: 1 }).count).toBe(1);
    expect(mergeTiles([left, right], { merge: 'wbf', maxDetections: 1 }).count).toBe(1);
    expect(mergeTiles([]).count).toBe(0);
    expect(() => mergeTiles([left], { maxDetections: -1 })).toThrow(OptionError);
  });

  it('by any metric and scope', () => {
    const other = right.with({ classIds: [1, 1] });
    const count = (options: Parameters<typeof mergeTiles>[1]) => mergeTiles([left, other], options).count;
    expect(count({ merge: 'nms', mergeThreshold: 0.2 })).toBe(3);
    expect(count({ merge: 'nms', mergeThreshold: 0.2, mergeScope: 'agnostic' })).toBe(2);
    expect(count({ merge: 'nms', mergeThreshold: 0.14, mergeMetric: 'giou', mergeScope: 'agnostic' })).toBe(
      2,
    );
    const fused = mergeTiles([left, other], { merge: 'wbf', mergeThreshold: 0.1, mergeScope: 'agnostic' });
    expect([...fused.classIds]).toEqual([0, 1]);
    expect(() => count({ merge: 'wbf', mergeMetric: 'ios' })).toThrow(OptionError);
    expect(() => count({ merge: 'best' as 'nms' })).toThrow(OptionError);
  });

  it('keeps keypoints and angles by nms, and says so for the other rules', () => {
    const posed = left.with({ keypoints: [1, 2, 1] });
    const also = part([32, 10, 60, 30], [0.95], { keypoints: [3, 4, 1] });
    const kept = mergeTiles([posed, also], { mergeThreshold: 0.2 });
    expect([...kept.keypoints!]).toEqual([3, 4, 1]);
    for (const merge of ['nmm', 'greedy-nmm', 'wbf'] as const) {
      expect(() => mergeTiles([posed, also], { merge })).toThrow(UnsupportedError);
    }
    const turned = mergeTiles([
      left.with({ angles: [0.1] }),
      part([10, 10, 40, 30], [0.5], { angles: [0.12] }),
    ]);
    expect(turned.angles).toHaveLength(1);
    expect(() => mergeTiles([left.with({ angles: [0.1] })], { mergeMetric: 'ios' })).toThrow(OptionError);
  });

  it('keeps the columns where nothing was found', () => {
    const none = (more: object) =>
      Detections.from({ boxes: [], scores: [], classIds: [], imageSize, ...more });
    const posed = none({ keypoints: [], keypointCount: 5, classNames: ['face'] });
    const found = mergeTiles([Detections.empty({ imageSize }), posed, posed]);
    expect(found).toMatchObject({ count: 0, keypointCount: 5, classNames: ['face'], imageSize });
    expect(found.keypoints).toHaveLength(0);
    expect(() => mergeTiles([posed], { merge: 'wbf' })).toThrow(UnsupportedError);
    expect(mergeTiles([none({ angles: [] })]).angles).toHaveLength(0);
    const maskLogits = {
      places: new Float32Array(0),
      offsets: new Uint32Array(1),
      values: new Float32Array(0),
    };
    expect(mergeTiles([none({ maskLogits })]).maskLogits?.offsets).toHaveLength(1);
  });

  it('nms keeps the whole object, not the part with the better score that a tile cut', () => {
    const cut = part([35, 10, 49.8, 30], [0.9]);
    const whole = part([35, 10, 70, 30], [0.6]);
    const tiles = [
      { x: 0, y: 0, width: 50, height: 100 },
      { x: 30, y: 0, width: 70, height: 100 },
    ];
    const right = (options: Parameters<typeof mergeTiles>[1]) =>
      Array.from(mergeTiles([cut, whole], { merge: 'nms', ...options }).toJSON(), ({ box }) =>
        Math.round(box[2]),
      );
    expect(right({})).toEqual([50]);
    expect(right({ tiles })).toEqual([70]);
    // the picture's own border cuts nothing
    expect(right({ tiles: [{ x: 0, y: 0, width: 100, height: 100 }, tiles[1]!] })).toEqual([50]);
    // by score again, also when both stay
    expect(right({ tiles, mergeThreshold: 1 })).toEqual([50, 70]);
    expect(right({ tiles, mergeThreshold: 1, maxDetections: 1 })).toEqual([50]);
    expect(() => right({ tiles: [] })).toThrow(OptionError);
  });

  it('nms sees the cut of a rotated box where its corners reach', () => {
    // 10 wide and standing: what `boxes` hold lies across
    const standing = (cx: number, y1: number, y2: number, score: number) => {
      const [cy, half] = [(y1 + y2) / 2, (y2 - y1) / 2];
      return part([cx - half, cy - 5, cx + half, cy + 5], [score], { angles: [Math.PI / 2] });
    };
    const kept = (parts: readonly Detections[], tiles: readonly Tile[]) =>
      [...mergeTiles(parts, { tiles }).scores].map((score) => Math.round(100 * score));
    const rows = [
      { x: 0, y: 0, width: 100, height: 60 },
      { x: 0, y: 40, width: 100, height: 60 },
    ];
    // the upper tile sees 42…60 of it
    expect(kept([standing(50, 42, 60, 0.9), standing(50, 42, 75, 0.6)], rows)).toEqual([60]);
    // beside the border of the left tile, not at it
    const columns = [
      { x: 0, y: 0, width: 60, height: 100 },
      { x: 40, y: 0, width: 60, height: 100 },
    ];
    expect(kept([standing(50, 40, 62, 0.9), standing(50, 41, 62, 0.6)], columns)).toEqual([90]);
  });

  describe('an object longer than what two tiles share', () => {
    const tiles = [
      { x: 0, y: 0, width: 50, height: 100 },
      { x: 40, y: 0, width: 60, height: 100 },
    ];
    // 190 of 900 and 1045 pixels in common, but all of both where both tiles look
    const begins = part([5, 10, 50, 30], [0.8]);
    const ends = part([40, 11, 95, 30], [0.9]);
    const boxesOf = (parts: readonly Detections[], options: Parameters<typeof mergeTiles>[1] = { tiles }) =>
      mergeTiles(parts, options)
        .toJSON()
        .map(({ box }) => box.map(Math.round));

    it('is one', () => {
      expect(boxesOf([begins, ends], {})).toHaveLength(2);
      expect(boxesOf([begins, ends])).toEqual([[5, 10, 95, 30]]);
      expect(mergeTiles([begins, ends], { tiles }).scores[0]).toBeCloseTo(0.9);
      for (const merge of ['nmm', 'wbf'] as const) {
        expect(boxesOf([begins, ends], { merge, tiles })).toEqual([[5, 10, 95, 30]]);
      }
      expect(boxesOf([begins, ends], { merge: 'nms', tiles })).toEqual([[40, 11, 95, 30]]);
    });

    it('is one with a box that crosses the border where it is cut', () => {
      // the left tile sees 18…50 × 10…30 of the second: 576 pixels in common of 712
      const grown = part([18, 10, 95, 30], [0.9]);
      expect(boxesOf([part([14, 12, 50, 30], [0.8]), grown], { tiles, mergeMetric: 'iou' })).toEqual([
        [14, 10, 95, 30],
      ]);
    });

    it('is one where the tiles of the best parts meet at a corner', () => {
      // both grown over their tiles: only 40…50 × 40…50 is seen by both
      const corner = [
        { x: 0, y: 0, width: 50, height: 50 },
        { x: 40, y: 40, width: 60, height: 60 },
      ];
      const grown = [part([5, 10, 50, 70], [0.8]), part([40, 8, 95, 70], [0.9])];
      expect(boxesOf(grown, { tiles: corner })).toEqual([[5, 8, 95, 70]]);
    });

    it('is not one with another that is cut too', () => {
      for (const other of [
        [40, 20, 95, 45], // half as high there
        [53, 10, 95, 30], // not cut
      ]) {
        expect(boxesOf([begins, part(other, [0.9])])).toHaveLength(2);
      }
      expect(boxesOf([begins, ends.with({ classIds: [1] })])).toHaveLength(2);
      expect(boxesOf([begins, ends.with({ classIds: [1] })], { tiles, mergeScope: 'agnostic' })).toHaveLength(
        1,
      );
      expect(boxesOf([begins, ends], { tiles, mergeThreshold: 1 })).toHaveLength(2);
      // one tile that finds two knows them apart
      expect(boxesOf([part([5, 10, 50, 30, 4, 60, 50, 90], [0.8, 0.7]), ends])).toHaveLength(2);
      const two = part([40, 11, 95, 30, 40, 8, 60, 31], [0.9, 0.7]);
      expect(boxesOf([begins, two], { tiles, mergeMetric: 'iou' })).toEqual([
        [5, 10, 95, 30],
        [40, 8, 60, 31],
      ]);
    });
  });

  it('moves keypoints and masks with their tile', () => {
    const data = new Float32Array(84 * 7);
    [20, 20, 16, 12, 0.9, 1, 0.5].forEach((value, row) => {
      data[84 * row] = value;
    });
    const prototypes = Float32Array.from({ length: 2 * 16 * 16 }, (_, i) => Math.sin(i) + 0.3);
    const found = postprocess(
      { output0: { data, dims: [1, 7, 84] }, output1: { data: prototypes, dims: [1, 2, 16, 16] } },
      { head: 'yolov8-seg', input: { width: 64, height: 64 }, headOptions: { classCount: 1 } },
    ).with({ keypoints: [20, 21, 0.5] });
    const moved = shiftDetections(found, 30, 7, imageSize);
    expect([...moved.boxes]).toEqual([42, 21, 58, 33]);
    expect([...moved.keypoints!]).toEqual([50, 28, 0.5]);
    const before = decodeRle(found.maskAt(0)!);
    const after = decodeRle(moved.maskAt(0)!);
    expect(rleArea(moved.maskAt(0)!)).toBe(rleArea(found.maskAt(0)!));
    for (let y = 0; y < 64; y++) {
      for (let x = 0; x < 64; x++) expect(after[(y + 7) * 100 + x + 30]).toBe(before[y * 64 + x]);
    }
    const solid = left.with({ masks: [encodeRle(new Uint8Array(10_000), [100, 100])] });
    expect(() => shiftDetections(solid, 1, 1, imageSize)).toThrow(UnsupportedError);
  });
});

describeWithData('a photo of 4096×3072 composed of annotated ones', () => {
  it('is found in tiles far beyond the whole picture, each object once', { timeout: 300_000 }, async () => {
    const truth: CocoDataset = JSON.parse(readFileSync(dataPath('data/coco32/instances.json'), 'utf8'));
    const ids = truth.categories.map(({ id }) => id).sort((a, b) => a - b);
    const [width, height] = [4096, 3072];
    const data = new Uint8ClampedArray(4 * width * height).fill(114);
    const objects: { box: number[]; classId: number }[] = [];
    // six rows of as many pictures as fit
    let [left, top, down] = [0, 0, 0];
    for (const { id, file_name } of truth.images) {
      const image = await readImage(
        Uint8Array.from(readFileSync(dataPath(`data/coco32/images/${file_name}`))),
      );
      if (left + image.width > width) [left, top, down] = [0, top + down, 0];
      if (top + image.height > height) break;
      for (let y = 0; y < image.height; y++) {
        data.set(
          image.data.subarray(4 * y * image.width, 4 * (y + 1) * image.width),
          4 * ((top + y) * width + left),
        );
      }
      for (const annotation of truth.annotations) {
        if (annotation.image_id !== id || annotation.iscrowd === 1) continue;
        const [x, y, w, h] = annotation.bbox as unknown as [number, number, number, number];
        objects.push({
          box: [left + x, top + y, left + x + w, top + y + h],
          classId: ids.indexOf(annotation.category_id),
        });
      }
      left += image.width;
      down = Math.max(down, image.height);
    }
    const photo = { data, width, height };
    const detector = await createDetector({ model: dataPath('models/yolox_nano_416.onnx'), warmUp: false });
    try {
      // best first, each detection takes the free object of its class it overlaps most; one that finds its objects
      // taken is a duplicate
      const match = (found: Detections) => {
        const overlap = pairwiseIou(Float32Array.from(objects.flatMap(({ box }) => box)), found.boxes);
        const taken = new Set<number>();
        let duplicates = 0;
        for (let j = 0; j < found.count; j++) {
          const near = objects
            .map(
              ({ classId }, i) =>
                [i, classId === found.classIds[j] ? overlap[i * found.count + j]! : 0] as const,
            )
            .filter(([, iou]) => iou > 0.5)
            .sort((a, b) => b[1] - a[1]);
          const free = near.find(([i]) => !taken.has(i));
          if (free !== undefined) taken.add(free[0]);
          else if (near.length > 0) duplicates++;
        }
        return { recall: taken.size / objects.length, duplicates };
      };
      const before = match(await detector.detect(photo));
      const after = match(await detectTiled(detector, photo, { tile: 640, overlap: 0.25 }));
      const loose = match(
        await detectTiled(detector, photo, { tile: 640, overlap: 0.25, mergeThreshold: 1 }),
      );
      console.log(
        `${objects.length} objects: recall ${before.recall.toFixed(3)} whole, ${after.recall.toFixed(3)} in tiles; ` +
          `duplicates ${after.duplicates}, unmerged ${loose.duplicates}`,
      );
      expect(after.recall).toBeGreaterThan(before.recall + 0.25);
      expect(loose.duplicates).toBeGreaterThan(20);
      expect(after.duplicates).toBe(0);
    } finally {
      detector.dispose();
    }
  });
});
