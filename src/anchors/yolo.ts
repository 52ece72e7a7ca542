/** Anchors of the YOLO family: fixed sizes a level, about the middle of each cell. */
import { OptionError } from '../errors.ts';
import { gridAnchors, mapsOf } from './grid.ts';
import type { AnchorImage, Anchors } from './types.ts';
import { yolov5Anchors, yolov7Anchors } from './yolo-sizes.ts';

/** Sizes `w, h, w, h, …` in pixels, one list a level, smallest stride first. */
export const yoloAnchorSizes = {
  /** YOLOv3 and YOLOv5: strides 8, 16, 32. */
  yolov5: yolov5Anchors,
  /** YOLOv4 and YOLOv7: strides 8, 16, 32. */
  yolov7: yolov7Anchors,
  /** YOLOv5-P6 and YOLOv7-W6: strides 8, 16, 32, 64. */
  yolov5P6: [
    [19, 27, 44, 40, 38, 94],
    [96, 68, 86, 152, 180, 137],
    [140, 301, 303, 264, 238, 542],
    [436, 615, 739, 380, 925, 792],
  ],
  /** YOLOv3-tiny: strides 16, 32. */
  yolov3Tiny: [
    [10, 14, 23, 27, 37, 58],
    [81, 82, 135, 169, 344, 319],
  ],
  /** YOLOv2 on COCO: one level of stride 32 (darknet lists them in cells: .57273, .677385, …). */
  yolov2: [
    [0.57273, 0.677385, 1.87446, 2.06253, 3.33843, 5.47434, 7.88282, 3.52778, 9.77052, 9.16828].map(
      (v) => 32 * v,
    ),
  ],
  /** YOLOv2 on VOC: one level of stride 32. */
  yolov2Voc: [
    [1.3221, 1.73145, 3.19275, 4.00944, 5.05587, 8.09892, 9.47112, 4.84053, 11.2364, 10.0071].map(
      (v) => 32 * v,
    ),
  ],
} as const satisfies Record<string, readonly (readonly number[])[]>;

export interface YoloAnchorOptions extends AnchorImage {
  /** Sizes `w, h, …` in pixels, one list a level. Default YOLOv5's. */
  readonly sizes?: readonly (readonly number[])[];
  /** Default 8, 16, 32, … as many as lists of sizes; 32 for one list. */
  readonly strides?: readonly number[];
}

/**
 * Anchors of a YOLO about the middle of each cell (mmdetection `YOLOAnchorGenerator`): the anchors of a cell together,
 * cells row by row, levels in the order given.
 *
 * @example
 * yoloAnchors({ image: { width: 640, height: 640 } }); // 25 200 anchors
 */
export function yoloAnchors(options: YoloAnchorOptions): Anchors {
  const { sizes = yoloAnchorSizes.yolov5 } = options;
  const {
    strides = sizes.length === 1 ? [32] : sizes.length === 2 ? [16, 32] : sizes.map((_, k) => 8 * 2 ** k),
  } = options;
  if (sizes.length !== strides.length) {
    throw new OptionError(`expected ${strides.length} lists of sizes, one a stride, got ${sizes.length}`, {
      expected: strides.length,
      got: sizes.length,
    });
  }
  const maps = mapsOf(options, strides);
  return gridAnchors(
    maps.map((map, k) => {
      const stride = strides[k]!;
      const list: readonly number[] = sizes[k]!;
      if (list.length === 0 || list.length % 2 !== 0 || list.some((side) => !(side > 0))) {
        throw new OptionError(`expected sizes w, h, … > 0, got [${list.join(', ')}]`, { level: k });
      }
      const base: number[] = [];
      for (let i = 0; i < list.length; i += 2) {
        const [width, height] = [list[i]!, list[i + 1]!];
        base.push(
          stride / 2 - width / 2,
          stride / 2 - height / 2,
          stride / 2 + width / 2,
          stride / 2 + height / 2,
        );
      }
      return { stride, map, base };
    }),
  );
}
