export * from './errors.ts';
export * from './nms/index.ts';
