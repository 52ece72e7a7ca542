export * from './boxes/index.ts';
export * from './errors.ts';
export * from './iou/index.ts';
export * from './kernels/index.ts';
export * from './masks/index.ts';
export * from './nms/index.ts';
