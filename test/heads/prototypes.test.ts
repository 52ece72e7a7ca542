/** `decodeMask` equals interpolating every prototype to the input, weighting, and cropping, pixel by pixel. */
import { expect, test } from 'vitest';
import { decodeMask, type MaskPrototypes } from '../../src/heads/index.ts';

const prototypes: MaskPrototypes = {
  channels: 3,
  width: 7,
  height: 5,
  data: Float32Array.from({ length: 105 }, (_, i) => Math.sin(i * 1.7) + Math.cos(i * 0.31)),
};
const coefficients = [0.7, -1.1, 0.4];
const input = { width: 28, height: 20 };

/** The slow way: bilinear sample of the weighted sum at one input pixel. */
function slow(x: number, y: number): number {
  const { width, height, data, channels } = prototypes;
  const u = Math.max(0, ((x + 0.5) * width) / input.width - 0.5);
  const v = Math.max(0, ((y + 0.5) * height) / input.height - 0.5);
  const [left, top] = [Math.min(width - 1, Math.floor(u)), Math.min(height - 1, Math.floor(v))];
  const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
  let sum = 0;
  for (let c = 0; c < channels; c++) {
    const at = (i: number, j: number) => data[c * width * height + j * width + i]!;
    const upper = at(left, top) * (1 - (u - left)) + at(right, top) * (u - left);
    const lower = at(left, bottom) * (1 - (u - left)) + at(right, bottom) * (u - left);
    sum += coefficients[c]! * (upper * (1 - (v - top)) + lower * (v - top));
  }
  return sum;
}

test.each([[[0, 0, 28, 20]], [[3.2, 4.9, 17.5, 13.1]], [[-5, -3, 40, 30]], [[27.2, 19.5, 28, 20]]])(
  'box %s',
  (box) => {
    const mask = decodeMask(prototypes, coefficients, box, input);
    expect(mask.data.length).toBe(mask.width * mask.height);
    for (let j = 0; j < mask.height; j++) {
      for (let i = 0; i < mask.width; i++) {
        const value = slow(mask.x + i, mask.y + j);
        if (Math.abs(value) > 1e-5) expect(mask.data[j * mask.width + i]).toBe(value > 0 ? 1 : 0);
        // a pixel belongs to the box by its index
        expect(
          mask.x + i >= box[0]! && mask.x + i < box[2]! && mask.y + j >= box[1]! && mask.y + j < box[3]!,
        ).toBe(true);
      }
    }
  },
);

test('an empty or outside box has an empty mask', () => {
  expect(decodeMask(prototypes, coefficients, [5, 5, 5, 9], input).data.length).toBe(0);
  expect(decodeMask(prototypes, coefficients, [50, 5, 60, 9], input).data.length).toBe(0);
});
