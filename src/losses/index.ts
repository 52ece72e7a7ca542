export * from './classification/cross-entropy.ts';
export * from './classification/gaussian-focal.ts';
export * from './classification/quality.ts';
export * from './classification/seesaw.ts';
export * from './classification/sigmoid-focal.ts';
export { type LossOptions, type LossResult, lossNormalizer, type Reduction } from './common.ts';
export * from './gradient-harmony.ts';
export * from './regression/elementwise.ts';
