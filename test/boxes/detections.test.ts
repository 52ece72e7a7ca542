import { describe, expect, test } from 'vitest';
import { Detections, encodeRle, OptionError, ShapeError } from '../../src/index.ts';

const names = ['cat', 'dog', 'bird'];
const imageSize = { width: 8, height: 6 };
const rectangle = (x1: number, y1: number, x2: number, y2: number) => {
  const pixels = new Uint8Array(48);
  for (let y = y1; y < y2; y++) pixels.fill(1, 8 * y + x1, 8 * y + x2);
  return encodeRle(pixels, [6, 8]);
};

/** Three detections with every column. */
function full(): Detections {
  return Detections.from({
    boxes: [0, 0, 4, 3, 1, 1, 5, 5, 2, 0, 8, 6],
    scores: [0.5, 0.25, 0.75],
    classIds: [1, 0, 7],
    angles: [0, 0.5, -0.5],
    trackIds: [3, -1, 9],
    keypoints: [1, 2, 2, 3, 4, 0, 5, 6, 1, 7, 8, 2, 9, 10, 2, 11, 12, 2],
    masks: [rectangle(0, 0, 4, 3), rectangle(1, 1, 5, 5), rectangle(2, 0, 8, 6)],
    classNames: names,
    imageSize,
  });
}

describe('one buffer', () => {
  test('every column is an aligned view of it', () => {
    const found = full();
    const { boxes, scores, classIds, angles, trackIds, keypoints, maskOffsets, maskRuns } = found;
    for (const column of [boxes, scores, classIds, angles, trackIds, keypoints, maskOffsets, maskRuns]) {
      expect(column!.buffer).toBe(found.buffer);
      expect(column!.byteOffset % 8).toBe(0);
    }
    expect(found.count).toBe(3);
    expect(found.length).toBe(3);
    expect(found.keypointCount).toBe(2);
    expect(Array.from(maskOffsets!)).toEqual([0, 9, 18, 20]);
    expect(found.maskAt(1)).toEqual(rectangle(1, 1, 5, 5));
  });

  test('crosses a thread boundary by transfer, with every column', () => {
    const found = full();
    const before = JSON.stringify(found);
    const { data, transfer } = found.transferable();
    const received = Detections.fromTransferred(structuredClone(data, { transfer }));
    expect(JSON.stringify(received)).toBe(before);
    expect(received.classNames).toEqual(names);
    expect(received.imageSize).toEqual(imageSize);
    expect(received.masks()).toHaveLength(3);
    expect(found.buffer.byteLength).toBe(0);
    expect(found.boxes).toHaveLength(0);
  });

  test('anything else than transferred detections is refused', () => {
    const { data } = full().transferable();
    expect(() => Detections.fromTransferred({ ...data, buffer: new ArrayBuffer(8) })).toThrow(ShapeError);
    expect(() => Detections.fromTransferred({ ...data, version: 2 } as never)).toThrow('version 2');
    expect(() => Detections.fromTransferred({ ...data, count: -1 })).toThrow(OptionError);
    expect(() => Detections.fromTransferred(undefined as never)).toThrow(ShapeError);
    const { transfer } = full().transferable();
    structuredClone(data, { transfer: [data.buffer, ...transfer] });
    expect(() => Detections.fromTransferred(data)).toThrow('got 0');
  });
});

describe('construction', () => {
  test('empty has no detections and keeps the names', () => {
    const none = Detections.empty({ classNames: names, imageSize });
    expect(none.count).toBe(0);
    expect(none.toJSON()).toEqual([]);
    expect(none.toCoco(1)).toEqual([]);
    expect(none.filter(() => true).classNames).toBe(names);
  });

  test('create gives columns of zeros to fill', () => {
    const made = Detections.create({ count: 2, trackIds: true, keypointCount: 17, classNames: names });
    expect([made.boxes.length, made.trackIds?.length, made.keypoints?.length]).toEqual([8, 2, 102]);
    expect(made.angles).toBeUndefined();
    expect(() => Detections.create({ count: 1.5 })).toThrow(OptionError);
    expect(() => Detections.create({ count: Number.NaN })).toThrow(OptionError);
    expect(() => Detections.create({ count: 1, keypointCount: -1 })).toThrow(OptionError);
  });

  test('columns that do not belong together are a ShapeError', () => {
    const good = { boxes: [0, 0, 1, 1], scores: [1], classIds: [0] };
    expect(() => Detections.from({ ...good, boxes: [0, 0, 1] })).toThrow(
      'expected boxes of length 4 for 1 detections, got 3',
    );
    expect(() => Detections.from({ ...good, classIds: [] })).toThrow(ShapeError);
    expect(() => Detections.from({ ...good, angles: [1, 2] })).toThrow(ShapeError);
    expect(() => Detections.from({ ...good, trackIds: [] })).toThrow(ShapeError);
    expect(() => Detections.from({ ...good, keypoints: [1, 2] })).toThrow(ShapeError);
    expect(() => Detections.from({ ...good, masks: [] })).toThrow(ShapeError);
    const wrong = { size: [2, 2] as const, counts: new Uint32Array([3]) };
    expect(() => Detections.from({ ...good, masks: [wrong] })).toThrow('sum to 4 pixels, got 3');
  });

  test('with replaces columns and facts, and leaves the original', () => {
    const found = full();
    const tracked = found.with({ trackIds: [1, 2, 3], angles: undefined });
    expect(Array.from(tracked.trackIds!)).toEqual([1, 2, 3]);
    expect(tracked.angles).toBeUndefined();
    expect(tracked.maskAt(2)).toEqual(found.maskAt(2));
    expect(Array.from(found.trackIds!)).toEqual([3, -1, 9]);
  });
});

describe('choosing', () => {
  test('filter by predicate and by mask', () => {
    const found = full();
    const confident = found.filter((index) => found.scores[index] > 0.3);
    expect(Array.from(confident.scores)).toEqual([0.5, 0.75]);
    expect(confident.toJSON()).toEqual([found.at(0), found.at(2)]);
    expect(found.filter([true, false, true]).toJSON()).toEqual(confident.toJSON());
    expect(found.filter(new Uint8Array([1, 0, 1])).toJSON()).toEqual(confident.toJSON());
    expect(() => found.filter([true])).toThrow(ShapeError);
  });

  test('select orders and repeats', () => {
    const found = full();
    const chosen = found.select([2, 0, 2]);
    expect(chosen.toJSON()).toEqual([found.at(2), found.at(0), found.at(2)]);
    expect(() => found.select([3])).toThrow('expected indices from 0 to 2, got 3 at 0');
    expect(() => found.select([0.5])).toThrow(ShapeError);
  });

  test('merge keeps order, columns and agreed facts; empty values add nothing', () => {
    const found = full();
    const merged = Detections.merge(Detections.empty(), found.select([0]), found.select([2, 1]));
    expect(merged.toJSON()).toEqual([found.at(0), found.at(2), found.at(1)]);
    expect(merged.classNames).toEqual(names);
    expect(
      found
        .select([0])
        .merge(found.select([1, 2]))
        .toJSON(),
    ).toEqual(found.toJSON());
    expect(Detections.merge().count).toBe(0);
  });

  test('merge refuses what disagrees', () => {
    const found = full();
    const plain = Detections.from({ boxes: [0, 0, 1, 1], scores: [1], classIds: [0] });
    expect(() => found.merge(plain)).toThrow(ShapeError);
    expect(() => found.merge(found.with({ classNames: ['cat', 'bird', 'dog'] }))).toThrow(OptionError);
    expect(() => found.merge(found.with({ imageSize: { width: 9, height: 6 } }))).toThrow('8×6 and 9×6');
    expect(() => found.merge(Detections.empty({ classNames: ['x'] }))).toThrow(OptionError);
  });
});

describe('rows', () => {
  test('class names fall back to the id', () => {
    const found = full();
    expect([0, 1, 2].map((index) => found.classNameOf(index))).toEqual(['dog', 'cat', '7']);
  });

  test('toJSON', () => {
    const { mask, ...row } = full().at(1);
    expect(row).toEqual({
      box: [1, 1, 5, 5],
      score: 0.25,
      classId: 0,
      className: 'cat',
      angle: 0.5,
      trackId: -1,
      keypoints: [
        [5, 6, 1],
        [7, 8, 2],
      ],
    });
    expect(mask!.size).toEqual([6, 8]);
    const plain = Detections.from({ boxes: [0, 0, 1, 1], scores: [1], classIds: [0] });
    expect(JSON.parse(JSON.stringify({ found: plain }))).toEqual({
      found: [{ box: [0, 0, 1, 1], score: 1, classId: 0, className: '0' }],
    });
  });

  test('toCoco gives rows of a results file', () => {
    const plain = Detections.from({ boxes: [10, 20, 30, 50], scores: [0.5], classIds: [1] });
    expect(plain.toCoco(42)).toEqual([{ image_id: 42, category_id: 1, bbox: [10, 20, 20, 30], score: 0.5 }]);
    expect(plain.toCoco(42, [1, 90])[0].category_id).toBe(90);
    expect(() => plain.toCoco(42, [1])).toThrow('expected a category id for class id 1, got none');
  });
});
