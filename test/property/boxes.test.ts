/** Properties of formats, frames and Detections that hold for any input. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BoxFormat,
  boxArea,
  boxFormats,
  clipBoxes,
  convertBoxes,
  Detections,
  encodeRle,
  FrameTransform,
} from '../../src/index.ts';

const coordinate = fc.double({ min: -5000, max: 5000, noNaN: true });
const boxes64 = fc
  .array(fc.tuple(coordinate, coordinate, coordinate, coordinate), { maxLength: 20 })
  .map((rows) => Float64Array.from(rows.flat()));
const side = fc.integer({ min: 1, max: 5000 });
const size = fc.record({ width: side, height: side });
const format = fc.constantFrom<BoxFormat>(...boxFormats);

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(tolerance);
  }
}

const transform = fc.oneof(
  fc.record({ source: size, target: size }).map((options) => FrameTransform.stretch(options)),
  fc
    .record({
      source: size,
      target: size,
      align: fc.constantFrom('center' as const, 'top-left' as const),
      inverse: fc.constantFrom('exact' as const, 'ultralytics' as const),
      scaleUp: fc.boolean(),
    })
    .map((options) => FrameTransform.letterbox(options)),
  fc
    .record({
      source: size,
      element: size,
      objectFit: fc.constantFrom(
        'contain' as const,
        'cover' as const,
        'fill' as const,
        'none' as const,
        'scale-down' as const,
      ),
      objectPosition: fc.record({
        x: fc.double({ min: -1, max: 2, noNaN: true }),
        y: fc.double({ min: -1, max: 2, noNaN: true }),
      }),
      devicePixelRatio: fc.double({ min: 0.5, max: 4, noNaN: true }),
      mirror: fc.boolean(),
    })
    .map((options) => FrameTransform.toElement(options)),
);

describe('formats', () => {
  test('there and back through any two formats', () => {
    fc.assert(
      fc.property(boxes64, format, format, size, (boxes, through, and, image) => {
        const there = convertBoxes(boxes, 'xyxy', through, image);
        const further = convertBoxes(there, through, and, image);
        expectNear(convertBoxes(further, and, 'xyxy', image), boxes, 1e-8);
      }),
    );
  });

  test('clipping twice is clipping once, and leaves no negative area to proper boxes', () => {
    fc.assert(
      fc.property(boxes64, size, (boxes, image) => {
        const once = clipBoxes(boxes, image);
        expect(clipBoxes(once, image)).toEqual(once);
        for (let i = 0; i < once.length; i += 4) {
          expect(once[i]).toBeGreaterThanOrEqual(0);
          expect(once[i + 2]).toBeLessThanOrEqual(image.width);
          if (boxes[i] <= boxes[i + 2] && boxes[i + 1] <= boxes[i + 3]) {
            expect(boxArea(once.slice(i, i + 4))[0]).toBeGreaterThanOrEqual(0);
          }
        }
      }),
    );
  });
});

describe('frames', () => {
  test('toImage undoes toModel, in every format, for every frame', () => {
    fc.assert(
      fc.property(transform, boxes64, format, (frame, boxes, own) => {
        const { source } = frame;
        const given = convertBoxes(boxes, 'xyxy', own, source);
        const back = frame.toImage(frame.toModel(given, { format: own }), { format: own });
        // positions in the target are up to scale·5000: what float64 loses there is divided by the scale again
        const magnitude =
          5000 + Math.abs(frame.offsetX / frame.scaleX) + Math.abs(frame.offsetY / frame.scaleY);
        expectNear(
          convertBoxes(back, own, 'xyxy', source),
          boxes,
          1e-12 * (magnitude + source.width + source.height),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('boxes move as their corners do, and a mirror keeps corners in order', () => {
    fc.assert(
      fc.property(transform, coordinate, coordinate, side, side, (frame, x, y, width, height) => {
        const box = new Float64Array([x, y, x + width, y + height]);
        const moved = frame.toModel(box);
        const points = frame.pointsToModel(box);
        expect([moved[0], moved[2]]).toEqual([
          Math.min(points[0], points[2]),
          Math.max(points[0], points[2]),
        ]);
        expect([moved[1], moved[3]]).toEqual([points[1], points[3]]);
      }),
    );
  });

  test('inverse() is toImage, compose() is one after the other', () => {
    fc.assert(
      fc.property(transform, transform, boxes64, (first, second, boxes) => {
        const composed = first.compose(second).toModel(boxes);
        const stepwise = second.toModel(first.toModel(boxes));
        for (let i = 0; i < boxes.length; i++) {
          expect(Math.abs(composed[i] - stepwise[i])).toBeLessThanOrEqual(
            1e-9 * Math.max(1e3, Math.abs(stepwise[i])),
          );
        }
        const inverse = first.inverse().toModel(boxes);
        const back = first.toImage(boxes);
        for (let i = 0; i < boxes.length; i++) {
          expect(Math.abs(inverse[i] - back[i])).toBeLessThanOrEqual(
            1e-9 *
              Math.max(
                1e3,
                Math.abs(first.offsetX / first.scaleX),
                Math.abs(first.offsetY / first.scaleY),
                Math.abs(back[i]),
              ),
          );
        }
      }),
    );
  });

  test('a letterbox holds the image: whole pixels, inside, touching two sides', () => {
    fc.assert(
      fc.property(size, size, (source, target) => {
        const { contentX, contentY, contentWidth, contentHeight } = FrameTransform.letterbox({
          source,
          target,
        });
        for (const value of [contentX, contentY, contentWidth, contentHeight])
          expect(Number.isInteger(value)).toBe(true);
        expect(contentX).toBeGreaterThanOrEqual(0);
        expect(contentY).toBeGreaterThanOrEqual(0);
        expect(contentX + contentWidth).toBeLessThanOrEqual(target.width);
        expect(contentY + contentHeight).toBeLessThanOrEqual(target.height);
        expect(contentWidth === target.width || contentHeight === target.height).toBe(true);
      }),
    );
  });
});

const detections = fc
  .record({
    count: fc.nat(12),
    angles: fc.boolean(),
    trackIds: fc.boolean(),
    keypointCount: fc.nat(3),
    masks: fc.boolean(),
    seed: fc.integer(),
  })
  .map(({ count, angles, trackIds, keypointCount, masks, seed }) => {
    let state = seed >>> 0;
    const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const column = (length: number) => Array.from({ length }, () => Math.fround(next()));
    return Detections.from({
      boxes: column(4 * count),
      scores: column(count),
      classIds: column(count).map((v) => Math.floor(v * 5)),
      angles: angles ? column(count) : undefined,
      trackIds: trackIds ? column(count).map((v) => Math.floor(v * 100)) : undefined,
      keypoints: keypointCount > 0 ? column(3 * keypointCount * count) : undefined,
      keypointCount: keypointCount > 0 ? keypointCount : undefined,
      masks: masks
        ? Array.from({ length: count }, () =>
            encodeRle(
              column(20).map((v) => v > 0.5),
              [4, 5],
            ),
          )
        : undefined,
      imageSize: { width: 5, height: 4 },
    });
  });

describe('Detections', () => {
  test('a transfer changes nothing', () => {
    fc.assert(
      fc.property(detections, (found) => {
        const before = JSON.stringify(found);
        const { data, transfer } = found.transferable();
        const received = Detections.fromTransferred(structuredClone(data, { transfer }));
        expect(JSON.stringify(received)).toBe(before);
        expect(received.count).toBe(found.count);
      }),
    );
  });

  test('splitting by any mask and merging gives all rows, in each part in order', () => {
    fc.assert(
      fc.property(detections, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (found, flags) => {
        const mask = flags.slice(0, found.count);
        const kept = found.filter(mask);
        const rest = found.filter((index) => !mask[index]);
        const rows = found.toJSON();
        const expected = [...rows.filter((_, i) => mask[i]), ...rows.filter((_, i) => !mask[i])];
        expect(kept.merge(rest).toJSON()).toEqual(expected);
        expect(found.select(found.scores.map((_, i) => i)).toJSON()).toEqual(rows);
      }),
    );
  });
});
