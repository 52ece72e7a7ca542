/** Properties of run-length masks that hold for any pixels. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compressRuns,
  decodeRle,
  decompressRuns,
  encodeRle,
  maskContours,
  maskIou,
  mergeRle,
  rleArea,
  rleFromSegmentation,
  rleToBoxes,
} from '../../src/index.ts';

const bitmap = (height: number, width: number) =>
  fc
    .array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width })
    .map((pixels) => Uint8Array.from(pixels));

const oneMask = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([height, width]) =>
    fc.record({ size: fc.constant([height, width] as const), a: bitmap(height, width) }),
  );

const twoMasks = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([height, width]) =>
    fc.record({
      size: fc.constant([height, width] as const),
      a: bitmap(height, width),
      b: bitmap(height, width),
    }),
  );

test('encode and decode, compress and decompress are inverses', () => {
  fc.assert(
    fc.property(oneMask, ({ size, a }) => {
      const mask = encodeRle(a, size);
      expect(decodeRle(mask)).toEqual(a);
      expect(decompressRuns(compressRuns(mask.counts))).toEqual(mask.counts);
    }),
  );
});

test('merge, area, box and overlap are those of the pixels', () => {
  fc.assert(
    fc.property(twoMasks, ({ size, a, b }) => {
      const [x, y] = [encodeRle(a, size), encodeRle(b, size)];
      const union = mergeRle([x, y]);
      const both = mergeRle([x, y], { operation: 'intersection' });
      expect(decodeRle(union)).toEqual(a.map((v, i) => v | b[i]));
      expect(decodeRle(both)).toEqual(a.map((v, i) => v & b[i]));
      expect(union).toEqual(encodeRle(decodeRle(union), size));
      const count = (pixels: Uint8Array) => pixels.reduce((sum, v) => sum + v, 0);
      expect(rleArea(x)).toBe(count(a));
      const overlap = rleArea(union) === 0 ? 0 : rleArea(both) / rleArea(union);
      expect(maskIou([x], [y])[0]).toBe(overlap);
      const [x1, y1, x2, y2] = rleToBoxes([x]);
      const columns = [...a.keys()].filter((i) => a[i]).map((i) => i % size[1]);
      const rows = [...a.keys()].filter((i) => a[i]).map((i) => Math.floor(i / size[1]));
      const expected =
        columns.length === 0
          ? [0, 0, 0, 0]
          : [Math.min(...columns), Math.min(...rows), Math.max(...columns) + 1, Math.max(...rows) + 1];
      expect([x1, y1, x2, y2]).toEqual(expected);
    }),
  );
});

test('contours enclose exactly the pixels inside, by the even-odd rule', () => {
  fc.assert(
    fc.property(oneMask, ({ size, a }) => {
      const contours = maskContours(encodeRle(a, size));
      const [, width] = size;
      for (let i = 0; i < a.length; i++) {
        const x = (i % width) + 0.5;
        const y = Math.floor(i / width) + 0.5;
        let crossings = 0;
        for (const contour of contours) {
          for (let k = 0; k < contour.length; k += 2) {
            const next = (k + 2) % contour.length;
            const [x1, y1, x2, y2] = [contour[k], contour[k + 1], contour[next], contour[next + 1]];
            // contours run along pixel edges: only upright pieces left of the centre are crossed
            if (x1 === x2 && x1 < x && Math.min(y1, y2) < y && y < Math.max(y1, y2)) crossings++;
          }
        }
        expect(crossings % 2).toBe(a[i]);
      }
    }),
  );
});

test('contours are outer boundaries clockwise, and rasterise to the mask again where there are no holes', () => {
  fc.assert(
    fc.property(oneMask, ({ size, a }) => {
      const mask = encodeRle(a, size);
      const contours = maskContours(mask);
      const areas = contours.map((contour) => {
        let twice = 0;
        for (let k = 0; k < contour.length; k += 2) {
          const next = (k + 2) % contour.length;
          twice += contour[k] * contour[next + 1] - contour[next] * contour[k + 1];
        }
        return twice / 2;
      });
      expect(areas.reduce((sum, area) => sum + area, 0)).toBe(rleArea(mask));
      if (areas.every((area) => area > 0)) expect(rleFromSegmentation(contours, size)).toEqual(mask);
    }),
  );
});
