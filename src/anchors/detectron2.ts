/** Anchors of detectron2's RPN and RetinaNet. */
import { gridAnchors, mapsOf, perLevel, pyramidStrides } from './grid.ts';
import type { AnchorImage, Anchors, RetinaNetAnchorOptions } from './types.ts';

export interface Detectron2AnchorOptions extends AnchorImage {
  readonly strides: readonly number[];
  /** Sides of square anchors in pixels, one list a level or one for all. */
  readonly sizes: readonly number[] | readonly (readonly number[])[];
  /** Height / width, one list a level or one for all. Default 0.5, 1, 2. */
  readonly aspectRatios?: readonly number[] | readonly (readonly number[])[];
  /** Centre of the first anchor in strides from the corner. Default 0, as the configuration's; the class says 0.5. */
  readonly offset?: number;
}

/**
 * detectron2 `DefaultAnchorGenerator`: w = √(size²/ratio), h = ratio·w, nothing rounded, sizes outer, ratios inner.
 *
 * @example
 * detectron2Anchors({ image: { width: 8, height: 4 }, strides: [4], sizes: [32, 64], aspectRatios: [0.25, 1, 4] })
 *   .boxes.subarray(0, 4); // [-32, -8, 32, 8]
 */
export function detectron2Anchors(options: Detectron2AnchorOptions): Anchors {
  const { strides, aspectRatios = [0.5, 1, 2], offset = 0 } = options;
  const maps = mapsOf(options, strides);
  const sizes = perLevel('sizes', options.sizes, strides.length);
  const ratios = perLevel('aspectRatios', aspectRatios, strides.length);
  return gridAnchors(
    maps.map((map, k) => {
      const stride = strides[k]!;
      const base: number[] = [];
      for (const size of sizes[k]!) {
        for (const ratio of ratios[k]!) {
          const width = Math.sqrt(size ** 2 / ratio);
          const height = ratio * width;
          base.push(-width / 2, -height / 2, width / 2, height / 2);
        }
      }
      return { stride, map, base, offsetX: offset * stride, offsetY: offset * stride };
    }),
  );
}

/** detectron2's RetinaNet: sizes of four strides (32 … 512), three octaves each, ratios 0.5, 1, 2. */
export function detectron2RetinaNetAnchors({
  strides = pyramidStrides,
  ...options
}: RetinaNetAnchorOptions): Anchors {
  const sizes = strides.map((stride) => [0, 1, 2].map((octave) => 4 * stride * 2 ** (octave / 3)));
  return detectron2Anchors({ ...options, strides, sizes });
}
