export { nms } from './nms.ts';
export type { NmsOptions, ScoreArray } from './types.ts';
