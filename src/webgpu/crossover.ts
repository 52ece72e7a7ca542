/**
 * Where the GPU wins, measured: a few sizes on both sides give the constants of two simple costs, and a job goes where
 * its predicted cost is lower.
 *
 * CPU: once + rows + pairs. GPU: once + boxes + the larger of pairs (all lanes busy) and columns (a row is one thread,
 * which takes its columns one after the other). The worse of these models is off by less than the machines differ.
 */
import { OptionError } from '../errors.ts';
import type { Calibration, CalibrationEntry, CalibrationPoint, JobKind } from './types.ts';

/** Milliseconds a unit. */
interface Cost {
  readonly once: number;
  readonly perBox: number;
  readonly perPair: number;
  readonly perColumn: number;
}

interface Costs {
  readonly cpu: Cost;
  readonly gpu: Cost;
}

type Measure = (rows: number, columns: number) => Promise<CalibrationPoint>;

/** Sizes by what they tell: the fixed cost, boxes, pairs, long rows. */
const sizes = { once: [16, 16], boxes: [16384, 4], pairs: [1024, 256], columns: [64, 4096] } as const;
const many = [8192, 1024] as const;

export class Crossover {
  private readonly entries = new Map<string, CalibrationEntry>();
  private readonly costs = new Map<string, Costs>();

  constructor(known?: Calibration) {
    for (const entry of known ?? []) this.add(entry);
  }

  has(kind: JobKind, metric: string): boolean {
    return this.costs.has(`${kind} ${metric}`);
  }

  get table(): Calibration {
    return [...this.entries.values()];
  }

  /** Measures one kernel. */
  async measure(kind: JobKind, metric: string, measure: Measure): Promise<void> {
    const points = [await measure(...sizes.once)];
    if (kind === 'aligned') {
      points.push(await measure(262144, 262144));
    } else {
      points.push(await measure(...sizes.boxes), await measure(...sizes.pairs));
      if (kind === 'bestMatch') points.push(await measure(...sizes.columns));
      // A fast GPU is not out of its fixed cost yet.
      if (points[2]!.gpuMs < 3 * points[0]!.gpuMs) points[2] = await measure(...many);
    }
    this.add({ kind, metric, points });
  }

  /** Predicted milliseconds, or null where nothing was measured. */
  predict(
    kind: JobKind,
    metric: string,
    rows: number,
    columns: number,
    pairs: number,
  ): { readonly cpuMs: number; readonly gpuMs: number } | null {
    const costs = this.costs.get(`${kind} ${metric}`);
    if (costs === undefined) return null;
    const { cpu, gpu } = costs;
    return {
      cpuMs: cpu.once + cpu.perBox * rows + cpu.perPair * pairs,
      gpuMs:
        gpu.once + gpu.perBox * (rows + columns) + Math.max(gpu.perPair * pairs, gpu.perColumn * columns),
    };
  }

  private add(entry: CalibrationEntry): void {
    const { kind, points } = entry ?? {};
    const usable = points?.every(
      ({ rows, columns, cpuMs, gpuMs }) => rows > 0 && columns > 0 && cpuMs >= 0 && gpuMs >= 0,
    );
    if (!usable || points.length < (kind === 'aligned' ? 2 : 3)) {
      throw new OptionError('calibration must be what calibrate() returned', { entry });
    }
    const key = `${entry.kind} ${entry.metric}`;
    this.entries.set(key, entry);
    this.costs.set(key, { cpu: costOf(entry, 'cpuMs'), gpu: costOf(entry, 'gpuMs') });
  }
}

function costOf({ kind, points }: CalibrationEntry, side: 'cpuMs' | 'gpuMs'): Cost {
  const [first, boxes, pairs, columns] = points;
  const once = first![side];
  const beyond = (point: CalibrationPoint) => Math.max(0, point[side] - once);
  if (kind === 'aligned') {
    return { once, perBox: 0, perPair: beyond(boxes!) / boxes!.rows, perColumn: 0 };
  }
  const boxesOf = (point: CalibrationPoint) => point.rows + (side === 'gpuMs' ? point.columns : 0);
  const pairsOf = (point: CalibrationPoint) => point.rows * point.columns;
  // Two equations: the size with many boxes has some pairs too, and the other way round.
  const [b1, p1, t1] = [boxesOf(boxes!), pairsOf(boxes!), beyond(boxes!)];
  const [b2, p2, t2] = [boxesOf(pairs!), pairsOf(pairs!), beyond(pairs!)];
  const determinant = b1 * p2 - b2 * p1;
  let perBox = (t1 * p2 - t2 * p1) / determinant;
  let perPair = (b1 * t2 - b2 * t1) / determinant;
  if (perBox < 0) [perBox, perPair] = [0, t2 / p2];
  if (perPair < 0) [perBox, perPair] = [t1 / b1, 0];
  const rest = columns === undefined ? 0 : beyond(columns) - perBox * boxesOf(columns);
  return {
    once,
    perBox,
    perPair,
    perColumn: columns === undefined ? 0 : Math.max(0, rest) / columns.columns,
  };
}

/** Milliseconds of one run: the least of several, each long enough for the clock. */
export async function timeOf(run: () => unknown): Promise<number> {
  await run();
  let least = Number.POSITIVE_INFINITY;
  let repeats = 1;
  const end = performance.now() + 60;
  for (let k = 0; k < 5 || (k < 12 && performance.now() < end); k++) {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) {
      const pending = run();
      if (pending instanceof Promise) await pending;
    }
    const time = performance.now() - start;
    least = Math.min(least, time / repeats);
    if (time < 1) repeats = Math.min(256, 4 * repeats);
    if (time > 200) break;
  }
  return least;
}
