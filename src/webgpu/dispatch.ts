/** One thread a result, in workgroups that may need a second dimension: a device allows only so many along one. */
import { workgroupSize } from './shaders.ts';

/** Workgroups along x and y. */
export type Grid = readonly [across: number, down: number];

export function gridOf(threads: number, limit: number): Grid {
  const groups = Math.ceil(threads / workgroupSize);
  const across = Math.min(groups, limit);
  return [across, Math.ceil(groups / across)];
}

/** Writes the commands that run a pipeline once. */
export function dispatch(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  pipeline: GPUComputePipeline,
  entries: GPUBindGroupEntry[],
  grid: Grid,
): void {
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(...grid);
  pass.end();
}
