/** Default boxes of SSD, as torchvision makes them. */
import { OptionError } from '../errors.ts';
import { hullOf, mapsOf } from './grid.ts';
import type { AnchorImage, AnchorLevel, Anchors } from './types.ts';

const { fround } = Math;

export interface DefaultBoxOptions extends AnchorImage {
  /** Ratios beside 1, one list a level: `[2]` gives 2 and 1/2. */
  readonly aspectRatios: readonly (readonly number[])[];
  /** Sides in units of the image, one more than levels. Default: evenly from `minRatio` to `maxRatio`, then 1. */
  readonly scales?: readonly number[];
  /** Default 0.15. */
  readonly minRatio?: number;
  /** Default 0.9. */
  readonly maxRatio?: number;
  /** Pixels a cell stands for, one a level. Default: the maps share the image evenly, and `maps` is needed. */
  readonly steps?: readonly number[];
  /** Cuts widths and heights to the image's. Default true. */
  readonly clip?: boolean;
}

/**
 * torchvision `DefaultBoxGenerator`: squares of s_k and √(s_k·s_(k+1)), then each ratio and its inverse, about the
 * middle of each cell. In pixels, in the generator's float32 steps.
 *
 * Source: Liu et al., "SSD", ECCV 2016, section 2.2; torchvision.
 */
export function ssdDefaultBoxes(options: DefaultBoxOptions): Anchors {
  const { image, aspectRatios, steps, clip = true } = options;
  const count = aspectRatios.length;
  if (steps === undefined && options.maps === undefined) {
    throw new OptionError('expected maps or steps: without either the cells are not known');
  }
  if (steps !== undefined && steps.length !== count) {
    throw new OptionError(`expected ${count} steps, one a level, got ${steps.length}`, {
      expected: count,
      got: steps.length,
    });
  }
  const maps = mapsOf(options, steps ?? Array.from({ length: count }, () => 1));
  const scales = scalesOf(options, count);
  const levels: AnchorLevel[] = [];
  const total = maps.reduce(
    (sum, map, k) => sum + map.width * map.height * (2 + 2 * aspectRatios[k]!.length),
    0,
  );
  const boxes = new Float32Array(4 * total);
  let at = 0;
  maps.forEach((map, k) => {
    const sizes = sizesOf(scales[k]!, scales[k + 1]!, aspectRatios[k]!, clip);
    const across = steps === undefined ? map.width : image.width / steps[k]!;
    const down = steps === undefined ? map.height : image.height / steps[k]!;
    const perCell = sizes.length / 2;
    const pitchX = image.width / across;
    const pitchY = image.height / down;
    levels.push({
      stride: steps?.[k] ?? pitchX,
      pitchX,
      pitchY,
      width: map.width,
      height: map.height,
      perCell,
      start: at / 4,
      count: map.width * map.height * perCell,
      hull: hullOf(cornersOf(sizes, image.width, image.height), pitchX / 2, pitchY / 2),
    });
    for (let y = 0; y < map.height; y++) {
      const cy = fround((y + 0.5) / down);
      for (let x = 0; x < map.width; x++) {
        const cx = fround((x + 0.5) / across);
        for (let i = 0; i < sizes.length; i += 2, at += 4) {
          const halfWidth = fround(0.5 * sizes[i]!);
          const halfHeight = fround(0.5 * sizes[i + 1]!);
          boxes[at] = fround(cx - halfWidth) * image.width;
          boxes[at + 1] = fround(cy - halfHeight) * image.height;
          boxes[at + 2] = fround(cx + halfWidth) * image.width;
          boxes[at + 3] = fround(cy + halfHeight) * image.height;
        }
      }
    }
  });
  return { boxes, levels };
}

/** torchvision's SSD300 (VGG-16): 8732 default boxes on maps of 38, 19, 10, 5, 3 and 1 cells. */
export function ssd300DefaultBoxes(): Anchors {
  return ssdDefaultBoxes({
    image: { width: 300, height: 300 },
    maps: [38, 19, 10, 5, 3, 1].map((side) => ({ width: side, height: side })),
    aspectRatios: [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
    scales: [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
    steps: [8, 16, 32, 64, 100, 300],
  });
}

function scalesOf(
  { scales, minRatio = 0.15, maxRatio = 0.9 }: DefaultBoxOptions,
  count: number,
): readonly number[] {
  if (scales !== undefined) {
    if (scales.length < count + 1) {
      throw new OptionError(`expected ${count + 1} scales, one more than levels, got ${scales.length}`, {
        expected: count + 1,
        got: scales.length,
      });
    }
    return scales;
  }
  if (count === 1) return [minRatio, maxRatio];
  return [
    ...Array.from({ length: count }, (_, k) => minRatio + ((maxRatio - minRatio) * k) / (count - 1)),
    1,
  ];
}

/** Widths and heights of a cell's boxes in units of the image, float32. */
function sizesOf(scale: number, next: number, ratios: readonly number[], clip: boolean): Float32Array {
  const between = Math.sqrt(scale * next);
  const sizes = [scale, scale, between, between];
  for (const ratio of ratios) {
    const root = Math.sqrt(ratio);
    sizes.push(scale * root, scale / root, scale / root, scale * root);
  }
  return Float32Array.from(sizes, (size) => (clip ? Math.min(1, Math.max(0, size)) : size));
}

function cornersOf(sizes: Float32Array, width: number, height: number): number[] {
  const corners: number[] = [];
  for (let i = 0; i < sizes.length; i += 2) {
    const halfWidth = (sizes[i]! * width) / 2;
    const halfHeight = (sizes[i + 1]! * height) / 2;
    corners.push(-halfWidth, -halfHeight, halfWidth, halfHeight);
  }
  return corners;
}
