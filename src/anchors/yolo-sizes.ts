/** Anchor sizes `w, h, w, h, …` in pixels that heads share with the generators: one list a level, smallest stride first. */

/** YOLOv3 and YOLOv5, strides 8, 16, 32. */
export const yolov5Anchors: readonly (readonly number[])[] = [
  [10, 13, 16, 30, 33, 23],
  [30, 61, 62, 45, 59, 119],
  [116, 90, 156, 198, 373, 326],
];

/** YOLOv4 and YOLOv7, strides 8, 16, 32. */
export const yolov7Anchors: readonly (readonly number[])[] = [
  [12, 16, 19, 36, 40, 28],
  [36, 75, 76, 55, 72, 146],
  [142, 110, 192, 243, 459, 401],
];
