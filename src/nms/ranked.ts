/**
 * Boxes of one class in columns, best score first: what every member of the family but plain greedy works on.
 *
 * Similarities come a row at a time from the metric's own loops.
 */
import type { BoxArray } from '../boxes/types.ts';
import { pixelOffsetOf } from '../iou/conventions.ts';
import { type ResolvedMetric, resolveMetric } from '../iou/resolve.ts';
import { bucketByClass } from './classes.ts';
import {
  countBoxes,
  isClassAware,
  limitOption,
  numberOption,
  requireClassIds,
  selectCandidates,
} from './input.ts';
import { orderByScore } from './order.ts';
import type { RankedOptions, ScoreArray, Suppression } from './types.ts';

export class RankedGroup {
  readonly x1: BoxArray;
  readonly y1: BoxArray;
  readonly x2: BoxArray;
  readonly y2: BoxArray;
  readonly count: number;
  private readonly terms: readonly BoxArray[];

  constructor(
    boxes: BoxArray,
    /** Indices of the boxes into the caller's arrays, best score first. */
    readonly indices: Uint32Array,
    readonly metric: ResolvedMetric,
  ) {
    const float32 = boxes instanceof Float32Array && metric.implementation.single !== undefined;
    const Columns = float32 ? Float32Array : Float64Array;
    this.count = indices.length;
    this.x1 = new Columns(this.count);
    this.y1 = new Columns(this.count);
    this.x2 = new Columns(this.count);
    this.y2 = new Columns(this.count);
    for (let i = 0; i < this.count; i++) {
      const at = 4 * indices[i]!;
      this.x1[i] = boxes[at]!;
      this.y1[i] = boxes[at + 1]!;
      this.x2[i] = boxes[at + 2]! + metric.pixelOffset;
      this.y2[i] = boxes[at + 3]! + metric.pixelOffset;
    }
    this.terms = metric.createTerms(this.x1, this.count);
    metric.fillTerms(this.x1, this.y1, this.x2, this.y2, 0, this.count, this.terms);
  }

  /** Similarities of box `i` (the metric's first) with boxes `from..to` (its second), into `out[0 …]`. */
  row(i: number, from: number, to: number, out: Float64Array): void {
    this.rowOf(this.x1[i]!, this.y1[i]!, this.x2[i]!, this.y2[i]!, from, to, out);
  }

  /**
   * Similarities of boxes `from..to` (the metric's first) with box `i` (its second), into `out[0 …]`. As in greedy NMS the
   * box that may be suppressed comes first: with `'iof'` a box goes when a better one covers most of it.
   */
  against(i: number, from: number, to: number, out: Float64Array): void {
    if (this.metric.symmetric) {
      this.row(i, from, to, out);
      return;
    }
    const { x1, y1, x2, y2, metric } = this;
    for (let j = from; j < to; j++) {
      metric.row(x1[j]!, y1[j]!, x2[j]!, y2[j]!, x1, y1, x2, y2, i, i + 1, out, j - from, this.terms);
    }
  }

  /** Similarities of any box with boxes `from..to`, into `out[0 …]`. */
  rowOf(x1: number, y1: number, x2: number, y2: number, from: number, to: number, out: Float64Array): void {
    this.metric.row(x1, y1, x2, y2, this.x1, this.y1, this.x2, this.y2, from, to, out, 0, this.terms);
  }

  /** Whether any of the boxes `from..to` has a similarity with box `i` above (inclusive: at) the threshold. */
  anyAbove(i: number, from: number, to: number, threshold: number, inclusive: boolean): boolean {
    return this.metric.anyAbove(
      this.x1,
      this.y1,
      this.x2,
      this.y2,
      from,
      to,
      this.x1[i]!,
      this.y1[i]!,
      this.x2[i]!,
      this.y2[i]!,
      threshold,
      inclusive,
      this.terms,
    );
  }
}

/** Checks the input and groups its candidates: one group a class, or one in all when classes do not matter. */
export function rankedGroups(boxes: BoxArray, scores: ScoreArray, options: RankedOptions): RankedGroup[] {
  const count = countBoxes(boxes, scores);
  requireClassIds(options.classIds, count);
  const order = selectCandidates(
    boxes,
    scores,
    numberOption('scoreThreshold', options.scoreThreshold, Number.NEGATIVE_INFINITY),
    limitOption('maxCandidates', options.maxCandidates),
  );
  const pixelOffset = pixelOffsetOf(options);
  const { metric: name, preset } = options;
  // a library's eps never enters its plain IoU here
  const metric = resolveMetric(name, { ...(name !== 'iou' && name && preset && { preset }), pixelOffset });
  if (!isClassAware(options.scope, options.classIds)) return [new RankedGroup(boxes, order, metric)];
  const { members, starts } = bucketByClass(order, options.classIds!);
  return Array.from(
    { length: starts.length - 1 },
    (_, b) => new RankedGroup(boxes, members.subarray(starts[b]!, starts[b + 1]!), metric),
  );
}

/** What survives, by new score (ties: lower index first), at most `maxDetections` of it. */
export class Survivors {
  readonly scores: Float64Array;
  private readonly found: Uint32Array;
  private size = 0;

  constructor(private readonly like: ScoreArray) {
    this.scores = new Float64Array(like.length);
    this.found = new Uint32Array(like.length);
  }

  add(index: number, score: number): void {
    this.found[this.size++] = index;
    this.scores[index] = score;
  }

  /** Indices and new scores, in the precision of the scores that came in. */
  finish(maxDetections: number | undefined): Suppression {
    const limit = limitOption('maxDetections', maxDetections);
    const ascending = this.found.slice(0, this.size).sort();
    // Rounded first, so that what is a tie in the result is ordered as one.
    const rounded = this.like instanceof Float32Array ? Float32Array.from(this.scores) : this.scores;
    const indices = orderByScore(rounded, ascending).slice(0, Math.min(limit, this.size));
    const scores =
      rounded instanceof Float32Array ? new Float32Array(indices.length) : new Float64Array(indices.length);
    for (let i = 0; i < indices.length; i++) scores[i] = rounded[indices[i]!]!;
    return { indices, scores };
  }
}
