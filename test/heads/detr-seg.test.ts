/** The masks of `detr-seg`, decoded lazily inside the boxes, equal torch's interpolation of each query's whole mask. */
import { describe, expect, test } from 'vitest';
import { FrameTransform } from '../../src/boxes/frame-transform.ts';
import { LayoutError } from '../../src/errors.ts';
import { createMaskLogits, decode, decodeMaskLogits } from '../../src/heads/index.ts';
import { decodeRle } from '../../src/masks/index.ts';
import golden from '../golden/heads/masks.json';
import { caseOutputs, type GoldenCase } from './tensors.ts';

const [, queries, height, width] = golden.dims as [number, number, number, number];
const [imageWidth, imageHeight] = golden.picture as [number, number];
const input = { width: 48, height: 36 };

const { masks } = caseOutputs({
  id: '',
  head: 'detr-seg',
  seed: golden.seed,
  input: [input.width, input.height],
  scoreThreshold: 0,
  tensors: { masks: { dims: golden.dims, kind: 'signed' } },
} satisfies GoldenCase);

/** One query of every mask sure of class 0, whole or in part; in reverse order, so that rows are not queries. */
function outputs(box: readonly number[]) {
  const labels = new Float32Array(2 * queries).fill(-9);
  for (let query = 0; query < queries; query++) labels[2 * query] = query + 1;
  const dets = Float32Array.from({ length: 4 * queries }, (_, i) => box[i % 4]!);
  return {
    dets: { dims: [1, queries, 4], data: dets },
    labels: { dims: [1, queries, 2], data: labels },
    masks: masks!,
  };
}

describe('masks of queries', () => {
  test.each([
    ['whole', [0.5, 0.5, 1, 1]],
    ['in part', [0.4, 0.6, 0.5, 0.35]],
  ])('%s', (_, box) => {
    const found = decode('detr-seg', outputs(box), { input });
    expect(found.count).toBe(queries);
    expect(found.prototypes).toMatchObject({ channels: queries, width, height });
    const source = { width: imageWidth, height: imageHeight };
    const transform = FrameTransform.stretch({ source, target: input });
    const boxes = transform.toImage(found.boxes);
    const { places, offsets, values } = createMaskLogits(
      found.prototypes!,
      found.maskCoefficients!,
      boxes,
      transform,
    );
    for (let row = 0; row < found.count; row++) {
      const place = places.subarray(9 * row, 9 * row + 9);
      const mask = decodeRle(
        decodeMaskLogits(place, values.subarray(offsets[row], offsets[row + 1]), source),
      );
      // best first: the last query
      const wanted = golden.rows[queries - 1 - row]!;
      const [left, top, right, bottom] = boxes.subarray(4 * row, 4 * row + 4);
      let pixels = 0;
      for (let y = 0; y < imageHeight; y++) {
        for (let x = 0; x < imageWidth; x++) {
          const inside = x >= left! && x < right! && y >= top! && y < bottom!;
          const pixel = mask[y * imageWidth + x]!;
          expect(pixel, `row ${row} at ${x}, ${y}`).toBe(inside ? Number(wanted[y]![x]) : 0);
          pixels += pixel;
        }
      }
      expect(pixels).toBeGreaterThan(0);
    }
  });

  test('a mask of NaN spoils no other', () => {
    const spoilt = outputs([0.5, 0.5, 1, 1]);
    const data = Float32Array.from(spoilt.masks.data as Float32Array);
    data.fill(Number.NaN, 0, width * height);
    const found = decode('detr-seg', { ...spoilt, masks: { ...spoilt.masks, data } }, { input });
    const transform = FrameTransform.stretch({ source: input, target: input });
    const logits = createMaskLogits(found.prototypes!, found.maskCoefficients!, found.boxes, transform);
    expect(logits.values.subarray(0, width * height * (queries - 1)).every(Number.isFinite)).toBe(true);
  });

  test('masks that are missing or of another number are a LayoutError', () => {
    const { masks: _, ...without } = outputs([0.5, 0.5, 1, 1]);
    expect(() => decode('detr-seg', without, { input })).toThrow(LayoutError);
    const other = { dims: [1, queries + 1, 2, 2], data: new Float32Array(4 * queries + 4) };
    expect(() => decode('detr-seg', { ...without, masks: other }, { input })).toThrow(LayoutError);
  });
});
