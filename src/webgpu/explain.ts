/** Tells where a job would run, and why, without running it. */
import type { MetricWgsl } from '../iou/wgsl.ts';
import type { Crossover } from './crossover.ts';
import { spreadOf, strained } from './pack.ts';
import { type Kernel, resultWords } from './shaders.ts';
import { limitsFor, planTiles } from './tiles.ts';
import type { Backend, Explanation, JobKind, Output, TileLimits } from './types.ts';

export interface Question {
  readonly n: number;
  readonly m: number;
  readonly kind: JobKind;
  readonly kernel: Kernel;
  readonly backend: Backend;
  readonly output: Output;
  readonly metric: MetricWgsl;
  readonly metricName: string;
  /** Null without a GPU. */
  readonly limits: TileLimits | null;
  /** Why the GPU cannot be used, or null. */
  readonly unavailable: string | null;
  readonly crossover: Crossover;
}

export function explainJob(question: Question): Explanation {
  const { n, m, kind, kernel, output, metric, metricName, limits, crossover } = question;
  const pairs = kind === 'aligned' ? n : n * m;
  const results = kind === 'pairwise' ? pairs : n;
  const tiles =
    limits === null ? [] : planTiles(kernel, { a: [0, n], b: [0, m] }, limitsFor(kernel, output, limits));
  const boxBytes = (boxes: number, terms: number) => boxes * (terms > 0 ? 24 : 16);
  const predicted = crossover.predict(kind, metric.key, n, m, pairs);
  return {
    ...choose(question, pairs, predicted),
    metric: metricName,
    pairs,
    tiles: tiles.length,
    uploadBytes: tiles.reduce(
      (sum, { aFrom, aTo, bFrom, bTo }) =>
        sum + boxBytes(aTo - aFrom, metric.aTermCount) + boxBytes(bTo - bFrom, metric.bTermCount),
      0,
    ),
    readbackBytes: output === 'buffer' ? 0 : 4 * results * resultWords[kernel],
    cpuMs: predicted?.cpuMs ?? null,
    gpuMs: predicted?.gpuMs ?? null,
  };
}

function choose(
  { backend, output, unavailable, metric }: Question,
  pairs: number,
  predicted: { readonly cpuMs: number; readonly gpuMs: number } | null,
): Pick<Explanation, 'backend' | 'reason'> {
  if (pairs > 0 && spreadOf(metric) === 0) {
    return { backend: 'cpu', reason: strained };
  }
  if (output === 'buffer') return { backend: 'gpu', reason: 'the result was asked for on the GPU' };
  if (pairs === 0) return { backend: 'cpu', reason: 'there is nothing to compare' };
  if (backend !== 'auto') return { backend, reason: `backend: '${backend}' was asked for` };
  if (unavailable !== null) return { backend: 'cpu', reason: unavailable };
  if (predicted === null) {
    return { backend: 'cpu', reason: 'not measured yet: calibrate() or the first such call will' };
  }
  const { cpuMs, gpuMs } = predicted;
  const text = `CPU ${cpuMs.toPrecision(3)} ms, GPU ${gpuMs.toPrecision(3)} ms predicted`;
  return { backend: gpuMs < cpuMs ? 'gpu' : 'cpu', reason: text };
}
