/** What every peer of the IoU benchmark does: take boxes, compute a matrix or the best matches, say how long it took. */

export type BenchMetric = 'iou' | 'giou' | 'diou' | 'ciou';
export type BenchKind = 'pairwise' | 'bestMatch';

export interface BenchJob {
  readonly kind: BenchKind;
  readonly metric: BenchMetric;
  readonly rows: number;
  readonly columns: number;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/** The matrix, row by row, or the largest similarity of each row and its column. */
export interface Answer {
  readonly values: Float32Array;
  readonly indices?: ArrayLike<number>;
}

export interface IouPeer {
  readonly name: string;
  /** The result once; null when the peer cannot do this job. */
  answer(job: BenchJob): Promise<Answer | null>;
  /** Milliseconds of processor time a run, over about `budget` milliseconds and at least one run. */
  measure(job: BenchJob, budget: number): Promise<number>;
}

/**
 * Processor time a run of `run`. It does not change with what else the machine does; garbage collection and compilation
 * are in it.
 */
export async function timed(run: () => unknown, budget: number): Promise<number> {
  let runs = 0;
  const end = performance.now() + budget;
  const start = process.cpuUsage();
  do {
    const pending = run();
    if (pending instanceof Promise) await pending;
    runs++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / runs;
}

/** How far two answers lie apart, relative beyond 1; a different column counts where it is not a tie within `tie`. */
export function difference(got: Answer, expected: Answer, tie: number): number {
  if (got.values.length !== expected.values.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < got.values.length; i++) {
    const [value, wanted] = [got.values[i]!, expected.values[i]!];
    const error = Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    const sameColumn = Number(got.indices?.[i] ?? -1) === Number(expected.indices?.[i] ?? -1);
    // The values are each row's largest: equal ones under two columns are a tie within rounding.
    if (!sameColumn && !(error <= tie)) return Number.POSITIVE_INFINITY;
  }
  return worst;
}
