/** What every peer of the suppression benchmark does: take a set, run it for a while, say what it keeps. */

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
  /** Kept indices, in the peer's own order. */
  readonly keep: readonly number[];
}

export interface Peer {
  readonly name: string;
  /** Runs the set for about `budget` milliseconds, at least once. Null when the peer cannot do this set. */
  measure(set: BenchSet, budget: number): Promise<Sample | null>;
  dispose?(): void;
}

/**
 * Processor time a run of `run`, repeated for about `budget` milliseconds. Processor time does not change with what else
 * the machine does; garbage collection and compilation are in it.
 */
export async function sample(
  run: () => ArrayLike<number> | Promise<ArrayLike<number>>,
  budget: number,
): Promise<Sample> {
  let keep: ArrayLike<number> = [];
  let runs = 0;
  const end = performance.now() + budget;
  const start = process.cpuUsage();
  do {
    keep = await run();
    runs++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return { milliseconds: (user + system) / 1000 / runs, keep: Array.from(keep) };
}

/** The same for code that returns at once: no promise is awaited between runs. */
export function sampleSync(run: () => ArrayLike<number>, budget: number): Sample {
  let keep: ArrayLike<number> = [];
  let runs = 0;
  const end = performance.now() + budget;
  const start = process.cpuUsage();
  do {
    for (let i = 0; i < 8 || performance.now() > end; i++) {
      keep = run();
      runs++;
      if (performance.now() > end) break;
    }
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return { milliseconds: (user + system) / 1000 / runs, keep: Array.from(keep) };
}
