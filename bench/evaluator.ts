/**
 * What a metric without generated code costs: CIoU with the gradient through α, which the evaluator runs instruction by
 * instruction, against the generated loop of CIoU. Rows of 1 000 boxes, in turn.
 *
 *   npx tsx bench/evaluator.ts [--check]
 *
 * `--check` exits with 1 above 8 times.
 */
import { completeIou } from '../src/iou/index.ts';
import { type ResolvedMetric, resolveMetric } from '../src/iou/resolve.ts';

const boxCount = 1000;
const promised = 8;

/** A run of rows by the metric. */
function rows(metric: ResolvedMetric): () => void {
  const columns = [0, 0, 60, 60].map((least, axis) =>
    Float64Array.from({ length: boxCount }, (_, i) => ((i * (axis % 2 === 0 ? 37 : 91)) % 500) + least),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const terms = metric.createTerms(columns[0], boxCount);
  metric.fillTerms(...columns, 0, boxCount, terms);
  const out = new Float64Array(boxCount);
  return () => {
    for (let i = 0; i < 100; i++) {
      const [x1, y1, x2, y2] = columns.map((column) => column[i]!) as [number, number, number, number];
      metric.row(x1, y1, x2, y2, ...columns, 0, boxCount, out, 0, terms);
    }
  };
}

const runs = [rows(resolveMetric(completeIou({ alpha: 'undetached' }))), rows(resolveMetric('ciou'))];
const times: number[][] = [[], []];
for (let round = 0; round < 60; round++) {
  for (const [i, run] of runs.entries()) {
    const start = performance.now();
    run();
    times[i]!.push((performance.now() - start) * 10);
  }
}
const [evaluated, generated] = times.map((list) => list.sort((a, b) => a - b)[list.length >> 2]!);
const ratio = evaluated! / generated!;
console.log(
  `evaluator ${evaluated!.toFixed(1)} ns a pair, generated loop ${generated!.toFixed(1)}: ${ratio.toFixed(1)}x`,
);
if (process.argv.includes('--check') && ratio > promised) process.exitCode = 1;
