/** Priors of face detectors: squares about the middle of each cell. */
import { gridAnchors, mapsOf } from './grid.ts';
import type { AnchorImage, Anchors } from './types.ts';

/** RetinaFace: strides 8, 16, 32, two squares each (16, 32 | 64, 128 | 256, 512 pixels). */
export function retinaFacePriors(options: AnchorImage): Anchors {
  const sizes = [
    [16, 32],
    [64, 128],
    [256, 512],
  ];
  const strides = [8, 16, 32];
  return gridAnchors(
    mapsOf(options, strides).map((map, k) => ({
      stride: strides[k]!,
      map,
      base: squares(sizes[k]!),
      offsetX: strides[k]! / 2,
      offsetY: strides[k]! / 2,
    })),
  );
}

/**
 * UltraFace: strides 8, 16, 32, 64; cells share the picture evenly, so they are smaller than the stride where it does not
 * divide the side. Centres and sizes are cut to the picture, as there: boxes may still reach beyond it.
 */
export function ultraFacePriors(options: AnchorImage): Anchors {
  const { width, height } = options.image;
  const sizes = [
    [10, 16, 24],
    [32, 48],
    [64, 96],
    [128, 192, 256],
  ];
  const strides = [8, 16, 32, 64];
  return gridAnchors(
    mapsOf(options, strides).map((map, k) => {
      const pitchX = width / map.width;
      const pitchY = height / map.height;
      const base = sizes[k]!.flatMap((size) => {
        const [halfWidth, halfHeight] = [Math.min(size, width) / 2, Math.min(size, height) / 2];
        return [-halfWidth, -halfHeight, halfWidth, halfHeight];
      });
      return { stride: strides[k]!, map, base, pitchX, pitchY, offsetX: pitchX / 2, offsetY: pitchY / 2 };
    }),
  );
}

/** BlazeFace (short range, 128 × 128): 896 squares of the whole input, two a cell of 16 × 16, six of 8 × 8. */
export function blazeFacePriors({ image }: Pick<AnchorImage, 'image'>): Anchors {
  const levels = [
    { cells: 16, perCell: 2 },
    { cells: 8, perCell: 6 },
  ];
  return gridAnchors(
    levels.map(({ cells, perCell }) => {
      const [pitchX, pitchY] = [image.width / cells, image.height / cells];
      const whole = [-image.width / 2, -image.height / 2, image.width / 2, image.height / 2];
      return {
        stride: pitchX,
        map: { width: cells, height: cells },
        base: Array.from({ length: perCell }, () => whole).flat(),
        pitchX,
        pitchY,
        offsetX: pitchX / 2,
        offsetY: pitchY / 2,
      };
    }),
  );
}

function squares(sizes: readonly number[]): number[] {
  return sizes.flatMap((size) => [-size / 2, -size / 2, size / 2, size / 2]);
}
