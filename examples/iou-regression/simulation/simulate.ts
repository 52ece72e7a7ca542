/** A whole run of one loss over some points, as every worker does it. */
import type { Metric } from '../../../src/iou/types.ts';
import { casesOf, type Parametrisation } from './cases.ts';
import { learningRate, Regression } from './regression.ts';

export interface Run {
  readonly metric: Metric;
  readonly parametrisation: Parametrisation;
  readonly iterations: number;
}

export interface Outcome {
  /** Sum of the L1 errors before the first iteration and after each: iterations + 1 numbers. */
  readonly curve: Float64Array;
  /** Final L1 error of each point, summed over its 343 cases. */
  readonly final: Float64Array;
}

/** Runs points [from, to); `progress` is called after every iteration. */
export function simulate(
  run: Run,
  points: Float64Array,
  from = 0,
  to = points.length / 2,
  progress: (iteration: number, error: number) => void = () => {},
): Outcome {
  const { metric, parametrisation, iterations } = run;
  const regression = new Regression(casesOf(points, from, to, parametrisation), metric, parametrisation);
  const curve = new Float64Array(iterations + 1);
  const final = new Float64Array(to - from);
  curve[0] = regression.errors();
  for (let t = 0; t < iterations; t++) {
    regression.step(learningRate(t, iterations));
    curve[t + 1] = regression.errors(t + 1 === iterations ? final : undefined);
    progress(t + 1, curve[t + 1]!);
  }
  return { curve, final };
}
