/** Apart from the kernels, so that a detector knows without loading them. */
import type { HeadName } from '../../heads/types.ts';

/** Heads some model of which can be post-processed on the GPU. */
export const gpuHeads: readonly HeadName[] = [
  'yolov8',
  'yolov8-seg',
  'yolov8-pose',
  'yolov8-rows',
  'yolov5',
  'yolov5-seg',
  'yolox',
  'end-to-end',
  'end-to-end-seg',
  'end-to-end-pose',
  'detr',
];
