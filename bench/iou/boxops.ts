/** boxops itself, on either engine, through its public functions with `out`. */
import { bestMatch, pairwiseIou } from '../../src/index.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { type BenchJob, type IouPeer, timed } from './peer.ts';

/** Results are written into one buffer that all jobs share, as a caller who cares would. */
let matrix = new Float32Array(0);

function runner({ kind, metric, rows, columns, a, b }: BenchJob): () => unknown {
  if (kind === 'bestMatch') {
    const out = { values: new Float32Array(rows), indices: new Int32Array(rows) };
    return () => bestMatch(a, b, { metric, out });
  }
  if (matrix.length < rows * columns) matrix = new Float32Array(rows * columns);
  const out = matrix.subarray(0, rows * columns);
  return () => pairwiseIou(a, b, { metric, out });
}

export function boxopsPeer(backend: 'simd' | 'javascript'): IouPeer {
  let last: { readonly job: BenchJob; readonly run: () => unknown } | undefined;
  return {
    name: `boxops ${backend}`,
    async answer({ kind, metric, a, b }) {
      setBackend(backend);
      if (kind === 'pairwise') return { values: pairwiseIou(a, b, { metric }) };
      const { values, indices } = bestMatch(a, b, { metric });
      return { values: values as Float32Array, indices };
    },
    async measure(job, budget) {
      setBackend(backend);
      if (last?.job !== job) last = { job, run: runner(job) };
      return timed(last.run, budget);
    },
  };
}

/** What the memory alone takes: writing a result of this size, warm, and copying one. */
export function memoryLimit(
  job: BenchJob,
  budget: number,
): { fill(): Promise<number>; copy(): Promise<number> } {
  const { kind, rows, columns } = job;
  // A best match reads its boxes and writes two numbers a row.
  const length = kind === 'pairwise' ? rows * columns : 6 * rows + 4 * columns;
  if (matrix.length < length) matrix = new Float32Array(length);
  const out = matrix.subarray(0, length);
  const from = new Float32Array(length);
  return {
    fill: () => timed(() => out.fill(1), budget),
    copy: () => timed(() => out.set(from), budget),
  };
}
