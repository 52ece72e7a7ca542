/** Samples of assignments that list only what is not background. */
import { seededRandom } from '../../anchors/random.ts';
import { OptionError } from '../../errors.ts';
import type { SparseAssignment } from '../types.ts';
import { choose, chooseRanks, wantedNegatives, wantedPositives } from './select.ts';
import type { Sample, SampleOptions } from './types.ts';

/**
 * What {@link randomSampler} takes from the assignment of all priors, `priors` of them: the same sample for the same
 * seed. The work goes with the length of the list and of the sample.
 */
export function sparseRandomSampler(
  { priorIndices, gtIndices }: SparseAssignment,
  priors: number,
  options: SampleOptions = {},
): Sample {
  const last = priorIndices[priorIndices.length - 1] ?? -1;
  if (!(Number.isSafeInteger(priors) && priors > last)) {
    throw new OptionError(`expected more priors than the last that is listed, ${last}, got ${priors}`, {
      priors,
      last,
    });
  }
  const random = seededRandom(options.seed ?? 0);
  const matched = priorIndices.filter((_, i) => gtIndices[i]! >= 0);
  const positives = choose(matched, wantedPositives(options), random);
  const wanted = wantedNegatives(options, positives.length);
  const negatives = chooseRanks(priors - priorIndices.length, wanted, random);
  // negative number r is prior r + l where l listed ones come before it
  for (let i = 0, l = 0; i < negatives.length; i++) {
    while (l < priorIndices.length && priorIndices[l]! <= negatives[i]! + l) l++;
    negatives[i]! += l;
  }
  return { positives, negatives };
}
