export * from './boxes/index.ts';
export * from './errors.ts';
export * from './masks/index.ts';
export * from './nms/index.ts';
