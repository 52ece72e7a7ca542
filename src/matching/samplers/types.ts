/** What samplers take and give. */
import type { Assignment } from '../types.ts';

/** Sampled priors, each list ascending. */
export interface Sample {
  readonly positives: Int32Array<ArrayBuffer>;
  readonly negatives: Int32Array<ArrayBuffer>;
}

export interface SampleOptions {
  /** How many priors in all. Default 256 (RPN); RoI heads 512. */
  readonly count?: number;
  /** Largest part of them that is positive. Default 0.5; RoI heads 0.25. */
  readonly positiveFraction?: number;
  /** Most negatives a positive, at least one positive counted; none by default (mmdetection `neg_pos_ub`). */
  readonly negativesPerPositive?: number;
  /** Seeds what is chosen at random. Default 0. */
  readonly seed?: number;
}

/** What a sampler reads of an assignment. */
export type Sampled = Pick<Assignment, 'gtIndices'>;
