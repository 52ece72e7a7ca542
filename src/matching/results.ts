/** Arguments checked and results made: what all matchers share. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';
import { countBoxes } from '../iou/pack.ts';
import { type Assignment, background, ignored, type MatchOptions, type PairAssignment } from './types.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Number of ground truths; throws where boxes or classes have the wrong length. */
export function countGroundTruths(
  boxes: BoxArray,
  { groundTruthClasses }: Pick<MatchOptions, 'groundTruthClasses'>,
): number {
  const count = countBoxes(boxes, 'groundTruthBoxes');
  if (groundTruthClasses !== undefined && groundTruthClasses.length !== count) {
    throw new ShapeError(`expected ${count} groundTruthClasses, got ${groundTruthClasses.length}`, {
      expected: count,
      got: groundTruthClasses.length,
    });
  }
  return count;
}

/** The arrays of a result: the caller's, or new ones. `gtIndices` hold −1, `overlaps` and `weights` 0. */
export function assignmentFor(count: number, options: MatchOptions, weighted = false): Assignment {
  const { out, groundTruthClasses } = options;
  const take = <T extends Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
    name: string,
    given: T | undefined,
    make: () => T,
    value: number,
  ): T => {
    if (given === undefined) return value === 0 ? make() : (make().fill(value) as T);
    if (given.length !== count) {
      throw new ShapeError(`expected out.${name} of length ${count}, got ${given.length}`, {
        name,
        expected: count,
        got: given.length,
      });
    }
    return given.fill(value) as T;
  };
  const result: Mutable<Assignment> = {
    gtIndices: take('gtIndices', out?.gtIndices, () => new Int32Array(count), background),
    overlaps: take('overlaps', out?.overlaps, () => new Float32Array(count), 0),
  };
  if (groundTruthClasses !== undefined) {
    result.labels = take('labels', out?.labels, () => new Int32Array(count), background);
  }
  if (weighted) result.weights = take('weights', out?.weights, () => new Float32Array(count), 0);
  return result;
}

/** Fills `labels` from `gtIndices`, where there are classes. Returns the assignment. */
export function finish(assignment: Assignment, { groundTruthClasses }: MatchOptions): Assignment {
  const { gtIndices, labels } = assignment;
  if (labels === undefined || groundTruthClasses === undefined) return assignment;
  for (let j = 0; j < gtIndices.length; j++) {
    const gt = gtIndices[j]!;
    labels[j] = gt >= 0 ? groundTruthClasses[gt]! : gt;
  }
  return assignment;
}

/** Puts −2 where the mask is set and nothing is matched. */
export function ignoreUnmatched(gtIndices: Int32Array, mask: Uint8Array | null): void {
  if (mask === null) return;
  for (let j = 0; j < gtIndices.length; j++) if (mask[j] === 1 && gtIndices[j]! < 0) gtIndices[j] = ignored;
}

/** Pairs with their classes. */
export function pairsOf(
  priorIndices: readonly number[],
  gtIndices: readonly number[],
  { groundTruthClasses }: Pick<MatchOptions, 'groundTruthClasses'>,
): PairAssignment {
  const pairs = { priorIndices: Int32Array.from(priorIndices), gtIndices: Int32Array.from(gtIndices) };
  if (groundTruthClasses === undefined) return pairs;
  return { ...pairs, labels: Int32Array.from(gtIndices, (gt) => groundTruthClasses[gt]!) };
}
