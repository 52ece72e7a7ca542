/**
 * Shares the points of a run out among worker threads. The parts are the same whatever the number of workers, and are
 * added in their order, so the sums are the same digit by digit.
 */
import { Worker } from 'node:worker_threads';
import type { Outcome } from '../simulation/simulate.ts';
import type { Task, TaskResult } from './worker.ts';

/** Points a part: its boxes and targets stay in a second-level cache. */
const part = 25;

export class Pool {
  readonly #workers: Worker[];

  constructor(count: number) {
    const entry = new URL('./thread.js', import.meta.url);
    this.#workers = Array.from({ length: count }, () => new Worker(entry));
  }

  /** Runs all points of a task; `progress` gets the number of points done at a time. */
  async run(task: Omit<Task, 'from' | 'to'>, progress: (points: number) => void): Promise<Outcome> {
    const parts = Array.from({ length: Math.ceil(task.points / part) }, (_, i) => ({
      from: i * part,
      to: Math.min((i + 1) * part, task.points),
    }));
    const results: TaskResult[] = [];
    let next = 0;
    await Promise.all(
      this.#workers.map(async (worker) => {
        while (next < parts.length) {
          const index = next++;
          const range = parts[index]!;
          results[index] = await ask(worker, { ...task, ...range });
          progress(range.to - range.from);
        }
      }),
    );
    const curve = new Float64Array(task.iterations + 1);
    const final = new Float64Array(task.points);
    results.forEach((result, index) => {
      result.curve.forEach((error, t) => {
        curve[t]! += error;
      });
      final.set(result.final, index * part);
    });
    return { curve, final };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, task: Task): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    const done = (result: TaskResult): void => {
      worker.off('error', reject);
      resolve(result);
    };
    worker.once('message', done);
    worker.once('error', reject);
    worker.postMessage(task);
  });
}
