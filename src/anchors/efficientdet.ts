/** Anchors of EfficientDet. */
import { gridAnchors, mapsOf, pyramidStrides } from './grid.ts';
import type { AnchorImage, Anchors } from './types.ts';

export interface EfficientDetAnchorOptions extends AnchorImage {
  /** Default 8, 16, 32, 64, 128. */
  readonly strides?: readonly number[];
  /** Scales an octave. Default 3. */
  readonly scalesPerOctave?: number;
  /** Factors of width and height. Default (1, 1), (1.4, 0.7), (0.7, 1.4). */
  readonly aspectRatios?: readonly (readonly [number, number])[];
  /** Side of the smallest anchor in cells. Default 4. */
  readonly anchorScale?: number;
}

/**
 * EfficientDet's anchors about the middle of each cell: octaves outer, aspects inner. Boxes are `x1,y1,x2,y2` here
 * (`y1,x1,y2,x2` there). Cells share the picture evenly, and sizes are counted in cells: where 128 does not divide the
 * input (Lite0's 320, Lite2's 448) both are smaller than the stride says.
 *
 * Source: automl `efficientdet/anchors.py`, effdet.
 */
export function efficientDetAnchors(options: EfficientDetAnchorOptions): Anchors {
  const { image, strides = pyramidStrides, scalesPerOctave = 3, anchorScale = 4 } = options;
  const {
    aspectRatios = [
      [1, 1],
      [1.4, 0.7],
      [0.7, 1.4],
    ],
  } = options;
  const maps = mapsOf(options, strides);
  return gridAnchors(
    maps.map((map, k) => {
      const pitchX = image.width / map.width;
      const pitchY = image.height / map.height;
      const base: number[] = [];
      for (let octave = 0; octave < scalesPerOctave; octave++) {
        const side = (anchorScale * 2 ** (octave / scalesPerOctave)) / 2;
        for (const [wide, tall] of aspectRatios) {
          const [x, y] = [side * pitchX * wide, side * pitchY * tall];
          base.push(-x, -y, x, y);
        }
      }
      const [offsetX, offsetY] = [pitchX / 2, pitchY / 2];
      return { stride: strides[k]!, map, base, pitchX, pitchY, offsetX, offsetY, double: true };
    }),
  );
}
