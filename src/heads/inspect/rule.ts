/** The shape of a rule: facts in, candidates out; and the helper that completes a candidate. */
import type { PreprocessingChoice } from '../preprocessing.ts';
import type { HeadName, HeadOptions } from '../types.ts';
import type { Facts } from './facts.ts';
import { choosePicture } from './picture.ts';
import type { HeadCandidate } from './types.ts';

export type Rule = (facts: Facts) => readonly HeadCandidate[];

/** Scores of candidates: what decides is in the file, dims fit and nothing speaks against it, or dims barely fit. */
export const score = { read: 0.95, likely: 0.75, dims: 0.55, weak: 0.3 } as const;

export interface Match {
  readonly head: HeadName;
  readonly family: string;
  readonly score: number;
  readonly reasons: readonly string[];
  readonly classCount: number | null;
  readonly convention: PreprocessingChoice;
  /** Other conventions of the same family, e.g. of an earlier release. */
  readonly alternatives?: readonly PreprocessingChoice[];
  readonly headOptions?: HeadOptions;
}

export function candidate(facts: Facts, match: Match): HeadCandidate {
  const { preprocessing, sources, reasons } = choosePicture(facts, match.convention, match.alternatives);
  return {
    head: match.head,
    family: match.family,
    score: match.score,
    reasons: [...match.reasons, ...reasons],
    headOptions: match.headOptions ?? {},
    classCount: match.classCount,
    preprocessing,
    preprocessingSources: sources,
  };
}
