/**
 * From priors and ground truths to training samples: matchers of every common detector, by any IoU metric.
 *
 * A matcher returns one entry a prior: the ground truth it is to predict, −1 for background, −2 for ignored.
 */
export { type AtssOptions, atssMatcher } from './atss.ts';
export { type DynamicSoftLabelOptions, dynamicSoftLabelMatcher } from './dynamic-soft-label.ts';
export { type FcosOptions, fcosMatcher } from './fcos.ts';
export {
  type HungarianOptions,
  hungarianMatcher,
  hungarianPresets,
  topkHungarianMatcher,
} from './hungarian.ts';
export {
  type LinearAssignment,
  type LinearAssignmentOptions,
  linearAssignment,
} from './linear-assignment.ts';
export { type MaxIouOptions, maxIouMatcher, maxIouPresets } from './max-iou.ts';
export { sparseMaxIouMatcher } from './max-iou-sparse.ts';
export { type PaaOptions, paaMatcher } from './paa.ts';
export {
  type HardNegativeOptions,
  hardNegativeSampler,
  type IouBalancedOptions,
  iouBalancedSampler,
  type OhemOptions,
  ohemSampler,
  pseudoSampler,
  randomSampler,
} from './samplers/samplers.ts';
export { sparseRandomSampler } from './samplers/sparse.ts';
export type { Sample, Sampled, SampleOptions } from './samplers/types.ts';
export { type SimOtaOptions, simOtaMatcher } from './sim-ota.ts';
export { type SsdMatchOptions, ssdMatcher } from './ssd.ts';
export { type TaskAlignedOptions, taskAlignedMatcher } from './task-aligned.ts';
export type { TaskAlignedRule } from './task-aligned-conflicts.ts';
export {
  type Assignment,
  background,
  ignored,
  type MatchOptions,
  type MetricOptions,
  type PairAssignment,
  type Predictions,
  type Priors,
  type SparseAssignment,
} from './types.ts';
export { type UniformOptions, uniformMatcher } from './uniform.ts';
export { type BestAnchorOptions, bestAnchorMatcher } from './yolo-best-anchor.ts';
export { lastMatch, type Yolov5MatchOptions, yolov5Matcher } from './yolov5.ts';
