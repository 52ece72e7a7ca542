/** One loss over all points in the page: on the GPU where there is one, else in a worker. */
import { type Parametrisation, spreadPoints } from '../simulation/cases.ts';
import { GpuRegression } from '../simulation/gpu.ts';
import { metricNamed } from '../simulation/metrics.ts';
import { learningRate } from '../simulation/regression.ts';
import type { WorkerAnswer } from './worker.ts';

export interface LiveTask {
  readonly loss: string;
  readonly parametrisation: Parametrisation;
  readonly points: number;
  readonly iterations: number;
}

/** Gives the final error of each point; `report` gets the sum of all errors after each iteration. */
export type LiveRun = (
  task: LiveTask,
  report: (iteration: number, error: number) => void,
  signal: AbortSignal,
) => Promise<Float64Array>;

/** Iterations a dispatch: few enough for a curve that grows, many enough to keep the GPU busy. */
const perDispatch = 5;

/** A GPU to run on; null where there is none. */
export async function openGpu(): Promise<{ readonly name: string; readonly run: LiveRun } | null> {
  const adapter = (await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;
  if (adapter === null) return null;
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
  const { vendor, architecture, description } = adapter.info;
  const name = [vendor, architecture, description].filter((text) => text !== '').join(' ');
  const run: LiveRun = async ({ loss, parametrisation, points, iterations }, report, signal) => {
    const regression = await GpuRegression.create(
      device,
      spreadPoints(points),
      metricNamed(loss),
      parametrisation,
    );
    try {
      const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
      report(0, sum(await regression.errors()));
      for (let t = 0; t < iterations && !signal.aborted; t += perDispatch) {
        const count = Math.min(perDispatch, iterations - t);
        const errors = await regression.advance(
          Array.from({ length: count }, (_, i) => learningRate(t + i, iterations)),
        );
        errors.forEach((error, i) => {
          report(t + i + 1, error);
        });
      }
      return await regression.errors();
    } finally {
      regression.destroy();
    }
  };
  return { name, run };
}

/** The same in a worker on the CPU, float64. */
export const runInWorker: LiveRun = (task, report, signal) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Float64Array>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(new Float64Array(task.points)), { once: true });
    worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => {
      if ('final' in data) resolve(data.final);
      else report(data.iteration, data.error);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  }).finally(() => worker.terminate());
};
