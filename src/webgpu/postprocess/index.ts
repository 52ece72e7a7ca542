export type { GpuTensor } from './heads.ts';
export { gpuHeads } from './names.ts';
export { GpuReducer, type Reduced, type ReduceRequest, type ReducerStats } from './reducer.ts';
