/** Point priors: one point a cell, for heads that regress distances (FCOS, YOLOX, YOLOv8, RTMDet, SCRFD, NanoDet). */
import { OptionError } from '../errors.ts';
import { gridAnchors, mapsOf } from './grid.ts';
import type { AnchorImage, Anchors } from './types.ts';

export interface PointPriorOptions extends AnchorImage {
  readonly strides: readonly number[];
  /** Point in strides from the cell's corner. Default 0.5 (FCOS, YOLOv8); 0 for YOLOX, SCRFD, NanoDet. */
  readonly offset?: number;
  /** Points a cell, all the same (SCRFD has 2). Default 1. */
  readonly perCell?: number;
  /** Side of the square in strides. Default 1, which is what coders and samplers expect; ATSS on points uses 5. */
  readonly scale?: number;
}

/**
 * Points (cell + offset)·stride, each as the square of its stride's side about the point: the centre is the point, the
 * side is the unit distances are counted in. mmdetection `MlvlPointGenerator`, ultralytics `make_anchors`.
 *
 * @example
 * pointPriors({ image: { width: 640, height: 640 }, strides: [8, 16, 32] }); // 8400 points
 */
export function pointPriors(options: PointPriorOptions): Anchors {
  const { strides, offset = 0.5, perCell = 1, scale = 1 } = options;
  if (!(Number.isInteger(perCell) && perCell > 0)) {
    throw new OptionError(`expected perCell to be a whole number > 0, got ${perCell}`, { perCell });
  }
  const maps = mapsOf(options, strides);
  return gridAnchors(
    maps.map((map, k) => {
      const stride = strides[k]!;
      const half = (scale * stride) / 2;
      const square = [-half, -half, half, half];
      return {
        stride,
        map,
        base: Array.from({ length: perCell }, () => square).flat(),
        offsetX: offset * stride,
        offsetY: offset * stride,
      };
    }),
  );
}
