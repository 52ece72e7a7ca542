export type { ShardFile, ShardRecord } from './job.ts';
export { readPredictions } from './job.ts';
export type { TargetManifest } from './manifest.ts';
export {
  defaultImagesPerShard,
  type TargetProgress,
  type TargetSummary,
  type WriteTargetsOptions,
  writeTargets,
} from './run.ts';
