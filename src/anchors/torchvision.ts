/** Anchors of torchvision's Faster R-CNN, RPN, RetinaNet and FCOS. */
import { gridAnchors, mapsOf, perLevel, pyramidStrides } from './grid.ts';
import type { AnchorImage, Anchors, RetinaNetAnchorOptions } from './types.ts';

const { fround } = Math;

export interface TorchvisionAnchorOptions extends AnchorImage {
  /** Nominal strides; they give the maps where those are not named. */
  readonly strides: readonly number[];
  /** Sides of square anchors in pixels, one list a level. */
  readonly sizes: readonly (readonly number[])[];
  /** Height / width. Default 0.5, 1, 2 at every level. */
  readonly aspectRatios?: readonly number[] | readonly (readonly number[])[];
}

/**
 * torchvision `AnchorGenerator`: corners rounded to whole pixels about the cell's corner, ratios outer, sizes inner.
 *
 * Cells lie ⌊image side / map side⌋ pixels apart, as there: not always the nominal stride.
 *
 * @example
 * torchvisionAnchors({ image: { width: 15, height: 15 }, maps: [{ width: 3, height: 3 }], strides: [5], sizes: [[10]], aspectRatios: [1] })
 *   .boxes; // [-5, -5, 5, 5,  0, -5, 10, 5,  5, -5, 15, 5, …]
 */
export function torchvisionAnchors(options: TorchvisionAnchorOptions): Anchors {
  const { image, strides, aspectRatios = [0.5, 1, 2] } = options;
  const maps = mapsOf(options, strides);
  const sizes = perLevel('sizes', options.sizes, strides.length);
  const ratios = perLevel('aspectRatios', aspectRatios, strides.length);
  return gridAnchors(
    maps.map((map, k) => ({
      stride: strides[k]!,
      map,
      pitchX: Math.floor(image.width / map.width),
      pitchY: Math.floor(image.height / map.height),
      base: roundedBase(sizes[k]!, ratios[k]!),
    })),
  );
}

/** Sides of a RetinaNet level: four strides, three octaves, cut to whole pixels. */
export function retinaNetSizes(stride: number): readonly number[] {
  return [0, 1, 2].map((octave) => Math.trunc(4 * stride * 2 ** (octave / 3)));
}

/** torchvision's RetinaNet: sizes of four strides (32 … 512), three octaves each cut to whole pixels, ratios 0.5, 1, 2. */
export function torchvisionRetinaNetAnchors({
  strides = pyramidStrides,
  ...options
}: RetinaNetAnchorOptions): Anchors {
  return torchvisionAnchors({ ...options, strides, sizes: strides.map(retinaNetSizes) });
}

/** torchvision's RPN on a feature pyramid: one size a level, 32 … 512, ratios 0.5, 1, 2. */
export function torchvisionRpnAnchors(options: AnchorImage): Anchors {
  return torchvisionAnchors({
    ...options,
    strides: [4, 8, 16, 32, 64],
    sizes: [[32], [64], [128], [256], [512]],
  });
}

/** torchvision's FCOS: one square of the stride's size about each cell's corner. */
export function torchvisionFcosAnchors(options: AnchorImage): Anchors {
  return torchvisionAnchors({
    ...options,
    strides: pyramidStrides,
    sizes: pyramidStrides.map((stride) => [stride]),
    aspectRatios: [1],
  });
}

/** In float32 steps: a corner near a half must round the way torch rounds it. */
function roundedBase(sizes: readonly number[], ratios: readonly number[]): number[] {
  const base: number[] = [];
  for (const ratio of ratios) {
    const tall = fround(Math.sqrt(fround(ratio)));
    const wide = fround(1 / tall);
    for (const size of sizes) {
      const width = roundHalfEven(fround(wide * fround(size)) / 2);
      const height = roundHalfEven(fround(tall * fround(size)) / 2);
      base.push(-width, -height, width, height);
    }
  }
  return base;
}

/** torch rounds halves to the even number. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
