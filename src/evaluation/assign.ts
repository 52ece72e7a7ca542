/**
 * One-to-one assignment of detections to truths by IoU alone, as the training toolkits do it for confusion matrices and
 * curves (COCO's own matching is in `coco/match.ts`).
 */
import { OptionError } from '../errors.ts';

/**
 * - `'score'`: each detection, best score first, takes the free truth it overlaps most (Ultralytics since 8.4);
 * - `'best-proposal'`: each detection proposes to the truth it overlaps most, each truth takes the proposal that
 *   overlaps most; there is no second choice (confusion matrices of Ultralytics to 8.3 and YOLOv5);
 * - `'first-proposal'`: the same, but each truth takes the proposal of the best score (their curves);
 * - `'pair'`: pairs by falling IoU, those of the same class first (supervision).
 *
 * Ties go to the lower index.
 */
export type Assignment = 'score' | 'best-proposal' | 'first-proposal' | 'pair';

export interface AssignInput {
  /** Best score first. */
  readonly detections: number;
  readonly truths: number;
  /** Overlap of detection d and truth t, at least 0. */
  readonly overlap: (d: number, t: number) => number;
  /** Whether an overlap is enough. */
  readonly fits: (overlap: number) => boolean;
  /** Read by `'pair'`. */
  readonly sameClass: (d: number, t: number) => boolean;
}

/** Writes the truth of each detection, −1 without, into `truthOf[0…detections]`. Throws `OptionError`. */
export function assign(rule: Assignment, input: AssignInput, truthOf: Int32Array): void {
  truthOf.fill(-1, 0, input.detections);
  if (input.truths === 0) return;
  if (rule === 'score') byScore(input, truthOf);
  else if (rule === 'best-proposal') byProposal(input, truthOf, true);
  else if (rule === 'first-proposal') byProposal(input, truthOf, false);
  else if (rule === 'pair') byPair(input, truthOf);
  else {
    throw new OptionError(
      `assignment must be 'score', 'best-proposal', 'first-proposal' or 'pair', got '${String(rule)}'`,
      { assignment: rule },
    );
  }
}

function byScore({ detections, truths, overlap, fits }: AssignInput, truthOf: Int32Array): void {
  const taken = new Uint8Array(truths);
  for (let d = 0; d < detections; d++) {
    let best = 0;
    let match = -1;
    for (let t = 0; t < truths; t++) {
      if (taken[t] === 1) continue;
      const value = overlap(d, t);
      if (value > best) {
        best = value;
        match = t;
      }
    }
    if (match < 0 || !fits(best)) continue;
    taken[match] = 1;
    truthOf[d] = match;
  }
}

function byProposal(input: AssignInput, truthOf: Int32Array, bestWins: boolean): void {
  const { detections, truths, overlap, fits } = input;
  const best = new Float64Array(truths).fill(-1);
  const chosen = new Int32Array(truths).fill(-1);
  for (let d = 0; d < detections; d++) {
    let value = -1;
    let match = -1;
    for (let t = 0; t < truths; t++) {
      const candidate = overlap(d, t);
      if (candidate > value) {
        value = candidate;
        match = t;
      }
    }
    if (!fits(value) || (bestWins ? value <= best[match]! : chosen[match]! >= 0)) continue;
    best[match] = value;
    chosen[match] = d;
  }
  for (let t = 0; t < truths; t++) if (chosen[t]! >= 0) truthOf[chosen[t]!] = t;
}

function byPair({ detections, truths, overlap, fits, sameClass }: AssignInput, truthOf: Int32Array): void {
  const pairs: { d: number; t: number; value: number; same: boolean }[] = [];
  for (let t = 0; t < truths; t++) {
    for (let d = 0; d < detections; d++) {
      const value = overlap(d, t);
      if (fits(value)) pairs.push({ d, t, value, same: sameClass(d, t) });
    }
  }
  pairs.sort((a, b) => Number(b.same) - Number(a.same) || b.value - a.value);
  const taken = new Uint8Array(truths);
  for (const { d, t } of pairs) {
    if (taken[t] === 1 || truthOf[d]! >= 0) continue;
    taken[t] = 1;
    truthOf[d] = t;
  }
}
