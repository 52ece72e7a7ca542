/** Which priors of an assignment get a row. */
import { bestMatch } from '../iou/index.ts';
import {
  type Assignment,
  background,
  randomSampler,
  type SparseAssignment,
  sparseRandomSampler,
} from '../matching/index.ts';
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

/** What the sampler is told for an image: the seed and the image's number decide. */
const sampleOptions = ({ count, positiveFraction }: RandomSampler, seed: number, image: number) => ({
  count,
  positiveFraction,
  seed: (seed % 2 ** 20) * 2 ** 32 + image,
});

/** 1 for each prior that the sampler takes from an image's assignment. */
export function sampledPriors(
  assignment: Assignment,
  sampler: RandomSampler,
  seed: number,
  image: number,
): Uint8Array {
  const mask = new Uint8Array(assignment.gtIndices.length);
  const { positives, negatives } = randomSampler(assignment, sampleOptions(sampler, seed, image));
  for (const j of positives) mask[j] = 1;
  for (const j of negatives) mask[j] = 1;
  return mask;
}

/** Rows of a listed assignment, ascending. */
export interface SampledList extends SparseAssignment {
  /** 1 for priors that count, 0 for ignored ones and positives that were not taken. */
  readonly weights: Float32Array;
}

/**
 * The list with the negatives that the sampler takes among all priors `boxes`, and who counts: as {@link sampledPriors},
 * without looking at the other priors. For lists by the plain IoU, which is computed for the negatives here.
 */
export function sampledList(
  list: SparseAssignment,
  boxes: Float32Array<ArrayBuffer>,
  groundTruths: Float32Array<ArrayBuffer>,
  sampler: RandomSampler,
  seed: number,
  image: number,
): SampledList {
  const sample = sparseRandomSampler(list, boxes.length / 4, sampleOptions(sampler, seed, image));
  const { positives, negatives } = sample;
  const best = bestOverlaps(boxes, negatives, groundTruths);
  const count = list.priorIndices.length + negatives.length;
  const rows = {
    priorIndices: new Int32Array(count),
    gtIndices: new Int32Array(count).fill(background),
    overlaps: new Float32Array(count),
    weights: new Float32Array(count).fill(1),
  };
  const taken = new Set(positives);
  for (let row = 0, l = 0, n = 0; row < count; row++) {
    const j = list.priorIndices[l] ?? Number.POSITIVE_INFINITY;
    if (n < negatives.length && negatives[n]! < j) {
      rows.priorIndices[row] = negatives[n]!;
      rows.overlaps[row] = best[n++]!;
      continue;
    }
    rows.priorIndices[row] = j;
    rows.gtIndices[row] = list.gtIndices[l]!;
    rows.overlaps[row] = list.overlaps[l++]!;
    rows.weights[row] = taken.has(j) ? 1 : 0;
  }
  return rows;
}

/** Greatest IoU of each of these priors with a ground truth, 0 without one. */
function bestOverlaps(
  boxes: Float32Array,
  priors: Int32Array,
  groundTruths: Float32Array,
): ArrayLike<number> {
  if (groundTruths.length === 0) return new Float32Array(priors.length);
  const own = new Float32Array(4 * priors.length);
  priors.forEach((j, i) => {
    for (let k = 0; k < 4; k++) own[4 * i + k] = boxes[4 * j + k]!;
  });
  return bestMatch(own, groundTruths).values;
}
