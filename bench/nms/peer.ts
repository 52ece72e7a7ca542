/** What every peer of the suppression benchmark does: take sets, run them in turn for a while, say what it keeps. */

export interface BenchSet {
  readonly name: string;
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  /** Undefined: one class. */
  readonly classIds: Int32Array | undefined;
  readonly threshold: number;
}

export interface Sample {
  /** Milliseconds of processor time a run. */
  readonly milliseconds: number;
  /** Kept indices in the peer's own order, those of one set after those of another. */
  readonly keep: readonly number[];
}

export interface Peer {
  readonly name: string;
  /**
   * Runs the sets in turn for about `budget` milliseconds, each at least once. Null when the peer cannot do them.
   *
   * They are of one kind and differ in their numbers, as the frames of a stream do: a small set repeated for long is
   * learnt by heart by the processor's branch prediction.
   */
  measure(sets: readonly BenchSet[], budget: number): Promise<Sample | null>;
  dispose?(): void;
}

/**
 * Processor time a run of `runs`, taken in turn for about `budget` milliseconds. Processor time does not change with what
 * else the machine does; garbage collection and compilation are in it.
 */
export async function sample(
  runs: readonly (() => ArrayLike<number> | Promise<ArrayLike<number>>)[],
  budget: number,
): Promise<Sample> {
  const keep = runs.map((): ArrayLike<number> => []);
  const end = performance.now() + budget;
  const start = process.cpuUsage();
  let count = 0;
  do {
    keep[count % runs.length] = await runs[count % runs.length]!();
    count++;
  } while (count < runs.length || performance.now() < end);
  return finish(start, count, keep);
}

/** The same for code that returns at once: no promise is awaited between runs. */
export function sampleSync(runs: readonly (() => ArrayLike<number>)[], budget: number): Sample {
  const keep = runs.map((): ArrayLike<number> => []);
  const end = performance.now() + budget;
  const start = process.cpuUsage();
  let count = 0;
  do {
    keep[count % runs.length] = runs[count % runs.length]!();
    count++;
  } while (count < runs.length || performance.now() < end);
  return finish(start, count, keep);
}

function finish(start: NodeJS.CpuUsage, count: number, keep: readonly ArrayLike<number>[]): Sample {
  const { user, system } = process.cpuUsage(start);
  return { milliseconds: (user + system) / 1000 / count, keep: keep.flatMap((list) => Array.from(list)) };
}
