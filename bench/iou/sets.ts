/** Boxes of the IoU benchmark. */
import { random } from '../nms/sets.ts';
import type { BenchJob, BenchKind, BenchMetric } from './peer.ts';

/**
 * `spread`: sides to 100 in a picture of 640, of which one pair in forty overlaps. `crowded`: sides of 50 to 250, of
 * which one in four does.
 */
export type SetKind = 'spread' | 'crowded';

function boxes(kind: SetKind, count: number, seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed);
  const [least, range] = kind === 'spread' ? [1, 99] : [50, 200];
  const out = new Float32Array(4 * count);
  for (let i = 0; i < out.length; i += 4) {
    const [x, y] = [600 * next(), 600 * next()];
    out.set([x, y, x + least + range * next(), y + least + range * next()], i);
  }
  return out;
}

export function makeJob(
  kind: BenchKind,
  metric: BenchMetric,
  set: SetKind,
  rows: number,
  columns: number,
): BenchJob {
  return { kind, metric, rows, columns, a: boxes(set, rows, 1), b: boxes(set, columns, 2) };
}
