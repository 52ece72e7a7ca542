/** Anchors of EfficientDet. */
import { gridAnchors, mapsOf } from './grid.ts';
import type { AnchorImage, Anchors } from './types.ts';

export interface EfficientDetAnchorOptions extends AnchorImage {
  /** Default 8, 16, 32, 64, 128. */
  readonly strides?: readonly number[];
  /** Scales an octave. Default 3. */
  readonly scalesPerOctave?: number;
  /** Factors of width and height. Default (1, 1), (1.4, 0.7), (0.7, 1.4). */
  readonly aspectRatios?: readonly (readonly [number, number])[];
  /** Side of the smallest anchor in strides. Default 4. */
  readonly anchorScale?: number;
}

/**
 * EfficientDet's anchors about the middle of each cell: octaves outer, aspects inner. Boxes are `x1,y1,x2,y2` here
 * (`y1,x1,y2,x2` there).
 *
 * Source: automl `efficientdet/anchors.py`, effdet.
 */
export function efficientDetAnchors(options: EfficientDetAnchorOptions): Anchors {
  const { strides = [8, 16, 32, 64, 128], scalesPerOctave = 3, anchorScale = 4 } = options;
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
      const stride = strides[k]!;
      const base: number[] = [];
      for (let octave = 0; octave < scalesPerOctave; octave++) {
        const side = anchorScale * stride * 2 ** (octave / scalesPerOctave);
        for (const [wide, tall] of aspectRatios) {
          base.push((-side * wide) / 2, (-side * tall) / 2, (side * wide) / 2, (side * tall) / 2);
        }
      }
      return { stride, map, base, offsetX: stride / 2, offsetY: stride / 2 };
    }),
  );
}
