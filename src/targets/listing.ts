/** Which priors of an assignment get a row. */
import { type Assignment, background, randomSampler } from '../matching/index.ts';
import type { TargetConfig } from './config.ts';

type RandomSampler = Extract<TargetConfig['sampler'], { kind: 'random' }>;

/** Lists priors in memory that is reused. */
export class Listing {
  readonly #dense: boolean;
  #scratch = new Int32Array(0);

  /** `dense`: every prior is listed. */
  constructor(dense: boolean) {
    this.#dense = dense;
  }

  /** The priors that are not background, and those that were sampled, ascending; valid until the next call. */
  of(gtIndices: Int32Array, sampled: Uint8Array | null): Int32Array {
    const count = gtIndices.length;
    if (this.#scratch.length < count) this.#scratch = new Int32Array(count);
    const listed = this.#scratch;
    let found = 0;
    if (this.#dense) while (found < count) listed[found] = found++;
    else if (sampled === null) {
      // four at a time: background is −1, all bits set, and most priors are background
      for (let j = 0; j < count; j++) {
        while (
          j + 3 < count &&
          (gtIndices[j]! & gtIndices[j + 1]! & gtIndices[j + 2]! & gtIndices[j + 3]!) === background
        ) {
          j += 4;
        }
        if (j < count && gtIndices[j] !== background) listed[found++] = j;
      }
    } else {
      for (let j = 0; j < count; j++) {
        if (gtIndices[j] !== background || sampled[j] === 1) listed[found++] = j;
      }
    }
    return listed.subarray(0, found);
  }
}

/** 1 for each prior that the sampler takes from an image's assignment; the seed and the image's number decide. */
export function sampledPriors(
  assignment: Assignment,
  { count, positiveFraction }: RandomSampler,
  seed: number,
  image: number,
): Uint8Array {
  const mask = new Uint8Array(assignment.gtIndices.length);
  const { positives, negatives } = randomSampler(assignment, {
    count,
    positiveFraction,
    seed: (seed % 2 ** 20) * 2 ** 32 + image,
  });
  for (const j of positives) mask[j] = 1;
  for (const j of negatives) mask[j] = 1;
  return mask;
}
