/** Anchors of mmdetection's RPN, RetinaNet, ATSS, SSD and YOLO heads. */
import { OptionError } from '../errors.ts';
import { gridAnchors, mapsOf, perLevel } from './grid.ts';
import type { AnchorImage, Anchors } from './types.ts';

const { fround } = Math;

export interface MmdetectionAnchorOptions extends AnchorImage {
  readonly strides: readonly number[];
  /** Height / width. */
  readonly ratios: readonly number[];
  /** Sides in units of the base size. Default: from `octaveBaseScale` and `scalesPerOctave`. */
  readonly scales?: readonly number[];
  /** Smallest scale; with `scalesPerOctave` n the scales are this·2^(i/n). */
  readonly octaveBaseScale?: number;
  readonly scalesPerOctave?: number;
  /** Pixels a scale of 1 means, one a level. Default: the strides. */
  readonly baseSizes?: readonly number[];
  /** Centre of the anchors in units of the base size from the cell's corner. Default 0; 0.5 is the cell's middle. */
  readonly centerOffset?: number;
  /** Centres in pixels, one `[x, y]` a level; replace `centerOffset`. */
  readonly centers?: readonly (readonly [number, number])[];
  /** Ratios outer, scales inner. Default true; SSD says false. */
  readonly scaleMajor?: boolean;
}

/**
 * mmdetection `AnchorGenerator`: w = base·scale/√ratio, h = base·scale·√ratio, nothing rounded.
 *
 * @example
 * // RetinaNet
 * mmdetectionAnchors({ image, strides: [8, 16, 32, 64, 128], ratios: [0.5, 1, 2], octaveBaseScale: 4, scalesPerOctave: 3 });
 */
export function mmdetectionAnchors(options: MmdetectionAnchorOptions): Anchors {
  const { strides, ratios, baseSizes = strides, centerOffset = 0, centers, scaleMajor = true } = options;
  const maps = mapsOf(options, strides);
  const scales = scalesOf(options);
  if (baseSizes.length !== strides.length) {
    throw new OptionError(`expected ${strides.length} base sizes, got ${baseSizes.length}`, {
      expected: strides.length,
      got: baseSizes.length,
    });
  }
  return gridAnchors(
    maps.map((map, k) => {
      const base = baseSizes[k]!;
      const [x, y] = centers?.[k] ?? [centerOffset * base, centerOffset * base];
      return {
        stride: strides[k]!,
        map,
        base: ratioScaleBase(fround(base), scales, ratios, fround(x), fround(y), scaleMajor),
      };
    }),
  );
}

function scalesOf({ scales, octaveBaseScale, scalesPerOctave }: MmdetectionAnchorOptions): readonly number[] {
  if (scales !== undefined) return scales;
  if (octaveBaseScale === undefined || scalesPerOctave === undefined) {
    throw new OptionError('expected scales, or octaveBaseScale and scalesPerOctave');
  }
  return Array.from({ length: scalesPerOctave }, (_, i) => octaveBaseScale * 2 ** (i / scalesPerOctave));
}

/** Corners in float32 steps. */
function ratioScaleBase(
  size: number,
  scales: readonly number[],
  ratios: readonly number[],
  x: number,
  y: number,
  scaleMajor: boolean,
): number[] {
  const base: number[] = [];
  const add = (scale: number, ratio: number): void => {
    const tall = fround(Math.sqrt(fround(ratio)));
    const wide = fround(1 / tall);
    // (base·ratio)·scale and (base·scale)·ratio: the order of mmdetection's two branches
    const [width, height] = scaleMajor
      ? [fround(fround(size * wide) * fround(scale)), fround(fround(size * tall) * fround(scale))]
      : [fround(fround(size * fround(scale)) * wide), fround(fround(size * fround(scale)) * tall)];
    base.push(
      fround(x - fround(0.5 * width)),
      fround(y - fround(0.5 * height)),
      fround(x + fround(0.5 * width)),
      fround(y + fround(0.5 * height)),
    );
  };
  if (scaleMajor) for (const ratio of ratios) for (const scale of scales) add(scale, ratio);
  else for (const scale of scales) for (const ratio of ratios) add(scale, ratio);
  return base;
}

export interface MmdetectionSsdOptions extends AnchorImage {
  /** Side of the square input the sizes are for: 300 or 512. */
  readonly inputSize: number;
  readonly strides: readonly number[];
  /** Ratios beside 1, one list a level: `[2]` gives 1/2 and 2. */
  readonly ratios: readonly (readonly number[])[];
  /** Smallest and largest size in units of the input. Default 0.15 … 0.9. */
  readonly basesizeRatioRange?: readonly [number, number];
  /** Sizes in pixels, one a level; replace `basesizeRatioRange`. */
  readonly minSizes?: readonly number[];
  readonly maxSizes?: readonly number[];
}

/**
 * mmdetection `SSDAnchorGenerator`: a square of the minimum size, one of √(min·max), and the minimum size at each ratio
 * and its inverse, about the middle of each cell.
 */
export function mmdetectionSsdAnchors(options: MmdetectionSsdOptions): Anchors {
  const { strides } = options;
  const maps = mapsOf(options, strides);
  const ratios = perLevel('ratios', options.ratios, strides.length);
  const [minSizes, maxSizes] = ssdSizes(options);
  return gridAnchors(
    maps.map((map, k) => {
      const stride = strides[k]!;
      const size = minSizes[k]!;
      const all = [1, ...ratios[k]!.flatMap((ratio) => [1 / ratio, ratio])];
      const squares = [1, Math.sqrt(maxSizes[k]! / size)];
      // every ratio at scale 1; the larger square comes second
      const base = ratioScaleBase(fround(size), squares, all, stride / 2, stride / 2, false);
      const second = 4 * all.length;
      return {
        stride,
        map,
        base: [...base.slice(0, 4), ...base.slice(second, second + 4), ...base.slice(4, second)],
      };
    }),
  );
}

function ssdSizes(options: MmdetectionSsdOptions): [number[], number[]] {
  const { inputSize, strides, basesizeRatioRange = [0.15, 0.9], minSizes, maxSizes } = options;
  const count = strides.length;
  if (minSizes !== undefined && maxSizes !== undefined) {
    if (minSizes.length !== count || maxSizes.length !== count) {
      throw new OptionError(`expected ${count} minimum and maximum sizes`, { expected: count });
    }
    return [[...minSizes], [...maxSizes]];
  }
  const [low, high] = basesizeRatioRange;
  const first = Math.trunc(low * 100);
  const last = Math.trunc(high * 100);
  const step = Math.trunc(Math.floor(last - first) / (count - 2));
  if (!(count > 2 && step > 0)) throw new OptionError(`expected minSizes and maxSizes for ${count} levels`);
  const min: number[] = [];
  const max: number[] = [];
  for (let ratio = first; ratio <= last; ratio += step) {
    min.push(Math.trunc((inputSize * ratio) / 100));
    max.push(Math.trunc((inputSize * (ratio + step)) / 100));
  }
  // the first level has its own sizes: 7 or 10 % (300), 4 or 7 % and more (512)
  const smallest = firstSizes(inputSize, low);
  min.unshift(Math.trunc((inputSize * smallest[0]) / 100));
  max.unshift(Math.trunc((inputSize * smallest[1]) / 100));
  return [min.slice(0, count), max.slice(0, count)];
}

function firstSizes(inputSize: number, low: number): readonly [number, number] {
  if (inputSize === 300 && low === 0.15) return [7, 15];
  if (inputSize === 300 && low === 0.2) return [10, 20];
  if (inputSize === 512 && low === 0.1) return [4, 10];
  if (inputSize === 512 && low === 0.15) return [7, 15];
  throw new OptionError(
    `basesizeRatioRange must start at 0.15 or 0.2 (input 300), 0.1 or 0.15 (512), got ${low} for ${inputSize}: give minSizes and maxSizes`,
    { inputSize, low },
  );
}
