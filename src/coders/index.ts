export { type DeltaCoderOptions, deltaCoder, deltaPresets } from './delta.ts';
export { type DistanceCoderOptions, distanceCoder } from './distance.ts';
export type { BoxCoder } from './types.ts';
