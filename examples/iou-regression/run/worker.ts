/** A worker thread of the command line: takes a part of the points, gives its curve and its final errors. */
import { parentPort } from 'node:worker_threads';
import { type Parametrisation, scatterPoints } from '../simulation/cases.ts';
import { metricNamed } from '../simulation/metrics.ts';
import { simulate } from '../simulation/simulate.ts';

export interface Task {
  readonly loss: string;
  readonly parametrisation: Parametrisation;
  readonly iterations: number;
  readonly points: number;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

export interface TaskResult {
  readonly curve: Float64Array<ArrayBuffer>;
  readonly final: Float64Array<ArrayBuffer>;
}

parentPort?.on('message', (task: Task) => {
  const { loss, parametrisation, iterations, points, seed, from, to } = task;
  const run = { metric: metricNamed(loss), parametrisation, iterations };
  const { curve, final } = simulate(run, scatterPoints(points, seed), from, to);
  parentPort!.postMessage({ curve, final });
});
