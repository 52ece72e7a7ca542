export type { BatchIou } from './batch-iou.ts';
export { createBatchIou } from './create.ts';
export type { Calibration, CalibrationEntry, CalibrationPoint } from './crossover.ts';
export type {
  Adapter,
  Backend,
  BatchIouOptions,
  BatchIouStats,
  CalibrateOptions,
  Device,
  DeviceBuffer,
  ExplainOptions,
  Explanation,
  Gpu,
  GpuAlignedOptions,
  GpuBestMatch,
  GpuBestMatchOptions,
  GpuBoxes,
  GpuPairwiseOptions,
  GpuResult,
  JobKind,
  JobOptions,
  Output,
  RotatedJob,
  TileLimits,
} from './types.ts';
