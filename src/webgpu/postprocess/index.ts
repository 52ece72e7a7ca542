export { type GpuTensor, gpuHeads } from './heads.ts';
export { GpuReducer, type Reduced, type ReduceRequest, type ReducerStats } from './reducer.ts';
