export type { GpuTensor } from './heads.ts';
export type { ReduceRequest } from './job.ts';
export { gpuHeads } from './names.ts';
export { GpuReducer, type Reduced, type ReducerStats } from './reducer.ts';
