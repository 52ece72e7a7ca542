/** The page's worker: one run on the CPU, an answer after every iteration. */
import { casesOf, spreadPoints } from '../simulation/cases.ts';
import { metricNamed } from '../simulation/metrics.ts';
import { learningRate, Regression } from '../simulation/regression.ts';
import type { LiveTask } from './runs.ts';

export type WorkerAnswer =
  | { readonly iteration: number; readonly error: number }
  | { readonly final: Float64Array };

addEventListener('message', ({ data }: MessageEvent<LiveTask>) => {
  const { loss, parametrisation, points, iterations } = data;
  const cases = casesOf(spreadPoints(points), 0, points, parametrisation);
  const regression = new Regression(cases, metricNamed(loss), parametrisation);
  const answer = (message: WorkerAnswer) => postMessage(message);
  answer({ iteration: 0, error: regression.errors() });
  const final = new Float64Array(points);
  for (let t = 0; t < iterations; t++) {
    regression.step(learningRate(t, iterations));
    answer({ iteration: t + 1, error: regression.errors(final) });
  }
  answer({ final });
});
